"""Learning curves: loss and accuracy side by side, for one run or several on one figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mlhw.plots.axes import scale_epochs, scale_values
from mlhw.plots.labels import EndLabel, draw_best_epoch, draw_end_labels, end_labels, label_room
from mlhw.plots.series import Curves, Series, held_out, series
from mlhw.plots.style import BEST_MARK, GRID, INK, LARGE, MUTED, NORMAL, SMALL, SPLIT_STYLES, look, new_figure
from mlhw.plots.text import fit, shorten, text_width

__all__ = ["Curves", "draw_curves"]

WIDTH: Final = 10.0  # inches: a page's width, and readable on a slide
PANEL_HEIGHT: Final = 3.1
LEFT, BETWEEN, BELOW, ABOVE = 0.66, 0.66, 0.52, 0.52  # inches around a panel
_LEGEND_LINE: Final = NORMAL * 1.42 / 72  # inches
_KEY: Final = 38.0  # points that a legend entry takes beside its text
_MANY_EPOCHS: Final = 200  # from here on the noise of an epoch is as fine as the line
_MOST_MARKERS: Final = 12  # a line with more points than this gets markers at some of them


def draw_curves(runs: Sequence[Curves]) -> Figure:
    """A figure of loss and accuracy by epoch. One run: colours tell splits; several: colours tell runs, dashes splits.

    At a line's end stands its value at the reported epoch, which has a ring. A split with one row (test, scored once) is a
    point.

    Raises:
        ValueError: there is no run.
    """
    if not runs:
        raise ValueError("no run to draw")
    several = len(runs) > 1
    with look():
        loss, accuracy = series(runs, "loss"), series(runs, "accuracy")
        best = [run.best_epoch for run in runs]
        labels = [end_labels(loss, "loss", best), end_labels(accuracy, "accuracy", best)]
        margin = max(label_room(some, best) for some in labels)
        title, size = ("", LARGE) if several else fit(runs[0].label, (WIDTH - LEFT) * 72, LARGE, SMALL, 2, bold=True)
        columns = _legend_columns(runs)
        above = ABOVE + (0.35 if several else 0.1 + (title.count("\n") + 1) * size * 1.25 / 72)
        below = BELOW + (0.1 + _LEGEND_LINE * -(-len(runs) // columns) if several else 0.0)
        height = above + PANEL_HEIGHT + below
        panel = (WIDTH - LEFT - BETWEEN - 2 * margin) / 2
        figure = new_figure(WIDTH, height)
        for place, (quantity, lines) in enumerate((("loss", loss), ("accuracy", accuracy))):
            left = LEFT + place * (panel + margin + BETWEEN)
            axes = figure.add_axes((left / WIDTH, below / height, panel / WIDTH, PANEL_HEIGHT / height))
            _draw_panel(axes, quantity, lines, labels[place], best)
        if several:
            _add_legends(figure, runs, loss, columns)
        else:
            figure.text(LEFT / WIDTH, 1 - 0.1 / height, title, size=size, weight="bold", va="top", linespacing=1.2)
    return figure


def _draw_panel(axes: Axes, quantity: str, lines: list[Series], labels: list[EndLabel], best: list[int | None]) -> None:
    """Draw the lines of one quantity, then what is written about them."""
    epochs = np.concatenate([line.epochs for line in lines]) if lines else np.ones(1, int)
    scale_epochs(axes, int(epochs.min()), int(epochs.max()))
    scale_values(axes, np.concatenate([line.values for line in lines]) if lines else np.zeros(0), quantity)
    axes.set_title("Loss" if quantity == "loss" else "Accuracy (%)", pad=18)
    for line in lines:
        style = SPLIT_STYLES[line.split]
        axes.add_line(
            Line2D(
                line.epochs,
                np.where(np.isfinite(line.values), line.values, np.nan),
                color=line.colour,
                linestyle=style.dashes,
                linewidth=style.width * (1.0 if len(line.epochs) <= _MANY_EPOCHS else 0.65),
                marker=line.marker,
                markersize=7 if line.is_point else 4,
                markevery=_marked(line),
                markeredgecolor=INK if line.is_point and line.several else "white",
                markeredgewidth=1.0 if line.is_point else 0.5,
                alpha=0.7 if line.several and line.split == "train" else 1.0,
                gid=f"{quantity}-{line.split}-{line.run}",
                zorder=3 if line.is_point else 2,
            )
        )
    draw_best_epoch(axes, held_out(lines) if len(best) > 1 else lines, best)
    draw_end_labels(axes, labels, best)


def _marked(line: Series) -> list[int]:
    """The points that get a marker: those without a neighbour, which have no line, and where they are few, all.

    A long line among several gets a few, at other places than the next run's: that is how grey print tells them apart.
    """
    finite = np.isfinite(line.values)
    alone = finite & ~np.append(finite[1:], False) & ~np.insert(finite[:-1], 0, False)
    marked = set(np.flatnonzero(alone).tolist())
    if len(finite) <= _MOST_MARKERS:
        marked.update(np.flatnonzero(finite).tolist())
    elif line.several:
        step = len(finite) // 5
        marked.update(range((line.run * 7 % 10) * step // 10, len(finite), step))
    return sorted(marked)


def _legend_columns(runs: Sequence[Curves]) -> int:
    """How many entries of the legend of runs fit beside each other."""
    widest = max(text_width(_legend_text(run), NORMAL) for run in runs) + _KEY
    return max(1, min(len(runs), int((WIDTH - LEFT) * 72 / widest)))


def _legend_text(run: Curves) -> str:
    return shorten(run.label, (WIDTH - LEFT) * 72 - 2 * _KEY, NORMAL)


def _add_legends(figure: Figure, runs: Sequence[Curves], lines: list[Series], columns: int) -> None:
    """Add what tells the runs apart below the panels, and what tells the splits apart above them."""
    by_run = [Series(number, "val", np.ones(1, int), np.zeros(1), several=True) for number in range(len(runs))]
    keys = [Line2D([], [], color=line.colour, marker=line.marker, linewidth=1.8, markersize=5) for line in by_run]
    _legend(figure, keys, [_legend_text(run) for run in runs], (LEFT / WIDTH, 0.06 / figure.get_figheight()), columns)
    keys, names = [], []
    for split in (name for name in SPLIT_STYLES if any(line.split == name for line in lines)):
        style = SPLIT_STYLES[split]
        if all(line.is_point for line in lines if line.split == split):
            keys.append(Line2D([], [], color=GRID, linestyle="", marker="o", markersize=7, markeredgecolor=INK))
            names.append(f"{split} (scored once)")
        else:
            keys.append(Line2D([], [], color=INK, linestyle=style.dashes, linewidth=style.width))
            names.append(split)
    if any(run.best_epoch is not None for run in runs):
        keys.append(Line2D([], [], color=MUTED, linestyle="", marker="o", **BEST_MARK))
        names.append("best epoch")
    _legend(figure, keys, names, (LEFT / WIDTH, 1 - 0.4 / figure.get_figheight()), max(len(keys), 1))


def _legend(figure: Figure, keys: list[Line2D], texts: list[str], corner: tuple[float, float], columns: int) -> None:
    """Add a legend whose lower left corner is at ``corner`` (figure fractions)."""
    legend = figure.legend(
        keys,
        [" "] * len(keys),
        loc="lower left",
        bbox_to_anchor=corner,
        ncols=columns,
        borderaxespad=0,
        borderpad=0,
        handlelength=2.4,
        handletextpad=0.6,
        columnspacing=1.2,
        labelspacing=0.3,
    )
    for entry, text in zip(legend.get_texts(), texts, strict=True):
        entry.set_text(text)  # afterwards, since a legend would drop a label that begins with an underscore
