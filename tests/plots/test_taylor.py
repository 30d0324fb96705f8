"""The figure of Taylor tests: what it says is what was measured, and its labels can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlhw.checks.maps import Check
from mlhw.checks.taylor import jacobian_test
from mlhw.plots.style import save
from mlhw.plots.taylor import FIRST, draw_taylor

RNG = np.random.default_rng(0)
W, D = RNG.standard_normal(6), RNG.standard_normal(6) / 3
CASES: dict[str, Callable[[np.ndarray], Any]] = {
    "right": lambda v: np.cos(W) * v,
    "wrong": lambda v: 2 * np.cos(W) * v,
    "not finite": lambda v: v * np.nan,
}


def curve(case: str, label: str = "layer 1 dense tanh") -> dict[str, Any]:
    found = jacobian_test(np.sin, CASES[case], W, D)
    record = Check("taylor", label, "W", found.passed, taylor=found).curve()
    assert record is not None
    return record


def linear(label: str = "layer 2 dense") -> dict[str, Any]:
    found = jacobian_test(lambda v: v * 3, lambda v: v * 3, W, D)
    record = Check("taylor", label, "b", found.passed, taylor=found).curve()
    assert record is not None
    return record


def texts(figure: Figure) -> str:
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_one_test_is_large_with_its_slopes_and_reference_lines(text_faults: Callable[[Figure], list[str]]) -> None:
    figure = draw_taylor([curve("right")], "Taylor test of the mean loss of numpy-mlp, 101,770 parameters")
    assert text_faults(figure) == []
    said = texts(figure)
    for words in (
        "dᵀ∇f|   slope 2.000",
        "f(w)|   slope 1.000",
        "slope 1\n",
        "slope 2\n",
        "rounding",
        "ε, halved twenty times",
    ):
        assert words in said + "\n"


def test_a_linear_map_is_called_exact_and_a_wrong_one_by_its_slope(text_faults: Callable[[Figure], list[str]]) -> None:
    assert "exact to rounding" in texts(draw_taylor([linear()], "linear", "J"))
    wrong = draw_taylor([curve("wrong")], "wrong", "J")
    assert "slope 1.000" in texts(wrong)
    assert "‖f(w + εd) − f(w) − εJd‖" in texts(wrong)
    assert text_faults(wrong) == []


def test_marks_that_were_fitted_are_filled() -> None:
    record = curve("right")
    axes = draw_taylor([record], "title").axes[0]
    filled = [
        line
        for line in axes.lines
        if line.get_color() and line.get_markerfacecolor() == FIRST and line.get_marker() == "s"
    ]
    assert sum(len(line.get_xdata()) for line in filled) == sum(record["used"][1])  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [2, 5, 25])
def test_several_stand_side_by_side_and_fit(count: int, text_faults: Callable[[Figure], list[str]]) -> None:
    cases = [curve("right", "layer 3 residual leaky-relu"), linear(), curve("wrong")]
    figure = draw_taylor([cases[number % 3] for number in range(count)], "Taylor tests of the layers of gmm-net", "J")
    assert len(figure.axes) == count
    assert text_faults(figure) == []
    assert figure.get_size_inches()[0] <= 12.5


def test_what_is_not_finite_is_left_out_and_drawn_all_the_same(tmp_path: Path) -> None:
    record = curve("not finite")
    record["first"] = [None] * len(record["first"])  # as JSON has it
    assert save(draw_taylor([record], "broken", "J"), tmp_path / "broken")
    assert save(draw_taylor([record, linear()], "broken", "J"), tmp_path / "two")


def test_same_curve_same_bytes_and_none_is_refused(tmp_path: Path) -> None:
    saved = [save(draw_taylor([curve("right")], "title"), tmp_path / name) for name in ("a", "b")]
    assert [path.read_bytes() for path in saved[0]] == [path.read_bytes() for path in saved[1]]
    with pytest.raises(ValueError, match="no Taylor test"):
        draw_taylor([], "title")
