"""What a model makes of the plane: its decision regions, how sure it is of them, and the rows it was held against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mlhw.plots import raster
from mlhw.plots.axes import percent
from mlhw.plots.classes import draw_points, key, tint
from mlhw.plots.style import INK, MUTED, NORMAL, SMALL, literal, look, new_figure
from mlhw.plots.text import fit, shorten, text_width

INCHES: Final = 5.2  # the longer side of the plane
_LEAST: Final = 1.8  # inches, the shorter side
_FAINTEST, _STRONGEST = 0.07, 0.45  # of the full colour: where all classes are equally likely, and where one is certain
_LEFT, _BELOW, _HEAD = 0.62, 0.55, 0.62  # inches around the plane; the legend stands to the right
_TITLE: Final = 10.5
_ROW: Final = 0.21  # inches a class in the legend
_MARK: Final = 3.6  # points
_GAP, _SIGN, _BAR = 16.0, 17.0, 46.0  # points: before the legend, its signs, its bars of tints
_NAMES: Final = (44.0, 130.0)  # points that names take, at least and at most
_MOST_NAMED: Final = 20


def draw_regions(
    grid_x: Float[np.ndarray, " columns"],
    grid_y: Float[np.ndarray, " rows"],
    predicted: Int[np.ndarray, "rows columns"],
    confidence: Float[np.ndarray, "rows columns"],
    points: Float[np.ndarray, "points 2"],
    targets: Int[np.ndarray, " points"],
    class_names: Sequence[str],
    *,
    guesses: Int[np.ndarray, " points"],
    title: str = "Decision regions",
    split: str = "val",
    axis_names: tuple[str, str] = ("feature 1", "feature 2"),
    inches: float = INCHES,
) -> Figure:
    """A figure of the plane, each place in a tint of the class predicted there, stronger the surer the model is.

    ``points`` lie on top with the signs of their true classes (``targets``), hollow where the model's ``guesses`` differ.
    Both axes have one scale, unless one span is more than some three times the other.

    Args:
        grid_x, grid_y: the grid's coordinates, rising and evenly spaced.
        predicted: the likeliest class at each crossing.
        confidence: its probability, 0 to 1.
        points: rows of the data.
        targets: their classes.
        class_names: in order.
        guesses: the classes that the model gives the points.
        title: stands above the plane.
        split: what the points are.
        axis_names: of the two features.
        inches: the longer side of the plane.

    Raises:
        ValueError: the arrays do not belong together, or a class has no name.
    """
    _check(grid_x, grid_y, predicted, confidence, points, targets, guesses, len(class_names))
    with look():
        frame = _frame(grid_x, grid_y, class_names, inches)
        figure = new_figure(frame.width, frame.height)
        axes = figure.add_axes(frame.share(_LEFT, _BELOW + frame.drop, frame.across, frame.up))
        _draw_plane(axes, grid_x, grid_y, predicted, confidence, class_names)
        wrong = guesses != targets
        draw_points(axes, points, targets, _MARK * float(np.sqrt(inches / INCHES)), wrong)
        axes.set(xlim=(grid_x[0], grid_x[-1]), ylim=(grid_y[0], grid_y[-1]))
        for axis, line, side, name in zip(
            (axes.xaxis, axes.yaxis), (grid_x, grid_y), (frame.across, frame.up), axis_names, strict=True
        ):
            _scale(axis, line, side, name)
        _head(figure, frame, title, split, len(targets), int(wrong.sum()))
        _legend(figure, frame, class_names, bool(wrong.any()))
    return figure


class _Frame(NamedTuple):
    """The page in inches: the plane is ``across`` × ``up``, ``drop`` above the lower margin where the legend is higher.

    ``names`` (points) is the room for the classes' names in the legend, ``listed`` how many of them it has.
    """

    across: float
    up: float
    drop: float
    width: float
    height: float
    names: float
    listed: int

    def share(self, left: float, bottom: float, across: float, up: float) -> tuple[float, float, float, float]:
        """A rectangle in inches as fractions of the page."""
        return left / self.width, bottom / self.height, across / self.width, up / self.height


def _frame(grid_x: np.ndarray, grid_y: np.ndarray, class_names: Sequence[str], inches: float) -> _Frame:
    span = float(grid_x[-1] - grid_x[0]), float(grid_y[-1] - grid_y[0])
    across, up = (max(inches * side / max(span), min(_LEAST, inches)) for side in span)
    listed = min(len(class_names), _MOST_NAMED)
    longest = max(text_width(name, SMALL) for name in class_names[:listed])
    names = float(np.clip(longest, *_NAMES))
    right = (_GAP + _SIGN + names + 10 + _BAR) / 72 + 0.12
    drop = max(_legend_height(listed) - up, 0.0)
    return _Frame(across, up, drop, _LEFT + across + right, _BELOW + drop + up + _HEAD, names, listed)


def _scale(axis: Axis, line: np.ndarray, inches: float, name: str) -> None:
    """Name ``axis`` and mark it in plain numbers; of the very large and small, the name tells the power of ten."""
    most = float(np.abs(line[[0, -1]]).max())
    power = 0 if 0.01 <= most < 1e5 or most == 0 else math.floor(math.log10(most))
    axis.set_major_locator(MaxNLocator(nbins=max(3, round(1.4 * inches)), steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 10.0**power:.6g}".replace("-", "−")))
    axis.set_label_text(f"{name} (in units of 1e{power})" if power else name)


def _draw_plane(
    axes: Axes, x: np.ndarray, y: np.ndarray, predicted: np.ndarray, confidence: np.ndarray, class_names: Sequence[str]
) -> None:
    """The tints, and a line around every region."""
    half = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    extent = (x[0] - half[0], x[-1] + half[0], y[0] - half[1], y[-1] + half[1])
    colours = tint(predicted, _strength(confidence, len(class_names)))
    axes.imshow(colours, origin="lower", extent=extent, interpolation="nearest", aspect="auto")
    for index in np.unique(predicted).tolist():
        inside = raster.smooth((predicted == index).astype(np.float64))
        if inside.min() < 0.5 < inside.max():
            axes.contour(x, y, inside, levels=[0.5], colors=[INK], linewidths=0.9, zorder=2)
    _name_regions(axes, x, y, predicted, class_names)
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)


def _name_regions(axes: Axes, x: np.ndarray, y: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> None:
    """Write each class's name in the middle of the widest place that is its own, where it has room there."""
    box = axes.get_window_extent()
    cell = min(box.width / len(x), box.height / len(y)) * 72 / axes.figure.dpi  # points
    halo = [withStroke(linewidth=2.5, foreground="white", alpha=0.85)]
    for index in np.unique(predicted).tolist():
        depth = raster.depth(predicted == index)
        row, column = raster.middle(depth)
        if text_width(class_names[index], SMALL, bold=True) <= 1.9 * depth[row, column] * cell:
            how: dict[str, Any] = {"size": SMALL, "weight": "bold", "ha": "center", "va": "center", "zorder": 6}
            axes.text(float(x[column]), float(y[row]), literal(class_names[index]), path_effects=halo, **how)


