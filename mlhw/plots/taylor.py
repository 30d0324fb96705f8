"""Taylor tests drawn: both remainders against the step on logarithmic axes, slopes 1 and 2 beside them, rounding below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from mlhw.plots.style import GRID, INK, LARGE, MUTED, NORMAL, SMALL, WRONG, look, new_figure
from mlhw.plots.text import fit, shorten

ZEROTH: Final = "#0072B2"  # blue, circles
FIRST: Final = "#D55E00"  # vermilion, squares
BAND: Final = "#F0EFEA"
COUNTS: Final = 100.0  # a remainder this many times rounding is fitted
_TINY: Final = 1e-300
_FEW: Final = 24  # panels; more of them are smaller
_BETWEEN: Final = 0.28  # inches


def draw_taylor(curves: Sequence[Mapping[str, Any]], title: str, formula: str = "∇f") -> Figure:
    """A figure of Taylor tests as check.json holds them under ``curve``: one large panel, or small ones side by side.

    Args:
        curves: each with ``label``, ``steps``, ``zeroth``, ``first``, ``rounding``, ``slopes``, ``used`` and ``passed``.
        title: what was tested.
        formula: how the derivative is written, ∇f for a gradient or J for a Jacobian.

    Raises:
        ValueError: there is no curve.
    """
    if not curves:
        raise ValueError("no Taylor test to draw")
    with look():
        return _one(curves[0], title, formula) if len(curves) == 1 else _several(curves, title, formula)


def _names(formula: str) -> tuple[str, str]:
    if formula == "J":
        return "‖f(w + εd) − f(w)‖", "‖f(w + εd) − f(w) − εJd‖"
    return "|f(w + εd) − f(w)|", "|f(w + εd) − f(w) − ε dᵀ∇f|"


def _one(curve: Mapping[str, Any], title: str, formula: str) -> Figure:
    width, height = 7.6, 5.0
    figure = new_figure(width, height)
    axes = figure.add_axes((0.78 / width, 0.62 / height, (width - 1.0) / width, (height - 1.25) / height))
    low, high = _limits([curve])
    _panel(axes, curve, low, high, 5.0)
    text, size = fit(title, (width - 0.9) * 72, LARGE, NORMAL, 1, bold=True)
    figure.text(0.12 / width, 1 - 0.3 / height, text, size=size, weight="bold", va="center", color=INK)
    axes.set_xlabel("ε, halved twenty times")
    axes.set_ylabel("remainder")
    _references(axes, curve, low, high)
    zeroth, first = curve["slopes"]
    slopes = (zeroth, "exact to rounding" if first is None and curve["passed"] else first)
    axes.legend(handles=_keys(formula, slopes), loc="upper left", handlelength=1.6, labelspacing=0.55)
    return figure


def _several(curves: Sequence[Mapping[str, Any]], title: str, formula: str) -> Figure:
    most, panel_size = (4, (2.1, 1.55)) if len(curves) <= _FEW else (6, (1.62, 1.3))
    columns = min(most, len(curves))
    rows = -(-len(curves) // columns)
    wide, high = panel_size[0] + _BETWEEN, panel_size[1] + 0.42
    width, above, below, left = max(7.2, 0.62 + columns * wide + 0.1), 0.62, 0.45, 0.62
    height = above + rows * high + below
    figure = new_figure(width, height)
    bottom, top = _limits(curves)
    panel = (width - 0.1 - left) / columns - _BETWEEN
    for number, curve in enumerate(curves):
        row, column = divmod(number, columns)
        x, y = left + column * (panel + _BETWEEN), below + (rows - 1 - row) * high
        axes = figure.add_axes((x / width, y / height, panel / width, panel_size[1] / height))
        _panel(axes, curve, bottom, top, 2.6)
        _caption(axes, curve, panel, panel_size[1])
        if column:
            axes.tick_params(labelleft=False)
        if number + columns < len(curves):
            axes.tick_params(labelbottom=False)
        else:
            axes.set_xlabel("ε", labelpad=1)
    text, size = fit(title, (width - 0.3) * 72, LARGE, NORMAL, 1, bold=True)
    figure.text(0.12 / width, 1 - 0.24 / height, text, size=size, weight="bold", va="center", color=INK)
    figure.legend(
        handles=_keys(formula, (None, None)),
        loc="upper left",
        bbox_to_anchor=(0.05 / width, 1 - 0.36 / height),
        ncols=3,
        handlelength=1.5,
        columnspacing=1.5,
    )
    return figure


def _limits(curves: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The lowest and highest value worth showing: from a tenth of rounding to the largest remainder."""
    rounding = np.concatenate([np.asarray(curve["rounding"], float) for curve in curves])
    values = np.concatenate([np.asarray(curve["zeroth"], float) for curve in curves])
    values = values[np.isfinite(values) & (values > 0)]
    high = float(values.max()) if len(values) else 1.0
    low = float(rounding[np.isfinite(rounding) & (rounding > 0)].min(initial=high))
    return max(low / 30.0, _TINY), high * 8.0


