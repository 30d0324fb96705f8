"""The confusion matrix: counted, its worst cells listed, and drawn for two classes or two hundred."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from mlhw.plots.axes import percent
from mlhw.plots.style import GRID, INK, MUTED, SMALL, look, new_figure
from mlhw.plots.text import shorten, text_width

COLOURS: Final = "magma_r"  # perceptually uniform, light for little, and monotonous in grey print
MOST_INCHES: Final = 8.6  # the side of a large matrix
_SMALLEST: Final = 5.5  # points; smaller text is not read
_LONGEST_NAME: Final = 1.9  # inches
_TICKS: Final = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)


class Confused(NamedTuple):
    """``rows`` rows of class ``truth`` were taken for ``predicted``: a ``share`` (0..1) of the rows of that class."""

    truth: str
    predicted: str
    rows: int
    share: float


def confusion_matrix(
    truth: Int[np.ndarray, " rows"], predicted: Int[np.ndarray, " rows"], classes: int
) -> Int[np.ndarray, "classes classes"]:
    """Counts (classes, classes): row = true class, column = predicted class. The sum is the number of rows.

    Raises:
        ValueError: the lengths differ, or a class index is not in 0..classes - 1.
    """
    truth, predicted = np.asarray(truth, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if truth.shape != predicted.shape or truth.ndim != 1:
        raise ValueError(f"truth has shape {truth.shape}, predicted {predicted.shape}; both should be (rows,)")
    both = np.concatenate([truth, predicted])
    if both.size and (both.min() < 0 or both.max() >= classes):
        raise ValueError(f"class indices run from {both.min()} to {both.max()}; allowed: 0 to {classes - 1}")
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def shares(matrix: Int[np.ndarray, "classes classes"]) -> Float[np.ndarray, "classes classes"]:
    """Each count over the sum of its row (classes, classes); NaN in the row of a class without examples."""
    totals = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, totals, out=np.full(matrix.shape, np.nan), where=totals > 0)


def most_confused(matrix: Int[np.ndarray, "classes classes"], class_names: Sequence[str], count: int) -> list[Confused]:
    """Up to ``count`` pairs of classes that were mixed up, most rows first, then the larger share, then by class."""
    share = shares(matrix)
    mistakes = [(i, j) for i, j in np.argwhere(matrix > 0).tolist() if i != j]
    mistakes.sort(key=lambda cell: (-matrix[cell], -share[cell], cell))
    return [
        Confused(class_names[i], class_names[j], int(matrix[i, j]), float(share[i, j])) for i, j in mistakes[:count]
    ]


def _colours() -> Colormap:
    return colormaps[COLOURS].with_extremes(under="white", bad=GRID)


def _norm() -> PowerNorm:
    return PowerNorm(0.5, 0.0, 1.0)


def share_colours(share: Float[np.ndarray, " cells"]) -> Float[np.ndarray, "cells 4"]:
    """The colours (cells, RGBA) that the matrix gives to cells with so large a share (0..1) of the true class."""
    return np.asarray(_colours()(_norm()(share)))


def draw_confusion(matrix: Int[np.ndarray, "classes classes"], class_names: Sequence[str]) -> Figure:
    """A figure of ``matrix``, coloured by the share of the true class, with counts where the cells have room for them.

    Colours go by the square root of the share, since a single mistake among many should be seen.

    Raises:
        ValueError: the matrix is not square, or the names are not as many as its rows.
    """
    classes = len(class_names)
    if matrix.shape != (classes, classes) or not classes:
        raise ValueError(f"a matrix of shape {matrix.shape} for {classes} class names")
    side = min(MOST_INCHES, max(2.2, 0.55 * classes))
    cell = side * 72 / classes  # points
    size = float(np.clip(0.8 * cell, _SMALLEST, SMALL))
    with look():
        names = [shorten(name, _LONGEST_NAME * 72, size) for name in class_names]
        longest = max(text_width(name, size) for name in names) / 72
        upright = longest * 72 > cell * 0.92
        left, below = longest + 0.5, (longest if upright else size * 1.3 / 72) + 0.5
        width, height = left + side + 1.0, below + side + 0.5
        figure = new_figure(width, height)
        axes = figure.add_axes((left / width, below / height, side / width, side / height))
        share = shares(matrix)
        image = axes.imshow(
            np.where(share == 0, -1.0, share),
            cmap=_colours(),
            norm=_norm(),
            interpolation="nearest",
            aspect="auto",
        )
        _label_classes(
            axes,
            names,
            every=int(np.ceil(size * 1.15 / cell)),
            size=size,
            upright=upright,
            empty=bool(np.isnan(share).any()),
        )
        _write_counts(axes, matrix, share_colours(share), cell)
        axes.set_title(
            f"{np.trace(matrix):,} of {matrix.sum():,} right ({percent(np.trace(matrix) / max(matrix.sum(), 1))})",
            pad=8,
        )
        bar = figure.add_axes(((left + side + 0.12) / width, below / height, 0.14 / width, side / height))
        figure.colorbar(image, cax=bar, ticks=_TICKS, format=FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
        bar.set_ylabel("share of the true class", size=SMALL)
    return figure


def _label_classes(axes: Axes, names: Sequence[str], every: int, size: float, upright: bool, empty: bool) -> None:
    """Name every ``every``-th class on both axes; ``empty``: some class has no examples."""
    at = range(0, len(names), every)
    shown = [names[i] for i in at]
    axes.set_xticks(at, shown, size=size, rotation=90 if upright else 0)
    axes.set_yticks(at, shown, size=size)
    axes.set_xlabel("predicted (grey row: no examples)" if empty else "predicted")
    axes.set_ylabel("truth")
    axes.grid(visible=False)
    axes.tick_params(length=2, width=0.6)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(MUTED)


def _write_counts(axes: Axes, matrix: np.ndarray, colours: np.ndarray, cell: float) -> None:
    """Write the counts above zero into cells of ``cell`` points, if the widest fits into every one of them."""
    size = min(11.0, cell * 0.5)
    widest = text_width(str(matrix.max()), 10.0) / 10.0  # per point of size
    size = min(size, cell * 0.9 / widest)
    if size < _SMALLEST:
        return
    light = colours[..., :3] @ np.array([0.299, 0.587, 0.114]) > 0.55
    for i, j in np.argwhere(matrix > 0).tolist():
        ink = INK if light[i, j] else "white"
        axes.text(j, i, str(matrix[i, j]), ha="center", va="center_baseline", size=size, color=ink, gid="count")
