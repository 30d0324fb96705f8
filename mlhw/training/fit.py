"""THE training loop: every kind of model goes through it, and it reads nothing of a model but what a step reports."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import compress
from time import perf_counter

import numpy as np

from mlhw.arrays import Split, Splits
from mlhw.errors import DataError, TrainingDiverged
from mlhw.protocols import EpochRow, Learner
from mlhw.training.epoch import Lost, lost_in, score_split, train_epoch
from mlhw.training.state import LoopState, MemberEpoch, Recipe, Watcher, stop_reason


def fit(
    learner: Learner, splits: Splits, recipe: Recipe, watcher: Watcher, states: Sequence[LoopState] = ()
) -> list[LoopState]:
    """Train up to ``recipe.epochs`` and return where each member stands; go on from ``states`` where they are given.

    ``splits`` are placed with the learner already. The best epoch is chosen on validation, never on test; without a
    validation split it is the last one. A member of a stack whose loss is not finite, or which stops early, is dropped and
    the others go on; of ``states``, the learner holds those that are not at their end.

    Raises:
        TrainingDiverged: the loss of a single model was not finite; the lost members of a stack say so in their state.
        DataError: a split has no rows.
    """
    for name, split in splits.named().items():
        if len(split) == 0:
            raise DataError(
                f"the {name} split has no rows: there is nothing to average. Check data.train_rows and fractions."
            )
    has_val = splits.val is not None
    states = list(states) or [LoopState() for _ in range(learner.members)]
    going = [member for member, state in enumerate(states) if not stop_reason(state, recipe, has_val)]
    if len(going) < len(states):
        splits = splits.map(lambda split: split.of_members([member in going for member in range(len(states))]))
    while going:
        began = perf_counter()
        now = [states[member] for member in going]
        seeds = [recipe.own_seeds[member] for member in going] if recipe.own_seeds else [recipe.seed]
        rows, lost = _epoch(learner, splits, recipe, now[0].epoch + 1, seeds, watcher)
        improved = [_advance(state, rows[place], lost.get(place), recipe) for place, state in enumerate(now)]
        if lost and len(states) == 1:
            raise lost[0]
        began = _share(now, began)
        kept = [not stop_reason(state, recipe, has_val) for state in now]
        if any(kept) and not all(kept):
            learner.keep(kept)
            splits = splits.map(partial(Split.of_members, mask=kept))
        watcher.on_epoch(_told(going, kept, now, rows, improved))
        _share(now, began)
        going = list(compress(going, kept))
    return states


def _epoch(
    learner: Learner, splits: Splits, recipe: Recipe, epoch: int, seeds: Sequence[int], watcher: Watcher
) -> tuple[list[list[EpochRow]], Lost]:
    """Train for one epoch and score what is scored each epoch: each member's rows, and who is lost."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # said in words, with epoch and step
        passes, lost = train_epoch(learner, splits.train, recipe, epoch, seeds, watcher.on_step)
        rates = [row.lr for row in passes]
        by_split = [passes]
        if splits.val is not None:
            by_split.append(score_split(learner, splits.val, "val", epoch, rates))
        if recipe.score_test_each_epoch and splits.test is not None:
            by_split.append(score_split(learner, splits.test, "test", epoch, rates))
    for scored in by_split[1:]:
        lost = lost_in(scored, splits.train, recipe) | lost
    return [list(rows) for rows in zip(*by_split, strict=True)], lost


def _advance(state: LoopState, rows: Sequence[EpochRow], lost: TrainingDiverged | None, recipe: Recipe) -> bool:
    """Move ``state`` on, or mark it as lost; whether it is the best so far."""
    if lost is not None:
        state.lost = str(lost)
        return False
    return state.advance(rows[0].epoch, rows, recipe.best_by)


def _share(states: Sequence[LoopState], began: float) -> float:
    """Give each its share of the seconds since ``began``; returns now."""
    now = perf_counter()
    for state in states:
        state.seconds += (now - began) / len(states)
    return now


def _told(
    going: Sequence[int],
    kept: Sequence[bool],
    states: Sequence[LoopState],
    rows: Sequence[list[EpochRow]],
    improved: Sequence[bool],
) -> list[MemberEpoch]:
    """What the watcher is told of the members that trained in this epoch."""
    stay = kept if any(kept) else [True] * len(kept)  # nobody was dropped from the learner: it is over for all at once
    places = np.cumsum(stay) - 1
    return [
        MemberEpoch(
            member,
            int(places[i]) if stay[i] and not states[i].lost else None,
            states[i],
            [] if states[i].lost else rows[i],
            improved[i],
        )
        for i, member in enumerate(going)
    ]
