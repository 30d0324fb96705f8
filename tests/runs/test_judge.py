"""The verdicts on runs that a teacher would not argue about, and laws that hold for every run."""

from __future__ import annotations

import math
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlhw.protocols import EpochRow
from mlhw.runs import judge as judging
from mlhw.runs.judge import judge

Points = list[tuple[float, float]]  # (loss, accuracy) by epoch


def table(**splits: Points) -> list[EpochRow]:
    return [
        EpochRow(epoch, split, loss, accuracy, 0.1, 1.0)
        for split, points in splits.items()
        for epoch, (loss, accuracy) in enumerate(points, start=1)
    ]


def ramp(start: tuple[float, float], end: tuple[float, float], epochs: int, power: float = 3.0) -> Points:
    """From ``start`` to ``end`` over ``epochs``; fast at first and level at the end for a large ``power``."""
    parts = [(1 - (1 - e / (epochs - 1)) ** power) for e in range(epochs)]
    return [(start[0] + p * (end[0] - start[0]), start[1] + p * (end[1] - start[1])) for p in parts]


def once(epoch: int, loss: float, accuracy: float) -> list[EpochRow]:
    return [EpochRow(epoch, "test", loss, accuracy, 0.1, 1.0)]


START = (2.3, 0.1)
CNN = table(train=ramp(START, (0.12, 0.96), 30), val=ramp(START, (1.5, 0.53), 8) + [(1.6, 0.53)] * 22)
DOUBLED = table(
    train=ramp(START, (0.002, 1.0), 40),
    val=ramp(START, (0.15, 0.96), 20) + ramp((0.15, 0.96), (0.33, 0.97), 20, 1.0),
)
CASES: dict[str, tuple[list[EpochRow], int, str, str | None]] = {
    "MLP": (table(train=ramp(START, (0.01, 1.0), 20), val=ramp(START, (0.07, 0.98), 20)), 20, "generalizing", "val"),
    "MLP, val loss drifts up": (
        table(
            train=ramp(START, (0.001, 1.0), 30),
            val=ramp(START, (0.070, 0.98), 15) + ramp((0.07, 0.98), (0.1, 0.98), 15),
        ),
        28,
        "generalizing",
        "val",
    ),
    "tiny-data CNN": (CNN, 30, "overfitting", "val"),
    "val loss doubled": (DOUBLED, 40, "overfitting", "val"),
    "val loss doubled, reported before it": (DOUBLED, 20, "overfitting", "val"),
    "softmax regression, level": (
        table(train=ramp((1.6, 0.2), (1.2, 0.49), 30), val=ramp((1.6, 0.2), (1.2, 0.49), 30)),
        30,
        "underfitting",
        "val",
    ),
    "softmax regression, falling": (
        table(train=ramp((1.6, 0.2), (1.0, 0.49), 30, 1.0), val=ramp((1.6, 0.2), (1.0, 0.49), 30, 1.0)),
        30,
        "underfitting",
        "val",
    ),
    "augmentation": (
        table(train=ramp(START, (0.7, 0.76), 30), val=ramp(START, (0.25, 0.93), 30)),
        30,
        "generalizing",
        "val",
    ),
    "stopped too early": (
        table(train=ramp(START, (0.5, 0.84), 10, 1.0), val=ramp(START, (0.55, 0.82), 10, 1.0)),
        10,
        "underfitting",
        "val",
    ),
    "stopped too early, with a gap": (
        table(train=ramp(START, (1.2, 0.62), 10, 1.0), val=ramp(START, (1.5, 0.48), 10, 1.0)),
        10,
        "underfitting",
        "val",
    ),
    "MNIST in numpy": (
        table(train=ramp((2.2, 0.3), (1.506, 0.953), 20), test=ramp((2.2, 0.3), (1.533, 0.92), 20)),
        20,
        "generalizing",
        "test",
    ),
    "test once": (table(train=ramp(START, (0.05, 0.98), 20)) + once(20, 0.09, 0.97), 20, "generalizing", "test"),
    "test once, far below": (
        table(train=ramp(START, (0.05, 0.98), 20)) + once(15, 1.0, 0.7),
        15,
        "overfitting",
        "test",
    ),
    "val before test": (CNN + once(30, 0.1, 0.96), 30, "overfitting", "val"),
    "one epoch, good": (table(train=[(0.4, 0.88)], val=[(0.2, 0.94)]), 1, "generalizing", "val"),
    "one epoch, poor": (table(train=[(1.5, 0.4)], val=[(1.3, 0.5)]), 1, "underfitting", "val"),
    "one epoch, far apart": (table(train=[(0.1, 0.97)], val=[(0.9, 0.7)]), 1, "overfitting", "val"),
    "diverged": (
        table(train=[(0.4, 0.9)] * 5 + [(math.nan, 0.1)] * 5, val=[(0.4, 0.9)] * 5 + [(math.inf, 0.1)] * 5),
        10,
        "generalizing",
        "val",
    ),
    "val never finite": (
        table(train=[(0.4, 0.9)], val=[(math.nan, 0.1)]) + once(1, 0.4, 0.9),
        1,
        "generalizing",
        "test",
    ),
    "nothing finite": (table(train=[(math.nan, math.nan)] * 3), 3, "undecided", None),
    "no rows": ([], 1, "undecided", None),
    "nothing held out, good": (table(train=ramp(START, (0.05, 0.98), 20)), 20, "undecided", None),
    "nothing held out, poor": (table(train=ramp(START, (1.8, 0.4), 20)), 20, "underfitting", None),
    "unstable, not overfitting": (
        table(train=[(0.5, 0.9), (0.3, 0.92), (0.9, 0.9)], val=[(0.5, 0.9), (0.3, 0.92), (0.9, 0.88)]),
        2,
        "generalizing",
        "val",
    ),
    "one spike at the end": (
        table(train=ramp(START, (0.1, 0.97), 30), val=[*ramp(START, (0.15, 0.95), 29), (0.9, 0.9)]),
        29,
        "generalizing",
        "val",
    ),
    "tiny losses double": (
        table(train=[(0.01, 1.0)] * 5 + [(0.0, 1.0)] * 5, val=[(0.001, 1.0)] * 5 + [(0.004, 1.0)] * 5),
        5,
        "generalizing",
        "val",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_verdicts(name: str) -> None:
    rows, epoch, verdict, held_out = CASES[name]
    found = judge(rows, epoch)
    assert (found.verdict, found.held_out) == (verdict, held_out), found.reason


def test_the_numbers_are_those_of_the_reported_epoch() -> None:
    found = judge(CNN, 30)
    assert found.train_accuracy == pytest.approx(0.96)
    assert found.held_out_accuracy == pytest.approx(0.53)
    assert found.gap == pytest.approx(0.43)
    assert found.loss_rise == pytest.approx(0.1 / 1.5)
    assert (found.train_loss, found.held_out_loss) == (pytest.approx(0.12), pytest.approx(1.6))
    assert all(part in found.reason for part in ("96.0%", "53.0%", "epoch 30"))


def test_a_row_that_is_not_finite_gives_way_to_the_one_before() -> None:
    rows = table(train=[(1.0, 0.5), (0.5, 0.9), (math.nan, 0.1)], val=[(1.0, 0.5), (0.5, 0.88), (0.4, 0.9)])
    found = judge(rows, 3)
    assert (found.train_accuracy, found.held_out_accuracy) == (0.9, 0.88)
    assert "not finite" in found.reason


def test_a_planted_fault_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "GAP", 0.9)  # as if a gap of 43 points were no sign
    with pytest.raises(AssertionError):
        test_verdicts("tiny-data CNN")


numbers = st.floats(0, 5) | st.sampled_from([math.nan, math.inf, -math.inf, 1e30])
shares = st.floats(0, 1)
points = st.lists(st.tuples(numbers, shares), max_size=12)


@given(points, points, points, st.integers(0, 15))
def test_every_run_gets_a_verdict_with_finite_numbers(train: Points, val: Points, test: Points, epoch: int) -> None:
    found = judge(table(train=train, val=val, test=test), epoch)
    assert found.reason.startswith(f"{found.verdict}: ")
    assert found.reason.endswith(".")
    assert all(math.isfinite(value) for value in asdict(found).values() if isinstance(value, float))


@given(points, points, st.integers(1, 12))
def test_the_order_of_rows_does_not_matter(train: Points, val: Points, epoch: int) -> None:
    rows = table(train=train, val=val)
    assert judge(rows, epoch) == judge(rows[::-1], epoch)


@given(points, st.integers(1, 12))
def test_where_val_and_train_are_alike_nothing_is_overfitting(train: Points, epoch: int) -> None:
    assert judge(table(train=train, val=train), epoch).verdict != "overfitting"
