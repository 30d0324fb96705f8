"""The axes of a learning-rate sweep: losses of which some explode, and rates over many powers of ten."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from mlhw.plots.axes import LOG_RATIO, scale_values
from mlhw.plots.style import SMALL
from mlhw.plots.text import text_width

LOG_FROM: Final = 10.0
"""Largest by smallest loss from which the axis is logarithmic: less than for single runs (``axes.LOG_RATIO``), since here
the best rates lie close together at the foot of an axis that the worst one stretches."""

ROOM: Final = 10.0
"""How many times what is ordinary the loss axis goes up to at most: one power of ten, so that the others stay readable."""

_TICKED: Final = 0.88  # of the axis lies between the smallest and the largest rate


def top_of(values: Sequence[Float[np.ndarray, " epochs"]]) -> float:
    """The largest loss that an axis should show: up to ``ROOM`` times what is ordinary; infinity where all is.

    Ordinary is the larger of two maxima: that of the curve which ends lowest, and the median curve's. So neither one
    curve that explodes nor a majority of such can flatten the others.
    """
    some = [line[np.isfinite(line)] for line in values]
    some = [line for line in some if len(line)]
    if not some:
        return float("inf")
    lowest = min(some, key=lambda line: line[-1])
    ordinary = max(float(lowest.max()), float(np.median([line.max() for line in some])))
    limit = ROOM * ordinary
    below = [float(line[line <= limit].max()) for line in some if (line <= limit).any()]
    return float("inf") if all(line.max() <= limit for line in some) or ordinary <= 0 else max(below)


def scale_losses(axes: Axes, values: Float[np.ndarray, " values"]) -> None:
    """Set the y axis for losses (values,), logarithmic from ``LOG_FROM`` on."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    scale_values(axes, values, "loss")
    if not (low > 0 and LOG_FROM < high / low <= LOG_RATIO):
        return
    room = (high / low) ** 0.05
    axes.set_yscale("log")
    axes.set_ylim(low / room, high * room)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=10))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def rate_ticks(axis: Any, rates: Sequence[float], names: Sequence[str] = (), length: float = 0.0) -> None:
    """Put ticks on a logarithmic ``axis``: at the rates, with those of their ``names`` that fit in ``length`` inches.

    Without names at powers of ten or, over a short range, at finer steps.
    """
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    span = math.log10(max(rates)) - math.log10(min(rates))
    if not names:
        fine = 0.5 if span > 0.2 else 0.1
        steps = (1.0,) if span >= 2 else (1.0, 2.0, 5.0) if span > 0.7 else np.arange(1.0, 10.0, fine).round(1).tolist()
        axis.set_major_locator(LogLocator(subs=steps, numticks=9))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        return
    said, free = [], -math.inf
    for rate, name in zip(rates, names, strict=True):
        middle = (math.log10(rate) - math.log10(rates[0])) / (span or 1.0) * _TICKED * length * 72
        half = text_width(name, SMALL) / 2 + 2.5
        said.append(name if middle - half >= free else "")
        free = middle + half if said[-1] else free
    axis.set_major_locator(FixedLocator(list(rates)))
    axis.set_major_formatter(FuncFormatter(lambda value, at: said[at] if at is not None and at < len(said) else ""))
