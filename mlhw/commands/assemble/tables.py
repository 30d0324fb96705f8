"""Which function stands behind each ``kind`` in a config. Strings, so that reading the tables imports nothing.

To add a dataset or a model: its file, a line here, a class in ``config/data.py`` or ``config/models.py``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from mlhw.config.schema import Experiment
from mlhw.training import schedules

DATASETS = {
    "mnist": "mlhw.datasets.mnist:load",
    "fashion-mnist": "mlhw.datasets.mnist:load_fashion",
    "digits": "mlhw.datasets.digits:load",
    "gmm": "mlhw.datasets.toy:load_gmm",
    "peaks": "mlhw.datasets.toy:load_peaks",
    "swissroll": "mlhw.datasets.toy:load_swissroll",
    "grocery": "mlhw.datasets.grocery:load",
    "folder": "mlhw.datasets.folder:load",
    "image-csv": "mlhw.datasets.tables:load_images",
    "pixel-csv": "mlhw.datasets.tables:load_pixels",
}


class ModelEntry(NamedTuple):
    """Where a model is built, and how it computes: ``numpy`` and ``tensor`` by hand, ``module`` through autograd."""

    build: str
    way: str


MODELS = {
    "numpy-mlp": ModelEntry("mlhw.models.numpy_mlp:build", "numpy"),
    "tensor-mlp": ModelEntry("mlhw.models.tensor_mlp:build", "tensor"),
    "numpy-resnet": ModelEntry("mlhw.models.numpy_resnet:build", "numpy"),
    "torch-ann": ModelEntry("mlhw.models.fashion:build_ann", "module"),
    "fashion-cnn": ModelEntry("mlhw.models.fashion:build_cnn", "module"),
    "digits-cnn": ModelEntry("mlhw.models.digits_cnn:build", "module"),
    "grocery-blocks": ModelEntry("mlhw.models.grocery_cnn:build_blocks", "module"),
    "grocery-cnn": ModelEntry("mlhw.models.grocery_cnn:build", "module"),
}

SCHEDULES: dict[str, Callable[..., schedules.Schedule]] = {
    "constant": schedules.constant,
    "step": schedules.step,
    "cosine": schedules.cosine,
    "one-cycle": schedules.one_cycle,
}


def way(experiment: Experiment) -> str:
    """How the experiment's model computes; see :class:`ModelEntry`."""
    return MODELS[experiment.model.kind].way


def resolve(address: str) -> Callable[..., Any]:
    """The function at ``module:name``; only ever called with the literals above."""
    module, _, name = address.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function
