"""Schedules at the points that define them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlhw.training import schedules


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.constant(),
        schedules.step(epochs=7, every_epochs=2, factor=0.5),
        schedules.cosine(warmup_fraction=0.2, final_scale=0.1),
        schedules.cosine(),
        schedules.one_cycle(),
    ],
)
@given(progress=st.floats(0, 1, exclude_max=True))
def test_every_factor_lies_in_0_to_1(schedule: schedules.Schedule, progress: float) -> None:
    assert 0.0 <= schedule(progress) <= 1.0


def test_step_changes_exactly_at_its_epochs() -> None:
    schedule = schedules.step(epochs=30, every_epochs=10, factor=0.1)
    assert [round(schedule(epoch / 30), 10) for epoch in (0, 9, 10, 19, 20, 29)] == [1, 1, 0.1, 0.1, 0.01, 0.01]


def test_cosine_rises_falls_and_ends_where_it_should() -> None:
    schedule = schedules.cosine(warmup_fraction=0.1, final_scale=0.2)
    assert schedule(0.05) == pytest.approx(0.5)
    assert schedule(0.1) == pytest.approx(1.0)
    assert schedule(0.55) == pytest.approx(0.6)
    assert schedule(1.0) == pytest.approx(0.2)


def test_one_cycle_begins_low_peaks_and_ends_at_nothing() -> None:
    schedule = schedules.one_cycle(peak_fraction=0.25, initial_scale=0.1)
    assert schedule(0.0) == pytest.approx(0.1)
    assert schedule(0.25) == pytest.approx(1.0)
    assert schedule(1.0) == pytest.approx(0.0)
