"""The accuracy of each class: sorted bars with their number of rows, and how far so few rows leave it open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlhw.plots.axes import percent
from mlhw.plots.page import MARGIN, Head, Page
from mlhw.plots.style import GRID, INK, MUTED, NORMAL, RUN_COLOURS, SMALL, look
from mlhw.plots.text import shorten, text_width

Z: Final = 1.959964  # of the normal distribution: 95 % within ± Z deviations
MOST_ROWS: Final = 50  # of bars in a column
_LONGEST_NAME: Final = 1.9  # inches
_BAR: Final = 3.2  # inches from 0 to 100 %
_APART: Final = 0.4  # inches between columns
_BELOW: Final = 0.42  # inches for the ticks


def wilson(correct: Int[np.ndarray, " classes"], rows: Int[np.ndarray, " classes"]) -> Float[np.ndarray, "2 classes"]:
    """The ends of the 95 % interval of each share (2, classes); NaN without rows.

    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = correct / rows
        middle = (share + Z**2 / (2 * rows)) / (1 + Z**2 / rows)
        half = Z / (1 + Z**2 / rows) * np.sqrt(share * (1 - share) / rows + Z**2 / (4 * rows**2))
    return np.stack([np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)])


def worst_first(matrix: Int[np.ndarray, "classes classes"]) -> list[int]:
    """The classes of a confusion ``matrix`` by accuracy, ascending; of equals the larger first, without rows last."""
    rows, correct = matrix.sum(axis=1), np.diag(matrix)
    share = np.where(rows > 0, correct / np.maximum(rows, 1), np.inf)
    return np.lexsort((np.arange(len(rows)), -rows, share)).tolist()


def draw_class_accuracy(
    matrix: Int[np.ndarray, "classes classes"], class_names: Sequence[str], split: str = "test"
) -> Figure:
    """A figure of the accuracy of each class of the confusion ``matrix`` (row = truth), worst first.

    Raises:
        ValueError: the matrix is not square, or the names are not as many as its rows.
    """
    classes = len(class_names)
    if matrix.shape != (classes, classes) or not classes:
        raise ValueError(f"a matrix of shape {matrix.shape} for {classes} class names")
    order = worst_first(matrix)
    columns = math.ceil(classes / MOST_ROWS)
    most = math.ceil(classes / columns)
    parts = [order[start : start + most] for start in range(0, classes, most)]
    pitch = 0.3 if classes <= 12 else 0.21  # inches from bar to bar
    total, right = int(matrix.sum()), int(np.trace(matrix))
    with look():
        names = [shorten(name, _LONGEST_NAME * 72, SMALL) for name in class_names]
        left = max(text_width(name, SMALL) for name in names) / 72 + 0.1
        counts = max(text_width(_count(int(rows)), SMALL) for rows in matrix.sum(axis=1)) / 72
        beside = text_width("99.99 %", SMALL) / 72 + 0.28 + counts
        across = left + _BAR + beside
        width = max(2 * MARGIN + columns * across + (columns - 1) * _APART, 4.5)
        head = Head(f"Accuracy by class on {split}", _notes(right, total), width - 2 * MARGIN)
        page = Page(width, 2 * MARGIN + head.height + most * pitch + _BELOW)
        head.draw(page)
        for number, part in enumerate(parts):
            start = MARGIN + number * (across + _APART) + left
            axes = page.axes(start, MARGIN + head.height, _BAR, len(part) * pitch)
            _draw_column(axes, part, matrix, names, right / max(total, 1), (beside - counts, beside))
    return page.figure


def _notes(right: int, total: int) -> str:
    return (
        f"{right:,} of {total:,} right ({percent(right / max(total, 1))}, the dashed line). n: rows of the class. Black lines: "
        "the 95\N{NO-BREAK SPACE}% interval for so many rows (Wilson)."
    )


def _count(rows: int) -> str:
    return f"n {rows:,}"


def _draw_column(
    axes: Axes,
    part: Sequence[int],
    matrix: np.ndarray,
    names: Sequence[str],
    overall: float,
    beside: tuple[float, float],
) -> None:
    """Draw the classes ``part``; ``beside``: inches from the axis' end to the middle column of texts and to the last."""
    rows, correct = matrix.sum(axis=1)[list(part)], np.diag(matrix)[list(part)]
    places = np.arange(len(part))
    share = np.divide(correct, rows, out=np.zeros(len(part)), where=rows > 0)
    axes.barh(places, share, height=0.72, color=RUN_COLOURS[0], zorder=2)
    axes.axvline(overall, color=MUTED, linewidth=1.0, linestyle=(0, (3, 2)), zorder=3)
    low, high = wilson(correct, rows)
    axes.hlines(places, low, high, color=INK, linewidth=0.9, zorder=4)
    axes.set(xlim=(0, 1), ylim=(len(part) - 0.5, -0.5))
    axes.set_yticks(places, [names[index] for index in part], size=SMALL)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100 %"])
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=GRID)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    transform = axes.get_yaxis_transform()
    for place, of, value in zip(places.tolist(), rows.tolist(), share.tolist(), strict=True):
        written = percent(value) if of else "–"
        for text, at, colour in ((written, beside[0] - 0.18, INK), (_count(of), beside[1], MUTED)):
            axes.text(
                1 + at / _BAR,
                place,
                text,
                size=SMALL,
                color=colour,
                ha="right",
                va="center_baseline",
                transform=transform,
            )
    axes.set_xlabel("accuracy", size=NORMAL)
