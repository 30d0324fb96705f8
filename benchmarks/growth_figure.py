"""Cost against size, a panel for each law, on logarithmic axes with the fitted line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from benchmarks.growth import Law
from mlhw.plots import style

Fitted = tuple[Law, Sequence[int], Sequence[Sequence[float]], float]


def draw(laws: Mapping[str, Fitted], path_without_suffix: Path) -> list[Path]:
    """Write the figure as PNG and SVG; each law with its sizes, the seconds measured at each, and the slope."""
    columns = min(4, len(laws))
    lines = math.ceil(len(laws) / columns)
    with style.look():
        figure = style.new_figure(2.9 * columns, 2.7 * lines)
        for number, (name, fitted) in enumerate(laws.items()):
            _panel(figure.add_subplot(lines, columns, number + 1), name, fitted)
        figure.tight_layout(h_pad=1.6, w_pad=1.4)
        return style.save(figure, path_without_suffix)


def _panel(axes: Any, name: str, fitted: Fitted) -> None:
    law, sizes, seconds, steep = fitted
    middles = [median(times) for times in seconds]
    colour = style.RUN_COLOURS[0]
    axes.set_xscale("log")
    axes.set_yscale("log")
    centre_x, centre_y = (math.exp(sum(map(math.log, values)) / len(values)) for values in (sizes, middles))
    line = [centre_y * (size / centre_x) ** steep for size in sizes]
    axes.plot(sizes, line, color=style.MUTED, linewidth=1.2, linestyle=(0, (4, 2)))
    axes.vlines(
        sizes, [min(times) for times in seconds], [max(times) for times in seconds], color=colour, linewidth=1.2
    )
    axes.plot(sizes, middles, color=colour, marker="o", markersize=4.5, linestyle="none")
    axes.set_title(name)
    axes.set_xlabel(law.unit)
    axes.set_ylabel("seconds")
    side, where = ("left", 0.05) if steep > 0 else ("right", 0.95)  # the line's empty corner
    words = f"slope {steep:.2f}".replace("-", "−")
    axes.text(where, 0.93, words, transform=axes.transAxes, ha=side, va="top", color=style.INK)
    axes.xaxis.set_major_locator(FixedLocator(list(sizes)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, place: f"{size:,.0f}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(FixedLocator(_ticks(min(map(min, seconds)), max(map(max, seconds)))))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda second, place: f"{second:g}"))
    low, high = min(*line, *map(min, seconds)), max(*line, *map(max, seconds))
    axes.set_ylim(low / 1.5, high * 2.2)  # room above for the slope
    axes.set_xlim(sizes[0] / 1.4, sizes[-1] * 1.4)


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten about the range; fewer where it is wide."""
    steps = (1, 2, 5) if high / low < 30 else (1,)
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    return [step * 10.0**power for power in powers for step in steps if low / 1.5 <= step * 10.0**power <= high * 2.2]
