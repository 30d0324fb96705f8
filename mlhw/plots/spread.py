"""The results of a sweep: one row a variant, a mark for every run, mean and spread beside it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mlhw.plots.style import INK, LARGE, MUTED, NORMAL, SMALL, SPLIT_STYLES, look, new_figure
from mlhw.plots.text import fit, shorten, text_width

_ROW: Final = 0.46  # inches
_AXES: Final = 4.2
_NUMBERS: Final = 1.55
_LONGEST: Final = 2.4
_MARGIN: Final = 0.12


def draw_spread(values: Mapping[str, Mapping[str, Sequence[float]]], title: str = "") -> Figure:
    """A figure of accuracies: ``values[variant][split]`` holds one a run; the last split's mean ± sd stands at the side,
    ``title`` above all.

    A mark is a run; the bar goes one sample standard deviation to both sides of the mean.
    """
    splits = list(next(iter(values.values())))
    with look():
        names = [shorten(name, _LONGEST * 72, NORMAL) for name in values]
        left = max(text_width(name, NORMAL) for name in names) / 72 + 0.3
        width = left + _AXES + _NUMBERS
        heading, size = fit(title, (width - 2 * _MARGIN) * 72, LARGE, SMALL, 2, bold=True) if title else ("", LARGE)
        head = (heading.count("\n") + 1) * size * 1.25 / 72 + 0.1 if title else 0.0
        height = _ROW * len(names) + 1.05 + head
        figure = new_figure(width, height)
        axes = figure.add_axes((left / width, 0.55 / height, _AXES / width, _ROW * len(names) / height))
        for row, by_split in enumerate(values.values()):
            for at, split in enumerate(splits):
                _draw_row(axes, row + 0.16 * (at - (len(splits) - 1) / 2), by_split[split], split)
            axes.text(
                1.03, row, _said(by_split[splits[-1]]), transform=axes.get_yaxis_transform(), va="center", color=INK
            )
        figure.text(_MARGIN / width, 1 - 0.1 / height, heading, size=size, weight="bold", va="top", linespacing=1.2)
        axes.set_yticks(range(len(names)), names, size=NORMAL)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}"))
        axes.set_xlabel("accuracy, %")
        figure.text(
            (left + _AXES) / width + 0.03 * _AXES / width,
            1 - (0.3 + head) / height,
            f"{splits[-1]}, mean ± sd (n)",
            color=MUTED,
        )
        figure.legend(
            handles=[
                Line2D([], [], color=SPLIT_STYLES[s].colour, marker=SPLIT_STYLES[s].marker, linestyle="none", label=s)
                for s in splits
            ],
            loc="upper left",
            bbox_to_anchor=(left / width, 1 - head / height),
            ncols=len(splits),
            handletextpad=0.1,
        )
    return figure


def _draw_row(axes: Axes, at: float, values: Sequence[float], split: str) -> None:
    style = SPLIT_STYLES[split]
    if len(values) > 1:
        mean, deviation = statistics.fmean(values), statistics.stdev(values)
        axes.plot([mean - deviation, mean + deviation], [at, at], color=style.colour, linewidth=2.2, alpha=0.45)
        axes.plot([mean, mean], [at - 0.09, at + 0.09], color=style.colour, linewidth=2.0)
    axes.plot(
        values,
        [at] * len(values),
        style.marker,
        color=style.colour,
        markersize=4.5,
        alpha=0.85,
        markeredgewidth=0,
        gid="run",
    )


def _said(values: Sequence[float]) -> str:
    """``97.31 ± 0.05 % (5)``; without a spread where there is one value."""
    mean = 100 * statistics.fmean(values)
    if len(values) == 1:
        return f"{mean:.2f} % (1)"
    return f"{mean:.2f} ± {100 * statistics.stdev(values):.2f} % ({len(values)})"