def _panel(axes: Axes, curve: Mapping[str, Any], low: float, high: float, size: float) -> None:
    """Both remainders over a band of rounding; filled marks are those that the slopes were fitted to."""
    steps, rounding = np.asarray(curve["steps"], float), np.asarray(curve["rounding"], float)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(steps.min() / 1.6, steps.max() * 1.6)
    axes.set_ylim(low, high)
    ends = np.concatenate([[steps[0] * 2.0], steps, [steps[-1] / 2.0]])
    level = np.concatenate([rounding[:1], rounding, rounding[-1:]])
    axes.fill_between(ends, _TINY, COUNTS * level, color=BAND, linewidth=0, zorder=0)
    axes.fill_between(ends, _TINY, level, color=GRID, linewidth=0, zorder=0.5)
    for key, colour, marker, used in (
        ("zeroth", ZEROTH, "o", curve["used"][0]),
        ("first", FIRST, "s", curve["used"][1]),
    ):
        values = np.asarray([np.nan if value is None else value for value in curve[key]], float)
        values = np.where(values > 0, np.maximum(values, low * 1.15), low * 1.15)  # a remainder of 0 lies on the floor
        values[~np.isfinite(np.asarray([np.nan if v is None else v for v in curve[key]], float))] = np.nan
        axes.plot(steps, values, color=colour, linewidth=0.9, zorder=2)
        mask = np.asarray(used, bool)
        plain: dict[str, Any] = {
            "linestyle": "",
            "marker": marker,
            "markersize": size,
            "markeredgecolor": colour,
            "zorder": 3,
        }
        axes.plot(steps[~mask], values[~mask], markerfacecolor="white", markeredgewidth=0.9, **plain)
        axes.plot(steps[mask], values[mask], markerfacecolor=colour, markeredgewidth=0.9, **plain)
    _ticks(axes, low, high)


def _ticks(axes: Axes, low: float, high: float) -> None:
    """Powers of ten, as many as can be read."""
    for axis, (first, last), most in ((axes.xaxis, axes.get_xlim(), 6), (axes.yaxis, (low, high), 7)):
        powers = np.arange(np.ceil(np.log10(first)), np.floor(np.log10(last)) + 1)
        every = int(np.ceil(len(powers) / most)) or 1
        axis.set_major_locator(FixedLocator([10.0**power for power in powers if power % every == 0]))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
    axes.tick_params(length=2.5)


def _power(value: float) -> str:
    """``1``, ``0.1``, or ten with its exponent raised."""
    exponent = round(float(np.log10(value)))
    if -1 <= exponent <= 1:
        return f"{value:g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _references(axes: Axes, curve: Mapping[str, Any], low: float, high: float) -> None:
    """Lines of slope exactly 1 and 2 beside the points, where there is a slope to compare, and what the band means."""
    steps = np.asarray(curve["steps"], float)
    for order, (key, side) in enumerate((("zeroth", 3.2), ("first", 1 / 3.2)), start=1):
        mask = np.asarray(curve["used"][order - 1], bool)
        if not mask.any():
            continue
        anchor = int(np.flatnonzero(mask)[len(np.flatnonzero(mask)) // 2])
        ends = np.array([steps[mask].min(), steps[mask].max() * 8])
        values = side * float(curve[key][anchor]) * (ends / steps[anchor]) ** order
        axes.plot(ends, values, color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1.5)
        at = np.sqrt(ends[0] * ends[1])
        value = side * float(curve[key][anchor]) * (at / steps[anchor]) ** order
        shift = (-6, 5) if order == 1 else (7, -4)
        axes.annotate(
            f"slope {order}",
            (at, value),
            shift,
            textcoords="offset points",
            size=SMALL,
            color=MUTED,
            ha="right" if order == 1 else "left",
            va="bottom" if order == 1 else "top",
        )
    floor = float(np.median(np.asarray(curve["rounding"], float)))
    at = (steps.max() * 1.35, floor * COUNTS**0.5)
    if low < floor and at[1] < high:
        axes.annotate("too near rounding to count", at, size=SMALL, color=MUTED, ha="right", va="center")
        axes.annotate(
            "rounding", (at[0], float(np.sqrt(low * floor))), size=SMALL, color=MUTED, ha="right", va="center"
        )


def _caption(axes: Axes, curve: Mapping[str, Any], wide: float, tall: float) -> None:
    """The name of a panel of ``wide`` × ``tall`` inches, and its slopes."""
    label = shorten(str(curve["label"]), wide * 72, SMALL)
    axes.set_title(label, size=SMALL, pad=4, color=INK if curve["passed"] else WRONG)
    zeroth, first = curve["slopes"]
    words = "exact to rounding" if first is None else f"slope {first:.2f}"
    colour = FIRST if curve["passed"] else WRONG
    low = 0.3
    high = low + SMALL * 1.3 / 72 / tall
    axes.text(0.97, high, "" if zeroth is None else f"slope {zeroth:.2f}", **_inside(axes, ZEROTH))
    axes.text(0.97, low, words, **_inside(axes, colour))


def _inside(axes: Axes, colour: str) -> dict[str, Any]:
    return {"transform": axes.transAxes, "size": SMALL, "color": colour, "va": "center", "ha": "right"}


def _keys(formula: str, slopes: Sequence[float | str | None]) -> list[Line2D]:
    """The legend: both remainders with their slopes, and what a hollow mark is."""
    keys = []
    rows = zip(_names(formula), (ZEROTH, FIRST), ("o", "s"), slopes, strict=True)
    for name, colour, marker, slope in rows:
        said = "" if slope is None else f"   slope {slope:.3f}" if isinstance(slope, float) else f"   {slope}"
        keys.append(Line2D([], [], color=colour, marker=marker, markersize=5, linewidth=0.9, label=name + said))
    hollow: dict[str, Any] = {"marker": "o", "markersize": 5, "markerfacecolor": "white", "linestyle": ""}
    hollow["markeredgecolor"] = MUTED
    return [*keys, Line2D([], [], label="hollow: not in the fit", **hollow)]
