"""Thresholds say what they look like."""

from __future__ import annotations

import pytest

from mlhw.config.expectations import holds, verdicts
from mlhw.config.schema import Expect


@pytest.mark.parametrize(
    ("threshold", "value", "held"),
    [
        ("< 100000", 99_999, True),
        ("< 100_000", 100_000, False),
        (">= 0.98", 0.98, True),
        (">=0.98", 0.9799, False),
        ("<= 1e3", 1000, True),
        ("> 0", 0, False),
        ("== 3", 3, True),
    ],
)
def test_a_threshold_compares(threshold: str, value: float, held: bool) -> None:
    assert holds(threshold, value) is held


def test_what_was_not_measured_is_neither_held_nor_broken() -> None:
    (verdict,) = verdicts(Expect(test_accuracy=">= 0.5"), {"test_accuracy": None})
    assert verdict.holds is None
    assert "not measured" in verdict.sentence()


@pytest.mark.parametrize("threshold", ["100000", "> _", "< many", "=< 3", "< 1; import os", ""])
def test_what_is_no_threshold_is_refused(threshold: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Expect(parameters=threshold)
