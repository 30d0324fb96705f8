"""The reported model of a run, put together again from its files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlhw.arrays import Split
from mlhw.commands import assemble
from mlhw.commands.settings import Settings
from mlhw.commands.threads import use_threads
from mlhw.config import load as config
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError, RunError
from mlhw.protocols import Learner
from mlhw.runs import checkpoint, store
from mlhw.runs import preparation as preparations
from mlhw.runs.environment import read_environment
from mlhw.runs.preparation import Preparation


def find(settings: Settings, name: str) -> tuple[store.Run, Experiment]:
    """The run ``name`` and its experiment; it has reported weights.

    Raises:
        RunError: there is no such run, it trained no model, or it has no checkpoint yet.
        ConfigError: its config is not one of this version.
    """
    run = store.find(settings.outputs, name)
    if _is_pretrained(run):
        raise RunError(
            f"run {run.id} asked pretrained networks and trained none. Name a training; for those networks there is "
            "`mlhw pretrained classify`."
        )
    if not run.best_checkpoint.exists():
        raise RunError(f"run {run.id} has no checkpoint yet. Go on with it: mlhw resume {run.id}")
    return run, config.load_file(run.config_file)


def threads_of(run: store.Run, experiment: Experiment, settings: Settings) -> int:
    """Use as many threads as ``run`` recorded, since the last digits depend on them; returns how many are in use."""
    recorded = read_environment(run.environment_file).get("threads")
    asked = recorded if isinstance(recorded, int) else experiment.threads or settings.threads
    return use_threads(settings.bounded(asked), assemble.way(experiment))


def preparation(
    run: store.Run, experiment: Experiment, settings: Settings, progress: Callable[[str, int, int], None]
) -> Preparation:
    """How the inputs of ``run`` were prepared: as it noted, or (a run that did not finish) from its data set.

    Raises:
        RunError: the note is damaged.
        DataError: there is none, and the data set is missing or bad.
    """
    noted = preparations.read(run.preparation_file)
    if noted is not None:
        return noted
    train = assemble.load_splits(experiment, settings, progress).train
    return assemble.preparation(experiment, train, assemble.coarser_classes(experiment, settings))


def reported(run: store.Run, experiment: Experiment, prepared: Preparation, device: str) -> Learner:
    """The model of ``run`` with the weights that it reports: the best checkpoint's, averaged where the run averages.

    Raises:
        RunError: the checkpoint cannot be read.
        ConfigError: its weights are of another model.
    """
    # A row of zeros stands for the data: a network's layers depend on its shape alone.
    zeros: Any = np.zeros((1, *prepared.input_shape), dtype=prepared.dtype)
    like = Split(zeros, np.zeros(1, dtype=np.int64), prepared.class_names)
    learner = assemble.build_learner(experiment, like, device, prepared.coarser, prepared.scaling)
    learner.adopt(checkpoint.load_weights(run.best_checkpoint))
    return learner


def _is_pretrained(run: store.Run) -> bool:
    try:
        return config.is_pretrained(run.config_file)
    except ConfigError:  # no such file, or a damaged one: the reader of trainings says which
        return False
