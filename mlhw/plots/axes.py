"""Axes with plain ticks: whole epochs, losses on a linear or logarithmic scale, accuracies in percent."""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from mlhw.plots.style import MUTED, SMALL

LOG_RATIO: Final = 50.0  # a loss whose largest value is more than this many times its smallest gets a logarithmic axis
_DEEPEST: Final = 1e7  # what is smaller than the largest loss by more lies below the axis
_PAD: Final = 0.05  # of the span, above and below
_MOST: Final = 1e200  # the ticks of an axis that goes further overflow
_LEAST_SPAN: Final = 1e-3  # of the value: %g shows six digits, so a narrower axis would repeat its labels


def scale_epochs(axes: Axes, first: int, last: int) -> None:
    """Set the x axis to whole epochs from ``first`` to ``last``, with a little room on both sides."""
    room = max(0.02 * (last - first), 0.5 if first == last else 0.06)
    axes.set_xlim(first - room, last + room)
    axes.xaxis.set_major_locator(
        FixedLocator([first]) if first == last else MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10])
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.set_xlabel("epoch")


def scale_values(axes: Axes, values: Float[np.ndarray, " values"], quantity: str) -> None:
    """Set the y axis for ``values`` (values,) of ``quantity``, "loss" or "accuracy"; those not finite do not count."""
    finite = np.clip(values[np.isfinite(values)], -_MOST, _MOST)
    if not len(finite):
        axes.set_ylim(0.0, 1.0)
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", color=MUTED, size=SMALL)
        return
    low, high = float(finite.min()), float(finite.max())
    if quantity == "loss" and low >= 0 and high > 0:
        foot = max(float(finite[finite > 0].min()), high / _DEEPEST, 1 / _MOST)  # a loss may be 0, or all but
        if high / foot > LOG_RATIO:
            _scale_log(axes, foot, high)
            return
    room = max(_PAD * (high - low), _LEAST_SPAN * max(abs(low), abs(high)), 1e-9)
    if quantity == "accuracy":
        axes.set_ylim(max(low - max(room, 0.004), -0.02), min(high + max(room, 0.004), 1.02))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100 * value, 6) + 0.0:.5g}"))
    else:
        axes.set_ylim(low - room, high + room)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value, 12) + 0.0:.6g}"))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))


def _scale_log(axes: Axes, low: float, high: float) -> None:
    axes.set_yscale("log")
    room = 10.0 ** max(_PAD * (np.log10(high) - np.log10(low)), 0.04)
    axes.set_ylim(low / room, high * room)
    steps = (1.0, 2.0, 5.0) if high / low < 1e3 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=10))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def within(axes: Axes, value: float) -> bool:
    """Whether ``value`` lies on the y axis: what is not clipped would stand outside of the panel."""
    low, high = axes.get_ylim()
    return low <= value <= high


def percent(share: float) -> str:
    """``share`` as a percentage; "100 %" only where it is all, "0 %" only where it is none."""
    if not np.isfinite(share):
        return "? %"
    if 0.99 < share < 1:
        return f"{min(100 * share, 99.99):.2f} %"
    return f"{100 * share:.1f} %" if 0 < share < 1 else f"{100 * share:.0f} %"
