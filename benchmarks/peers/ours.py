"""mlhw itself: every workload through the same code as its commands."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import loops
from benchmarks.peers.contest import Contest
from benchmarks.peers.tasks import PictureTask, Task
from mlhw.commands import assemble
from mlhw.commands.display import Silent
from mlhw.commands.settings import from_environment
from mlhw.commands.threads import use_threads
from mlhw.config import load as config


def contest(task: Task | PictureTask) -> Contest:
    """The workload as mlhw's commands do it, with the threads that the experiment asks for."""
    if isinstance(task, PictureTask):
        from benchmarks.peers import pictures

        return pictures.ours(task)
    experiment, settings = config.load(task.experiment, task.overrides), from_environment()
    threads = use_threads(experiment.threads or settings.threads, assemble.way(experiment))
    job = assemble.job(experiment, settings, Silent().progress)
    if experiment.train.epochs == 1:  # one epoch is measured without the score of test at the end: no other has one
        job = replace(job, placed=replace(job.placed, test=None))
    learners: list[Any] = []

    def fresh() -> Any:
        shutil.rmtree(settings.outputs, ignore_errors=True)
        Path(settings.outputs).mkdir(parents=True)
        learners[:] = [loops.fresh_learner(job)]
        return loops.training(job, settings, learners[0])

    def accuracy() -> float:
        split = job.splits.val or job.splits.test
        assert split is not None
        placed = learners[0].place(split)
        parts = [learners[0].probabilities(placed.model_inputs(at, at + 500)) for at in range(0, len(placed), 500)]
        return float((np.concatenate(parts).argmax(axis=1) == np.asarray(split.targets)).mean())

    return Contest(fresh, accuracy, threads)
