"""The loop: what it chooses, when it stops, what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest

from mlhw.arrays import Batch, Split, Splits
from mlhw.errors import DataError, TrainingDiverged
from mlhw.learners.reports import of_steps
from mlhw.protocols import EpochRow, StepReport
from mlhw.training import epoch
from mlhw.training.fit import fit
from mlhw.training.schedules import constant
from mlhw.training.state import LoopState, MemberEpoch, Recipe, stop_reason
from tests import made

RECIPE = Recipe(epochs=5, batch_rows=10, schedule=constant(), seed=0)


class Scripted:
    """A learner whose validation numbers are a script, and which remembers what it was given."""

    members, lr = 1, 0.5

    def __init__(self, val: list[tuple[float, float]] | None = None, losses: list[float] | None = None) -> None:
        self.val, self.losses = iter(val or [(1.0, 0.5)] * 99), iter(losses or [1.0] * 9999)
        self.seen: list[list[int]] = []
        self.scales: list[float] = []

    def place(self, split: Split) -> Split:
        return split

    def step(self, batch: Batch, lr_scale: float) -> StepReport:
        self.seen.append(np.asarray(batch.rows).tolist())
        self.scales.append(lr_scale)
        return StepReport(next(self.losses) * len(batch.targets), 1, len(batch.targets))

    def score(self, batch: Batch) -> StepReport:
        loss, accuracy = next(self.val)
        return StepReport(loss * len(batch.targets), accuracy * len(batch.targets), len(batch.targets))

    def fetch(self, reports: Any) -> Any:
        return of_steps(reports, lambda values: np.array(values, dtype=float)[:, None])

    def finite(self):
        return np.array([True])


class Watch:
    def __init__(self) -> None:
        self.epochs: list[tuple[LoopState, list[EpochRow], bool]] = []

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None: ...

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None:
        (member,) = members
        self.epochs.append((replace(member.state), member.rows, member.improved))


def run(learner: Any, recipe: Recipe = RECIPE, splits: Splits | None = None) -> tuple[LoopState, Watch]:
    watch = Watch()
    (state,) = fit(learner, splits or made.splits(), recipe, watch)
    return state, watch


def test_the_best_epoch_is_the_best_on_validation() -> None:
    state, watch = run(Scripted([(1.0, 0.5), (0.9, 0.7), (0.1, 0.6), (0.8, 0.7), (2.0, 0.1)]))
    assert state.best_epoch == 4  # the second's accuracy again, with a lower loss
    assert [improved for _, _, improved in watch.epochs] == [True, True, False, True, False]


def test_best_by_loss_looks_at_the_loss() -> None:
    state, _ = run(
        Scripted([(1.0, 0.5), (0.9, 0.7), (0.1, 0.6), (0.8, 0.7), (2.0, 0.9)]), replace(RECIPE, best_by="loss")
    )
    assert state.best_epoch == 3


def test_without_validation_the_last_epoch_is_reported_and_test_plays_no_part() -> None:
    data = made.splits()
    recipe = replace(RECIPE, score_test_each_epoch=True)
    state, watch = run(Scripted([(0.1, 0.9), *[(9.0, 0.0)] * 9]), recipe, Splits(data.train, None, data.test))
    assert state.best_epoch == 5
    assert [row.split for row in watch.epochs[0][1]] == ["train", "test"]


def test_a_better_test_score_never_makes_a_best_epoch() -> None:
    script = [
        pair for epoch in range(5) for pair in ((1.0 + epoch, 0.5 - epoch / 10), (1.0 - epoch / 10, 0.5 + epoch / 10))
    ]
    state, _ = run(Scripted(script), replace(RECIPE, score_test_each_epoch=True))
    assert state.best_epoch == 1


def test_patience_counts_epochs_since_the_best() -> None:
    state, _ = run(Scripted([(1.0, 0.5), (1.0, 0.6), *[(1.0, 0.1)] * 9]), replace(RECIPE, epochs=99, patience_epochs=3))
    assert (state.epoch, state.best_epoch) == (5, 2)
    assert stop_reason(state, replace(RECIPE, epochs=99, patience_epochs=3), has_val=True) == "patience"


def test_the_time_limit_stops_after_a_whole_epoch() -> None:
    state, _ = run(Scripted(), replace(RECIPE, time_limit_seconds=1e-9))
    assert state.epoch == 1


def test_every_row_is_seen_once_an_epoch_in_another_order_each_time() -> None:
    learner = Scripted()
    run(learner)
    epochs = [list(chain.from_iterable(learner.seen[i : i + 7])) for i in range(0, 35, 7)]
    assert all(sorted(epoch) == list(range(67)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert [len(batch) for batch in learner.seen[:7]] == [10] * 6 + [7]


def test_without_shuffling_the_order_is_the_data_s() -> None:
    learner = Scripted()
    run(learner, replace(RECIPE, shuffle=False, epochs=1))
    assert list(chain.from_iterable(learner.seen)) == list(range(67))


def test_the_order_hangs_on_the_data_seed_alone() -> None:
    orders = []
    for seed in (1, 1, 2):
        learner = Scripted()
        run(learner, replace(RECIPE, seed=seed, epochs=2))
        orders.append(learner.seen)
    assert orders[0] == orders[1] != orders[2]


def test_the_schedule_is_asked_with_progress_from_0_to_just_under_1() -> None:
    learner = Scripted()
    run(learner, replace(RECIPE, schedule=lambda progress: progress))
    assert learner.scales[0] == 0.0
    assert learner.scales == sorted(learner.scales)
    assert 0.9 < learner.scales[-1] < 1.0


def test_the_row_names_the_rate_of_the_epoch_s_last_step() -> None:
    _, watch = run(Scripted(), replace(RECIPE, schedule=lambda progress: 0.25))
    assert watch.epochs[0][1][0].lr == 0.125


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_with_epoch_and_step(bad: float) -> None:
    learner = Scripted(losses=[*[1.0] * 9, bad, *[1.0] * 99])  # 7 steps an epoch: the tenth is epoch 2, step 3
    with pytest.raises(TrainingDiverged, match="epoch 2, step 3") as caught:
        run(learner)
    assert (caught.value.epoch, caught.value.step) == (2, 3)


def test_an_empty_split_is_an_error_and_not_a_nan() -> None:
    data = made.splits()
    with pytest.raises(DataError, match="val split has no rows"):
        run(Scripted(), splits=replace(data, val=data.train.first(0)))


def test_a_finished_state_trains_no_more() -> None:
    learner = Scripted()
    (state,) = fit(learner, made.splits(), RECIPE, Watch(), [LoopState(epoch=5, best_epoch=2)])
    assert learner.seen == []
    assert state.best_epoch == 2


@pytest.mark.parametrize("every", [1, 3, 7, 128])  # of seven steps an epoch
def test_rows_and_faults_do_not_hang_on_how_often_reports_are_fetched(
    every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = [0.1 * step for step in range(1, 36)]
    expected = [row.loss for _, rows, _ in run(Scripted(losses=losses))[1].epochs for row in rows]
    monkeypatch.setattr(epoch, "FETCH_STEPS", every)
    held: list[int] = []
    learner = Scripted(losses=losses)
    fetch = learner.fetch
    learner.fetch = lambda values: held.append(len(values)) or fetch(values)  # type: ignore[method-assign, func-returns-value]
    assert [row.loss for _, rows, _ in run(learner)[1].epochs for row in rows] == expected
    assert max(held) <= every
    with pytest.raises(TrainingDiverged, match="epoch 2, step 3"):
        run(Scripted(losses=[*[1.0] * 9, float("nan"), *[1.0] * 99]))
