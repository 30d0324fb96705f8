"""What the loop is told and what it tells: the recipe, where each member stands, and who watches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from mlhw.arrays import Batch
from mlhw.protocols import EpochRow
from mlhw.training.schedules import Schedule

Augmenter = Callable[[Batch, np.random.Generator, float], Batch]


@dataclass(frozen=True)
class Recipe:
    """How to train: plain values, no config."""

    epochs: int
    batch_rows: int
    schedule: Schedule
    seed: int
    own_seeds: tuple[int, ...] = ()  # one a member of a stack, where each has rows, and so an order, of its own
    shuffle: bool = True
    augment: Augmenter | None = None
    best_by: str = "accuracy"  # or "loss": what makes one epoch's validation better than another's; or "last"
    patience_epochs: int | None = None
    score_test_each_epoch: bool = False
    time_limit_seconds: float | None = None


@dataclass
class LoopState:
    """Where a member stands after ``epoch`` whole epochs; with the learner's state, all the loop needs to go on exactly."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    best_accuracy: float = -math.inf
    seconds: float = 0.0  # its share, where several members train as one
    lost: str = ""  # why its numbers are worth nothing any more: the message of TrainingDiverged

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return asdict(self)

    def advance(self, epoch: int, rows: Sequence[EpochRow], best_by: str) -> bool:
        """Move on by one epoch; whether it is the best so far. A tie in one measure is settled by the other."""
        self.epoch = epoch
        held_out = next((row for row in rows if row.split == "val"), None)
        if held_out is None:
            self.best_epoch = epoch
            return True
        now, best = (held_out.accuracy, -held_out.loss), (self.best_accuracy, -self.best_loss)
        improved = best_by == "last" or (now > best if best_by == "accuracy" else now[::-1] > best[::-1])
        if improved or self.best_epoch == 0:
            self.best_epoch, self.best_loss, self.best_accuracy = epoch, held_out.loss, held_out.accuracy
            return True
        return False


def stop_reason(state: LoopState, recipe: Recipe, has_val: bool) -> str:
    """Why training is over: ``lost``, ``epochs``, ``patience`` or ``time limit``; empty while it is not."""
    if state.lost:
        return "lost"
    if state.epoch >= recipe.epochs:
        return "epochs"
    if recipe.patience_epochs is not None and has_val and state.epoch - state.best_epoch >= recipe.patience_epochs:
        return "patience"
    if recipe.time_limit_seconds is not None and state.epoch and state.seconds >= recipe.time_limit_seconds:
        return "time limit"
    return ""


class MemberEpoch(NamedTuple):
    """What an epoch gave one member: its rows (none where it was lost), and whether its validation was the best so far."""

    member: int  # among all that the loop began with
    place: int | None  # in the learner; None where it was dropped
    state: LoopState
    rows: list[EpochRow]
    improved: bool


class Watcher(Protocol):
    """Who is told how training goes: writes the files, draws the bar."""

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        """Called several times a second at most."""

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None:
        """An epoch is over, for every member that still trained in it."""
