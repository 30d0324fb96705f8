"""One pass over a split: trained, or scored; a row of means for each member."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from mlhw.arrays import Batch, Split
from mlhw.errors import DataError, TrainingDiverged, WeightsDiverged
from mlhw.protocols import EpochRow, Learner
from mlhw.training import batches
from mlhw.training.state import Recipe
from mlhw.training.streams import AUGMENT, ORDER, stream

TICK_SECONDS = 0.1
# What steps report is fetched so often: small tensors, kept, pin the heap between the large ones of each step.
FETCH_STEPS = 128
Lost = dict[int, TrainingDiverged]  # by place in the learner: the members whose loss is not finite


def train_epoch(
    learner: Learner,
    split: Split,
    recipe: Recipe,
    epoch: int,
    seeds: Sequence[int],
    on_step: Callable[[int, int, int], None],
) -> tuple[list[EpochRow], Lost]:
    """Every row of ``split`` once: the ``train`` row of each member, and those that are lost.

    ``seeds`` are those of the order and the augmentation: one, or one a member where each has rows of its own.
    """
    began = perf_counter()
    due = began + TICK_SECONDS
    total, done, scale = len(split), 0, 1.0
    reports: list[Any] = []
    fetched: list[tuple[np.ndarray, np.ndarray]] = []
    for batch in _batches(split, recipe, epoch, seeds):
        scale = recipe.schedule((epoch - 1 + done / total) / recipe.epochs)
        reports.append(learner.step(batch, scale))
        done += batch.rows.shape[-1]
        if len(reports) == FETCH_STEPS:
            fetched.append(_sums(learner, reports))
            reports.clear()
        if (now := perf_counter()) >= due:
            due = now + TICK_SECONDS
            on_step(epoch, done, total)
    if reports:
        fetched.append(_sums(learner, reports))
    losses, correct = (np.concatenate(parts, axis=1) for parts in zip(*fetched, strict=True))
    rates = np.broadcast_to(np.asarray(learner.lr, dtype=np.float64) * scale, len(losses))
    rows = _rows("train", epoch, rates, losses, correct, done, perf_counter() - began)
    lost: Lost = {}
    for place in np.flatnonzero(~np.isfinite(losses.sum(axis=1))):
        step = int(np.argmin(np.isfinite(losses[place])))
        lost[int(place)] = TrainingDiverged(epoch, step + 1, float(losses[place, step]))
    # A gradient may break weights that no later loss tells of: in the last step, or behind a ReLU. Seen here, before any file.
    for place in np.flatnonzero(~learner.finite()):
        lost.setdefault(int(place), WeightsDiverged(epoch, losses.shape[1]))
    return rows, lost


def score_split(learner: Learner, split: Split, name: str, epoch: int, rates: Sequence[float]) -> list[EpochRow]:
    """The row of ``split`` of each member, scored without training; ``rates``: what each trained with, to be told.

    Raises:
        DataError: the split has no rows.
    """
    if len(split) == 0:
        raise DataError(f"the {name} split has no rows: there is nothing to average.")
    began = perf_counter()
    reports = [learner.score(batch) for batch in batches.in_order(split, batches.score_rows(split))]
    losses, correct = _sums(learner, reports)
    return _rows(name, epoch, rates, losses, correct, len(split), perf_counter() - began)


def lost_in(rows: Sequence[EpochRow], split: Split, recipe: Recipe) -> Lost:
    """The members whose score of a held-out split is not finite: the last steps broke the weights, whose losses are of
    before them."""
    last = math.ceil(len(split) / recipe.batch_rows)
    return {
        place: TrainingDiverged(row.epoch, last, row.loss, row.split)
        for place, row in enumerate(rows)
        if not math.isfinite(row.loss)
    }


def _batches(split: Split, recipe: Recipe, epoch: int, seeds: Sequence[int]) -> Iterable[Batch]:
    if recipe.shuffle:
        plain = batches.shuffled(split, recipe.batch_rows, [stream(seed, ORDER, epoch) for seed in seeds])
    else:
        plain = batches.in_order(split, recipe.batch_rows)
    if recipe.augment is None:
        return plain
    rng, augment = stream(seeds[0], AUGMENT, epoch), recipe.augment
    return (augment(batch, rng, (epoch - 1) / recipe.epochs) for batch in plain)


def _sums(learner: Learner, reports: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Each step's loss sum and hits (members, steps)."""
    # A member's steps lie next to each other, so that its sum is the one that it would have alone, to the last bit.
    losses, correct = learner.fetch(reports)
    return np.ascontiguousarray(losses.T), np.ascontiguousarray(correct.T)


def _rows(
    split: str,
    epoch: int,
    rates: Iterable[float],
    losses: np.ndarray,
    correct: np.ndarray,
    count: int,
    seconds: float,
) -> list[EpochRow]:
    share = seconds / len(losses)
    return [
        EpochRow(epoch, split, float(loss.sum() / count), float(hits.sum() / count), float(rate), share)
        for loss, hits, rate in zip(losses, correct, rates, strict=True)
    ]
