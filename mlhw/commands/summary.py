"""A network layer by layer, as an experiment would train it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from mlhw.arrays import Split
from mlhw.commands import assemble
from mlhw.commands.settings import Settings
from mlhw.config.expectations import verdicts
from mlhw.config.schema import Experiment

FLOAT32_BYTES = 4


def summary(experiment: Experiment, settings: Settings, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """The layers of ``experiment``'s network (see :class:`LayerFacts`), their totals, and the budget where it has one.

    ``input_shape`` is that of one example as stored, channels last. ``weight_bytes`` and ``activation_bytes`` are what the
    parameters, and all that the layers keep of one example, take as float32. The data is read only where the config alone
    does not tell the input's shape and the classes.

    Raises:
        ConfigError: the model cannot take such inputs.
        DataError: the data has to be read, and is missing or bad.
        MlhwError: an output's size is not what arithmetic says.
    """
    known = input_shape_and_classes(experiment)
    if known is None:
        train = assemble.load_splits(experiment, settings, progress).train
        known = train.input_shape, len(train.class_names)
    shape, classes = known
    layers = _layers(experiment, shape, classes)
    totals = {
        name: sum(layer[name] for layer in layers) for name in ("parameters", "buffers", "multiply_adds", "kept_values")
    }
    expected = [verdict for verdict in verdicts(experiment.expect, totals) if verdict.key == "parameters"]
    return {
        "experiment": experiment.name,
        "model": experiment.model.kind,
        "input_shape": list(shape),
        "classes": classes,
        "layers": layers,
        **totals,
        "weight_bytes": FLOAT32_BYTES * totals["parameters"],
        "activation_bytes": FLOAT32_BYTES * totals["kept_values"],
        "expectations": [verdict.sentence() for verdict in expected],
    }


def input_shape_and_classes(experiment: Experiment) -> tuple[tuple[int, ...], int] | None:
    """The shape of one example as stored and the number of classes, where the config alone tells; else None."""
    data = experiment.data
    if data.kind in ("mnist", "fashion-mnist"):
        return (28, 28, 1), 10
    if data.kind == "digits":
        return (8, 8, 1), 10
    if data.kind == "grocery":
        from mlhw.datasets.grocery import MOST_CLASSES

        return (data.image_size_pixels, data.image_size_pixels, 3), MOST_CLASSES[data.labels]
    if data.kind in ("gmm", "peaks", "swissroll"):
        from mlhw.datasets.toy import PROBLEMS

        return (PROBLEMS[data.kind].features,), len(PROBLEMS[data.kind].class_names)
    return None


def _layers(experiment: Experiment, shape: tuple[int, ...], classes: int) -> list[dict[str, Any]]:
    # An example of zeros stands for the data: a network's layers do not depend on what it is fed.
    zeros = np.zeros((1, *shape), np.uint8 if len(shape) == 3 else np.float64)
    like = Split(zeros, np.zeros(1, np.int64), tuple(map(str, range(classes))))
    learner: Any = assemble.build_learner(experiment, like, "cpu")
    if assemble.way(experiment) == "module":
        from mlhw.models.module_facts import module_layers

        return [asdict(layer) for layer in module_layers(learner.network, shape)]
    from mlhw.models.layer_facts import hand_written_layers

    return [asdict(layer) for layer in hand_written_layers(learner.model, shape)]
