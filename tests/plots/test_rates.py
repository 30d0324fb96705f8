"""Laws of the figures of a sweep: every run is on them, those that were lost too, and every text is inside and free."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mlhw.plots.bands import draw_bands
from mlhw.plots.curves import Curves, draw_curves
from mlhw.plots.final import draw_final
from mlhw.plots.rate_axes import scale_losses, top_of
from mlhw.plots.rate_marks import colours
from mlhw.plots.rates import NAMED, draw_rates
from mlhw.plots.style import SPLIT_STYLES, new_figure, save
from mlhw.plots.swept import Curve, best_of, by_rate, measured_on, rate_names
from tests.plots.rates_made import INF, KILLED, TITLES, Faults, curve, legends, lines, rates, rows, sweep, texts


@functools.cache
def drawn_rates(name: str) -> Figure:
    """The figure of a case, drawn once for all the tests that only look at it."""
    return draw_rates(CASES[name], TITLES[len(name) % 2])


@functools.cache
def drawn_final(name: str) -> Figure:
    return draw_final(CASES[name], TITLES[len(name) % 2])


EXPLODED = Curve("lr 99", 99.0, rows([2e4, 3e4, 1e30]) + rows([1e4, 2e4, 1e29], "val"))
CASES: dict[str, list[Curve]] = {
    **{f"{count} rates": sweep(count, dead=count // 6) for count in (1, 3, 8, 12, 64)},
    "one epoch": [curve(lr, 1) for lr in rates(3)],
    "all diverged at once": sweep(3, dead=1)[2:],
    "diverged and failed": [curve(0.1), curve(1.0, 2, INF), curve(10.0, 0, KILLED)],
    "not finite": [curve(0.1), Curve("lr 1", 1.0, rows([2.0, math.nan]))],
    "one explodes": [curve(0.1), curve(1.0), EXPLODED],
    "two curves held out": [curve(lr, splits="train val test", end=False) for lr in (0.1, 1.0)],
    "nearly equal": [curve(0.1 + 1e-4 * k) for k in range(12)],
    "equal rates": [Curve(f"seed {k}", 0.1, curve(0.1).rows) for k in range(3)],
    "huge rates": [curve(lr) for lr in (1e-9, 1e-8, 1e9)],
}


@pytest.mark.parametrize("drawn", [drawn_rates, drawn_final])
@pytest.mark.parametrize("name", CASES)
def test_every_text_is_inside_and_free(name: str, drawn: Callable[[str], Figure], text_faults: Faults) -> None:
    figure = drawn(name)
    assert text_faults(figure) == []
    assert figure.get_figwidth() <= 12


@pytest.mark.parametrize("name", CASES)
def test_each_run_has_its_line_and_each_lost_one_its_mark(name: str) -> None:
    ordered = by_rate(CASES[name])
    expected = {f"{s}-{at}" for at, one in enumerate(ordered) for s in ("train", "val", "test") if one.of(s)}
    lost = {f"lost-{at}" for at, one in enumerate(ordered) if one.why_lost}
    figure = drawn_rates(name)
    for panel, quantity in enumerate(("loss", "accuracy")):
        assert {gid.removeprefix(f"{quantity}-") for gid in lines(figure, panel, quantity)} == expected
        marks = lines(figure, panel, "lost-")
        assert set(marks) == lost
        for gid, mark in marks.items():
            one = ordered[int(gid.removeprefix("lost-"))]
            assert list(mark.get_xdata()) == [one.lost_at]
            assert list(mark.get_ydata()) == [figure.axes[panel].get_ylim()[1 - panel]]


@pytest.mark.parametrize("name", CASES)
def test_the_final_figure_has_every_rate(name: str) -> None:
    figure = drawn_final(name)
    for panel in range(2):
        drawn = [line for gid in ("diverged", "failed") for line in lines(figure, panel, gid).values()]
        marked = sorted(float(x) for line in drawn for x in np.asarray(line.get_xdata()))
        assert marked == sorted(one.lr for one in CASES[name] if one.why_lost)
        trained = lines(figure, panel, ("loss-train", "accuracy-train")[panel])
        finished = [one.lr for one in by_rate(CASES[name]) if not one.why_lost]
        assert not finished or list(next(iter(trained.values())).get_xdata()) == finished
        low, high = figure.axes[panel].get_ylim()
        assert all(low <= y <= high for line in drawn for y in np.asarray(line.get_ydata()))


def test_the_order_of_the_curves_does_not_matter() -> None:
    for draw in (draw_rates, draw_final):
        one, other = draw(sweep(4)), draw(sweep(4)[::-1])
        for panel in range(2):
            pairs = zip(one.axes[panel].lines, other.axes[panel].lines, strict=True)
            assert all(np.array_equal(a.get_xydata(), b.get_xydata(), equal_nan=True) for a, b in pairs)
        assert legends(one) == legends(other)
        assert texts(one, "rate") == texts(other, "rate")


def test_the_same_curves_give_the_same_bytes(tmp_path: Path) -> None:
    pictures = [save(draw_final(sweep(2)), tmp_path / "a", ("svg",))[0].read_bytes() for _ in range(2)]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("kind", ["one run", "two runs", "rates", "final", "bands"])
def test_on_every_figure_a_split_has_the_same_dashes(kind: str) -> None:
    three = [curve(lr, splits="train val test", end=False) for lr in (0.1, 1.0)]
    runs = [Curves(one.label, list(one.rows), one.best_epoch) for one in three]
    figure = {
        "one run": lambda: draw_curves(runs[:1]),
        "two runs": lambda: draw_curves(runs),
        "rates": lambda: draw_rates(three),
        "final": lambda: draw_final(three),
        "bands": lambda: draw_bands({one.label: [one.rows] for one in three}),
    }[kind]()
    plain = {split: Line2D([], [], linestyle=style.dashes) for split, style in SPLIT_STYLES.items()}
    seen = set()
    for axes in figure.axes[:2]:
        for gid, line in ((str(line.get_gid()), line) for line in axes.lines):
            split = next((part for part in gid.split("-") if part in plain), "")
            if split in plain and line.get_linestyle() != "None":
                assert line._unscaled_dash_pattern == plain[split]._unscaled_dash_pattern, gid  # type: ignore[attr-defined]
                seen.add(split)
    assert seen == ({"train", "val"} if kind == "bands" else {"train", "val", "test"})


def test_what_the_dashes_and_marks_mean_is_said() -> None:
    assert legends(drawn_rates("3 rates"))[:3] == ["train", "val", "test (scored once)"]
    assert "diverged" in legends(drawn_rates("8 rates"))
    assert {"diverged", "failed"} <= set(legends(drawn_rates("diverged and failed")))


def test_few_rates_are_named_and_many_have_a_colour_bar() -> None:
    few, many = draw_rates(sweep(NAMED)), draw_rates(sweep(NAMED + 1))
    assert sorted(texts(few, "rate")) == sorted(rate_names(sweep(NAMED)))
    assert (len(few.axes), len(many.axes)) == (2, 3)
    assert texts(many, "rate", 1) == [
        rate_names(sweep(NAMED + 1))[by_rate(sweep(NAMED + 1)).index(best_of(sweep(NAMED + 1))[0])]
    ]
    bar = next(line for line in many.axes[2].lines if line.get_gid() == "bar-lost")
    assert list(bar.get_ydata()) == [one.lr for one in sweep(NAMED + 1) if one.why_lost]


def test_colours_follow_the_rates_and_differ() -> None:
    lightness = [sum(w * int(colour[i : i + 2], 16) for w, i in ((0.3, 1), (0.59, 3), (0.11, 5))) for colour in
                 colours(by_rate(sweep(8)), exact=False)]  # fmt: skip
    assert lightness == sorted(lightness)
    far = [curve(lr) for lr in (0.1, 1.0, 1e12)]
    assert len(set(colours(far, exact=False))) == 3
    assert len(set(colours(CASES["equal rates"], exact=False))) == 3


def test_one_exploding_curve_does_not_flatten_the_others() -> None:
    figure = drawn_rates("one explodes")
    axes = figure.axes[0]
    assert axes.get_ylim()[1] < 30
    assert list(lines(figure, 0, "above")) == ["above-2"]
    assert texts(figure, "note") == ["▲ above the axis: 99, up to 1e+30"]
    assert texts(figure, "rate")[2] == "99"
    assert texts(drawn_rates("3 rates"), "note") == []
    final = drawn_final("one explodes")
    assert list(lines(final, 0, "above")["above"].get_xdata()) == [99.0]


def test_neither_one_explosion_nor_most_of_them_raise_the_axis() -> None:
    calm, wild = np.array([2.0, 1.0, 0.5]), np.array([1e6, 1e9])
    assert top_of([calm, calm, wild]) == 2.0
    assert top_of([calm, 3 * calm]) == math.inf
    assert top_of([np.array([300.0, 0.1]), calm, calm]) == math.inf  # the best of all may start high
    assert top_of([]) == math.inf


def test_the_loss_axis_is_logarithmic_where_the_range_asks_for_it() -> None:
    flat = [Curve("a", lr, rows([2.0, 1.5])) for lr in (0.1, 1.0)]
    assert draw_rates(flat).axes[0].get_yscale() == "linear"
    steep = [Curve("a", 0.1, rows([2.0, 0.1])), Curve("b", 1.0, rows([2.0, 1.5]))]
    assert draw_rates(steep).axes[0].get_yscale() == "log"
    assert draw_rates([Curve("a", 0.1, rows([2.0, 0.0]))]).axes[0].get_yscale() == "linear"


def test_the_best_is_marked_at_its_reported_epoch_and_both_values_are_drawn() -> None:
    early = Curve("b", 1.0, rows([1.0, 0.9, 0.8]) + rows([0.5, 0.2, 0.9], "val"), best_epoch=2)
    late = Curve("a", 0.1, rows([1.0, 0.9, 0.8]) + rows([0.5, 0.4, 0.3], "val"), best_epoch=3)
    figure = draw_final([early, late])
    assert texts(figure, "best-label", 1) == [f"best val: 1, {100 * math.exp(-0.2):.1f} %"]
    ring = lines(figure, 0, "best")["best"]
    assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([1.0], [0.2])
    assert list(lines(figure, 0, "loss-val")["loss-val"].get_ydata()) == [0.3, 0.9]
    assert list(lines(figure, 0, "loss-val-reported")["loss-val-reported"].get_ydata()) == [0.2]
    assert "at the reported epoch" in legends(figure)
    assert "at the reported epoch" not in legends(draw_final([late]))


def test_a_lost_run_breaks_the_line_between_its_neighbours() -> None:
    figure = draw_final([curve(0.1), curve(1.0, 3, INF), curve(10.0)])
    line = lines(figure, 0, "joined-loss-train")["joined-loss-train"]
    assert np.isnan(line.get_ydata()).tolist() == [False, True, False]


@pytest.mark.parametrize("draw", [draw_rates, draw_final])
def test_wrong_curves_are_refused(draw: Callable[[Any], Figure]) -> None:
    with pytest.raises(ValueError, match="at least one learning rate"):
        draw([])
    for lr in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="positive number"):
            draw([Curve("a", lr, rows([1.0]))])


def test_names_are_short_and_differ() -> None:
    assert rate_names([curve(lr) for lr in (1e-5, 0.0125, 10**0.5)]) == ["1e-05", "0.0125", "3.16"]
    assert rate_names([curve(lr) for lr in (0.12345678, 0.12345789)]) == ["0.123457", "0.123458"]
    assert rate_names(CASES["equal rates"]) == ["seed 0", "seed 1", "seed 2"]
    assert rate_names([curve(1e-5 * 1e8 ** (63 / 63))]) == ["1000"]  # the last of log:1e-5:1e3:64 is not quite it


def test_what_a_comparison_is_made_on() -> None:
    assert measured_on([curve(0.1), curve(1.0)]) == "val"
    assert measured_on([curve(0.1), curve(1.0, splits="train")]) == "test"
    assert measured_on([curve(0.1), curve(1.0, splits="train", end=False)]) == "train"
    assert measured_on([curve(0.1), curve(1.0, 0, INF)]) == "val"
    assert measured_on([curve(0.1, 2, INF)]) == ""


def test_a_loss_that_reaches_nothing_keeps_the_others_readable() -> None:
    axes = new_figure(3, 2).add_subplot()
    scale_losses(axes, np.array([8000.0, 10.0, 0.5, 1e-30, 0.0]))
    low, high = axes.get_ylim()
    assert axes.get_yscale() == "log"
    assert 8000 <= high <= 8e5
    assert high * 1e-10 < low < 0.5