def _strength(confidence: np.ndarray, classes: int) -> np.ndarray:
    """How strong a tint is: from the faintest at the confidence of a guess, 1 / classes, to the strongest at 1."""
    least = 1.0 / classes if classes > 1 else 0.0
    share = np.clip((np.nan_to_num(confidence.astype(np.float64)) - least) / (1.0 - least), 0.0, 1.0)
    return _FAINTEST + (_STRONGEST - _FAINTEST) * share


def _head(figure: Figure, frame: _Frame, title: str, split: str, rows: int, wrong: int) -> None:
    room = (frame.width - _LEFT - 0.15) * 72
    heading, size = fit(title, room, _TITLE, SMALL, 1, bold=True)
    left, _, _, _ = frame.share(_LEFT, 0, 0, 0)
    figure.text(left, 1 - 0.30 / frame.height, heading, size=size, weight="bold", va="baseline")
    said = f"{rows:,} {split} rows, {rows - wrong:,} right ({percent((rows - wrong) / rows)})" if rows else "no rows"
    said, size = fit(said, room, NORMAL, SMALL - 1, 1)
    figure.text(left, 1 - 0.50 / frame.height, said, size=size, color=MUTED, va="baseline")


def _legend_height(listed: int) -> float:
    return _ROW * (listed + 4.5)


