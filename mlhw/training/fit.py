"""THE training loop: every kind of model goes through it, and it reads nothing of a model but what a step reports."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from mlhw.arrays import Batch, Split, Splits
from mlhw.errors import DataError, TrainingDiverged
from mlhw.protocols import EpochRow, Learner, StepReport
from mlhw.training import batches
from mlhw.training.schedules import Schedule
from mlhw.training.streams import AUGMENT, ORDER, stream

Augmenter = Callable[[Batch, np.random.Generator, float], Batch]


@dataclass(frozen=True)
class Recipe:
    """How to train: plain values, no config."""

    epochs: int
    batch_rows: int
    schedule: Schedule
    seed: int
    shuffle: bool = True
    augment: Augmenter | None = None
    best_by: str = "accuracy"  # or "loss": what makes one epoch's validation better than another's; or "last"
    patience_epochs: int | None = None
    score_test_each_epoch: bool = False
    time_limit_seconds: float | None = None


@dataclass
class LoopState:
    """Where the loop stands after ``epoch`` whole epochs; with the learner's state, all it needs to go on exactly."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    best_accuracy: float = -math.inf
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return asdict(self)


class Watcher(Protocol):
    """Who is told how training goes: writes the files, draws the bar."""

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        """Called several times a second at most."""

    def on_epoch(self, state: LoopState, rows: list[EpochRow], improved: bool) -> None:
        """An epoch is over: its rows, and whether its validation was the best so far."""


TICK_SECONDS = 0.1


def fit(
    learner: Learner, splits: Splits, recipe: Recipe, watcher: Watcher, state: LoopState | None = None
) -> LoopState:
    """Train up to ``recipe.epochs`` and return where the loop stands; go on from ``state`` where one is given.

    ``splits`` are placed with the learner already. The best epoch is chosen on validation, never on test; without a
    validation split it is the last one.

    Raises:
        TrainingDiverged: a batch's loss was not finite.
        DataError: a split has no rows.
    """
    for name, split in splits.named().items():
        if len(split) == 0:
            raise DataError(
                f"the {name} split has no rows: there is nothing to average. Check data.train_rows and fractions."
            )
    state = state or LoopState()
    while not stop_reason(state, recipe, has_val=splits.val is not None):
        began = perf_counter()
        epoch = state.epoch + 1
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # said below, in words, with epoch and step
            rows = _epoch_rows(learner, splits, recipe, epoch, watcher)
        improved = _advance(state, epoch, rows, recipe.best_by)
        state.seconds += perf_counter() - began
        began = perf_counter()
        watcher.on_epoch(state, rows, improved)
        state.seconds += perf_counter() - began
    return state


def _epoch_rows(learner: Learner, splits: Splits, recipe: Recipe, epoch: int, watcher: Watcher) -> list[EpochRow]:
    """Train for one epoch and score what is scored each epoch. Raises TrainingDiverged for a loss that is not finite."""
    rows = [_train_epoch(learner, splits.train, recipe, epoch, watcher)]
    if splits.val is not None:
        rows.append(score_split(learner, splits.val, "val", epoch, rows[0].lr))
    if recipe.score_test_each_epoch and splits.test is not None:
        rows.append(score_split(learner, splits.test, "test", epoch, rows[0].lr))
    for row in rows[1:]:
        if not math.isfinite(row.loss):  # the last steps broke the weights: the train losses are from before them
            raise TrainingDiverged(epoch, math.ceil(len(splits.train) / recipe.batch_rows), row.loss, row.split)
    return rows


def score_split(learner: Learner, split: Split, name: str, epoch: int, lr: float) -> EpochRow:
    """The row of ``split``, scored without training. Raises DataError for a split without rows."""
    if len(split) == 0:
        raise DataError(f"the {name} split has no rows: there is nothing to average.")
    began = perf_counter()
    parts = batches.in_order(split, batches.score_rows(split))
    loss, accuracy, _ = _totals(learner, [learner.score(batch) for batch in parts])
    return EpochRow(epoch, name, loss, accuracy, lr, perf_counter() - began)


def _train_epoch(learner: Learner, split: Split, recipe: Recipe, epoch: int, watcher: Watcher) -> EpochRow:
    began = perf_counter()
    due = began + TICK_SECONDS
    total, done, scale = len(split), 0, 1.0
    reports: list[StepReport] = []
    for batch in _epoch_batches(split, recipe, epoch):
        scale = recipe.schedule((epoch - 1 + done / total) / recipe.epochs)
        report = learner.step(batch, scale)
        reports.append(report)
        done += report.count
        if (now := perf_counter()) >= due:
            due = now + TICK_SECONDS
            watcher.on_step(epoch, done, total)
    loss, accuracy, losses = _totals(learner, reports)
    if not math.isfinite(loss):
        step = int(np.argmin(np.isfinite(losses).all(axis=1)))
        raise TrainingDiverged(epoch, step + 1, float(losses[step].flat[0]))
    return EpochRow(epoch, "train", loss, accuracy, learner.lr * scale, perf_counter() - began)


def _epoch_batches(split: Split, recipe: Recipe, epoch: int) -> Iterable[Batch]:
    if recipe.shuffle:
        plain = batches.shuffled(split, recipe.batch_rows, stream(recipe.seed, ORDER, epoch))
    else:
        plain = batches.in_order(split, recipe.batch_rows)
    if recipe.augment is None:
        return plain
    rng, augment = stream(recipe.seed, AUGMENT, epoch), recipe.augment
    return (augment(batch, rng, (epoch - 1) / recipe.epochs) for batch in plain)


def _totals(learner: Learner, reports: list[StepReport]) -> tuple[float, float, np.ndarray]:
    """Mean loss, accuracy and each step's loss sum (steps, members), with one transfer from the device for each."""
    count = sum(report.count for report in reports)
    losses = learner.fetch([report.loss_sum for report in reports])
    correct = learner.fetch([report.correct for report in reports])
    return float(losses.sum() / count), float(correct.sum() / count), losses


def _advance(state: LoopState, epoch: int, rows: list[EpochRow], best_by: str) -> bool:
    """Move ``state`` on by one epoch; whether it is the best so far. A tie in one measure is settled by the other."""
    state.epoch = epoch
    held_out = next((row for row in rows if row.split == "val"), None)
    if held_out is None:
        state.best_epoch = epoch
        return True
    now, best = (held_out.accuracy, -held_out.loss), (state.best_accuracy, -state.best_loss)
    improved = best_by == "last" or (now > best if best_by == "accuracy" else now[::-1] > best[::-1])
    if improved or state.best_epoch == 0:
        state.best_epoch, state.best_loss, state.best_accuracy = epoch, held_out.loss, held_out.accuracy
        return True
    return False


def stop_reason(state: LoopState, recipe: Recipe, has_val: bool) -> str:
    """Why training is over: ``epochs``, ``patience`` or ``time limit``; empty while it is not."""
    if state.epoch >= recipe.epochs:
        return "epochs"
    if recipe.patience_epochs is not None and has_val and state.epoch - state.best_epoch >= recipe.patience_epochs:
        return "patience"
    if recipe.time_limit_seconds is not None and state.epoch and state.seconds >= recipe.time_limit_seconds:
        return "time limit"
    return ""
