"""Laws of the learning curves: every row drawn once, every text inside and free, the same bytes from the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mlhw.plots.curves import Curves, draw_curves
from mlhw.plots.style import RUN_COLOURS, save
from mlhw.protocols import EpochRow

Faults = Callable[[Figure], list[str]]
NASTY = "$\\alpha_1$ <script>&amp;</script> " + "a-very-long_name " * 20


def run(
    epochs: int, label: str = "mlp-mnist", pace: float = 0.3, splits: str = "train val", end: bool = True
) -> Curves:
    """A made-up run: exponential losses, ``splits`` each epoch, and at the ``end`` one test row."""
    rows = []
    for epoch in range(1, epochs + 1):
        loss = 2.3 * math.exp(-pace * epoch) + 0.05
        rows += [EpochRow(epoch, s, loss + 0.02 * k, 1 - loss / 3, 0.1, 1.0) for k, s in enumerate(splits.split())]
    best = max(1, epochs * 3 // 4)
    return Curves(label, [*rows, EpochRow(best, "test", 0.2, 0.93, 0.1, 1.0)] if end else rows, best)


def rows_of(values: list[float], split: str = "train") -> list[EpochRow]:
    return [EpochRow(epoch, split, value, 0.5, 0.1, 1.0) for epoch, value in enumerate(values, start=1)]


def lines(figure: Figure, panel: int) -> dict[str, Line2D]:
    return {str(line.get_gid()): line for line in figure.axes[panel].lines if "-" in str(line.get_gid())}


def texts(figure: Figure, gid: str, panel: int = 0) -> list[str]:
    return [text.get_text() for text in figure.axes[panel].texts if text.get_gid() == gid]


CASES: dict[str, list[Curves]] = {
    "one": [run(30)],
    "one epoch": [run(1)],
    "two epochs": [run(2)],
    "thousand epochs": [run(1000, pace=0.01, splits="train val test", end=False)],
    "train alone": [run(10, splits="train", end=False)],
    "test alone": [run(0)],
    "long name": [run(5, NASTY)],
    "no letters": [run(5, "")],
    "constant": [Curves("constant", rows_of([0.7] * 9) + rows_of([0.7] * 9, "val"), 9)],
    "zero": [Curves("zero", rows_of([0.0] * 3), None)],
    "decades": [Curves("decades", rows_of([10.0**-e for e in range(12)]), 12)],
    "huge": [Curves("huge", rows_of([1e300, 1.0, 1e-300]), 1)],
    "huge and negative": [Curves("huge", rows_of([1e30, 1.0, -1e30]), 1)],
    "gaps": [Curves("gaps", rows_of([3.0, math.nan, 2.0, math.inf, -math.inf, 1.0, 0.9, math.nan]), 2)],
    "nothing finite": [Curves("nan", rows_of([math.nan] * 3), 1)],
    "no rows": [Curves("empty", [], None)],
    "two runs": [run(20, "lr = 0.1"), run(10, "lr = 0.01", pace=0.1)],
    "long labels": [run(8, NASTY + str(i)) for i in range(3)],
    "ten runs": [run(40, f"_lr = {i}", pace=0.02 * i) for i in range(10)],
    "twenty runs": [run(12, f"seed = {i}", splits="train val test", end=False) for i in range(20)],
    "forty runs": [run(5, f"seed = {i}") for i in range(40)],
    "best differs": [Curves("a", run(9).rows, None), Curves("b", run(9).rows, 400)],
}


@pytest.mark.parametrize("name", CASES)
def test_every_text_is_inside_and_free(name: str, text_faults: Faults) -> None:
    figure = draw_curves(CASES[name])
    assert text_faults(figure) == []
    assert figure.get_figwidth() <= 12
    assert figure.get_figheight() <= 12


@pytest.mark.parametrize("name", CASES)
def test_one_line_a_run_and_split(name: str) -> None:
    figure = draw_curves(CASES[name])
    expected = {(number, row.split) for number, run in enumerate(CASES[name]) for row in run.rows}
    for panel, quantity in enumerate(("loss", "accuracy")):
        assert set(lines(figure, panel)) == {f"{quantity}-{split}-{number}" for number, split in expected}


def test_a_line_holds_the_rows() -> None:
    line = lines(draw_curves([run(5)]), 0)["loss-train-0"]
    values = [row.loss for row in run(5).rows if row.split == "train"]
    assert np.array_equal(line.get_xdata(), [1, 2, 3, 4, 5])
    assert np.array_equal(line.get_ydata(), values)


def test_single_rows_and_lone_points_are_marked() -> None:
    figure = draw_curves(CASES["gaps"])
    assert lines(figure, 0)["loss-train-0"].get_markevery() == [0, 2, 5, 6]  # few points: all that are finite
    gap = rows_of([1.0] * 20 + [math.nan, 1.0, math.nan] + [1.0] * 20)
    assert lines(draw_curves([Curves("gap", gap, None)]), 0)["loss-train-0"].get_markevery() == [21]
    assert lines(draw_curves([run(30)]), 0)["loss-test-0"].get_markevery() == [0]


def test_the_reported_values_stand_at_the_ends_and_have_a_ring() -> None:
    rows = rows_of([3.0, 0.25, 0.1]) + rows_of([3.0, 0.5, 0.9], "val") + [EpochRow(2, "test", 0.7, 0.5, 0.1, 1.0)]
    figure = draw_curves([Curves("a", rows, 2)])
    assert sorted(texts(figure, "end")) == ["test 0.7", "train 0.25", "val 0.5"]
    assert texts(figure, "head") == ["epoch 2"]
    rings = [(*line.get_xdata(), *line.get_ydata()) for line in figure.axes[0].lines if line.get_gid() == "best"]
    assert rings == [(2, 0.25), (2, 0.5), (2, 0.7)]
    two = draw_curves([Curves("a", rows, 2), Curves("b", rows, 3)])
    assert (sorted(texts(two, "end")), texts(two, "head")) == (["0.5", "0.9"], ["reported val"])
    mixed, running = (
        draw_curves([Curves("a", rows, 2), Curves("b", rows, None)]),
        draw_curves([Curves("a", rows, None)]),
    )
    assert texts(mixed, "head") == ["reported or last val"]
    assert (sorted(texts(running, "end")), texts(running, "head")) == (["test 0.7", "train 0.1", "val 0.9"], ["last"])


def test_the_last_values_stand_at_the_ends() -> None:
    rows = rows_of([3.0, 0.25]) + rows_of([3.0, 0.5], "val") + rows_of([3.0, math.nan], "test")
    figure = draw_curves([Curves("a", rows, 2)])
    assert sorted(texts(figure, "end")) == ["test not finite", "train 0.25", "val 0.5"]
    assert sorted(texts(figure, "end", 1)) == ["test 50.0 %", "train 50.0 %", "val 50.0 %"]
    assert texts(figure, "best-label") == ["best epoch 2"]


def test_the_loss_axis_is_logarithmic_only_over_decades() -> None:
    scales = {name: draw_curves(CASES[name]).axes[0].get_yscale() for name in ("one", "decades", "zero", "constant")}
    assert scales == {"one": "linear", "decades": "log", "zero": "linear", "constant": "linear"}


def test_several_runs_differ_by_colour_and_splits_by_dashes() -> None:
    figure = draw_curves(CASES["ten runs"])
    drawn = lines(figure, 0)
    assert {drawn[f"loss-val-{i}"].get_color() for i in range(10)} == set(RUN_COLOURS)
    for i in range(10):
        assert drawn[f"loss-val-{i}"].get_color() == drawn[f"loss-train-{i}"].get_color()
        assert drawn[f"loss-val-{i}"].get_linestyle() != drawn[f"loss-train-{i}"].get_linestyle()
    runs, splits = figure.legends
    assert [text.get_text() for text in runs.get_texts()] == [run.label for run in CASES["ten runs"]]
    assert [text.get_text() for text in splits.get_texts()] == ["train", "val", "test (scored once)", "best epoch"]


def test_same_rows_same_bytes(tmp_path: Path) -> None:
    saved = [save(draw_curves(CASES["two runs"]), tmp_path / name) for name in ("a", "b")]
    assert [path.read_bytes() for path in saved[0]] == [path.read_bytes() for path in saved[1]]


def test_no_run_is_refused() -> None:
    with pytest.raises(ValueError, match="no run"):
        draw_curves([])