def _legend(figure: Figure, frame: _Frame, class_names: Sequence[str], some_wrong: bool) -> None:
    """To the right of the plane: each class's sign and its tints from a guess to certainty, and what hollow signs mean."""
    wide, high = _SIGN + frame.names + 10 + _BAR, _legend_height(frame.listed) * 72
    left, bottom = _LEFT + frame.across + _GAP / 72, frame.height - _HEAD - high / 72
    axes = figure.add_axes(frame.share(left, bottom, wide / 72, high / 72))
    axes.axis("off")
    step, classes = _ROW * 72, len(class_names)
    texts: dict[str, Any] = {"size": SMALL, "va": "center_baseline"}
    axes.text(wide, 4, "confidence", color=MUTED, ha="right", **texts)
    levels = np.linspace(1 / classes if classes > 1 else 0.0, 1.0, 24)
    for index, name in enumerate(class_names[: frame.listed]):
        middle = step * (index + 1)
        axes.add_line(_at(key(index, 6.0), 6.0, middle))
        axes.text(_SIGN, middle, shorten(name, frame.names, SMALL), **texts)
        shades = tint(np.full((1, 24), index), _strength(levels, classes)[np.newaxis])
        extent = (wide - _BAR, wide, middle + 5.5, middle - 5.5)
        axes.imshow(shades, extent=extent, interpolation="nearest", aspect="auto")
    below = step * (frame.listed + 1)
    if frame.listed < classes:
        axes.text(_SIGN, below, f"+ {classes - frame.listed}", color=MUTED, **texts)
    axes.text(wide - _BAR, below, f"{100 * levels[0]:.0f}", color=MUTED, **texts)
    axes.text(wide, below, "100 %", color=MUTED, ha="right", **texts)
    if some_wrong:
        for row, (said, hollow) in enumerate((("filled: right", False), ("hollow: wrong", True))):
            axes.add_line(_at(key(0, 7.0 if hollow else 6.0, hollow=hollow), 6.0, below + (1.5 + row) * step))
            axes.text(_SIGN, below + (1.5 + row) * step, said, **texts)
    axes.set(xlim=(0, wide), ylim=(high, 0))


def _at(line: Line2D, x: float, y: float) -> Line2D:
    line.set_data([x], [y])
    line.set_clip_on(False)
    return line


def _check(
    grid_x: np.ndarray,
    grid_y: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    points: np.ndarray,
    targets: np.ndarray,
    guesses: np.ndarray,
    classes: int,
) -> None:
    shape = (len(grid_y), len(grid_x))
    if min(shape) < 2 or predicted.shape != shape or confidence.shape != shape:
        raise ValueError(f"a grid of {shape}, but {predicted.shape} predictions and {confidence.shape} confidences")
    if points.shape != (len(targets), 2) or guesses.shape != targets.shape:
        raise ValueError(f"{points.shape} points, but {targets.shape} targets and {guesses.shape} guesses")
    found = np.concatenate([predicted.ravel(), targets, guesses])
    if found.min() < 0 or found.max() >= classes:
        raise ValueError(f"class indices run from {found.min()} to {found.max()}; allowed: 0 to {classes - 1}")
