"""What a worker does that is first asked how to train, and then trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlhw.commands.sweep.choosing import Choice, Question, choose
from mlhw.commands.sweep.work import Outcome, Unit, work


def answer(job: Question | Unit, tell: Callable[[Any], None]) -> Choice | list[Outcome]:
    """The choice that answers a question, or what came of a unit.

    Raises:
        OutputError, Interrupted: as ``work``.
    """
    if isinstance(job, Unit):
        return work(job, tell)
    return choose(job.experiments, job.settings, job.how, lambda *step: tell(("progress", *step)))
