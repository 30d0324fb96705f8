"""What a worker process does for ``mlhw grade EXPERIMENT``: it trains, or it checks gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from mlhw.commands.grade.scoring import warm
from mlhw.commands.settings import Settings
from mlhw.commands.sweep.work import Telling
from mlhw.config import load as config
from mlhw.grading.apart import begin
from mlhw.grading.limits import within


@dataclass(frozen=True)
class Task:
    """A whole experiment, as YAML, and what to do with it. Plain data: it goes to another process."""

    what: Literal["train", "gradients"]
    name: str
    experiment: str
    settings: Settings
    seconds: float | None


def work(task: Task, tell: Callable[[Any], None]) -> dict[str, Any]:
    """The summary of the new run, or the records of the gradient's ``checks``.

    Raises:
        MlhwError: it fell through; says why.
        Interrupted: training took longer than it may; the run can be gone on with.
    """
    experiment = config.parse(task.experiment.encode(), task.name)
    warm()
    begin(tell)
    display = Telling(tell)
    with within(task.seconds, interrupt=task.what == "train"):
        if task.what == "train":
            from mlhw.commands.train import train

            display.say(f"training {task.name}")
            return train(experiment, task.settings, display)[1]
        from mlhw.commands.check import gradient_checks

        checks = gradient_checks(experiment, task.settings, rows=None, seed=0, progress=display.progress)[0]
        return {"checks": [check.record() for check in checks]}
