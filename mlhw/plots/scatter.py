"""A data set of a few numbers a row on one page: its rows in the plane, or in the planes of each pair of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mlhw.files import atomic_write
from mlhw.plots.classes import draw_points, key
from mlhw.plots.style import MUTED, NORMAL, SMALL, look, new_figure
from mlhw.plots.text import fit, shorten, text_width

MOST_FEATURES: Final = 6
MOST_POINTS: Final = {2: 4000}  # by the number of features; of more than two, fewer a panel
_MOST_IN_GRID: Final = 1500
_SIDE: Final = {2: 5.2, 3: 2.8}  # inches of a panel
_SMALL_SIDE: Final = 1.75
_LEFT, _RIGHT, _BELOW, _HEAD, _BETWEEN = 0.62, 0.15, 0.55, 0.72, 0.12  # inches
_LABEL: Final = 0.42  # inches from a panel to the name of its upright axis
_ROW: Final = 0.21  # inches a line of the legend
_SIGN, _GAP = 17.0, 12.0  # points: of a sign in the legend, and between its columns
_LONGEST: Final = 110.0  # points, of a name


def most_points(features: int) -> int:
    """How many rows a page of that many features shows at most."""
    return MOST_POINTS.get(features, _MOST_IN_GRID)


def draw(
    path: Path,
    title: str,
    class_names: Sequence[str],
    points: Float[np.ndarray, "points features"],
    targets: Int[np.ndarray, " points"],
    counts: Mapping[str, Int[np.ndarray, " classes"]],
    facts: str = "",
) -> None:
    """Write the page to ``path`` as PNG, atomically.

    Args:
        path: of the picture.
        title: the data set's name.
        class_names: in order.
        points: rows to show, of two features or more; those after the sixth are left out.
        targets: their classes.
        counts: split name to its rows a class (classes,).
        facts: a line below the title.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    with look():
        page = _page(min(points.shape[1], MOST_FEATURES), class_names, counts)
        figure = new_figure(page.width, page.height)
        _head(figure, page, title, facts)
        for row in range(1, page.features):
            for column in range(row):
                axes = figure.add_axes(page.panel(row - 1, column))
                _panel(axes, points[:, [column, row]], targets, page.side, equal=page.features == 2)
                axes.set_xlabel(f"feature {column + 1}" if row == page.features - 1 else "")
                axes.set_ylabel(f"feature {row + 1}" if column == 0 else "")
                axes.yaxis.set_label_coords(-_LABEL / page.side, 0.5)
                axes.tick_params(labelbottom=row == page.features - 1, labelleft=column == 0)
        _legend(figure, page, class_names, counts)
        with atomic_write(path) as file:
            figure.savefig(file, format="png", metadata={"Software": None})  # the same data gives the same bytes


class _Page(NamedTuple):
    """How the page is divided, in inches; ``columns`` (points) are the widths of the legend's columns."""

    features: int
    side: float
    width: float
    height: float
    columns: tuple[float, ...]

    def panel(self, row: int, column: int) -> tuple[float, float, float, float]:
        """The panel in that row (from the top) and column, in fractions of the page."""
        left = _LEFT + column * (self.side + _BETWEEN)
        bottom = self.height - _HEAD - (row + 1) * self.side - row * _BETWEEN
        return left / self.width, bottom / self.height, self.side / self.width, self.side / self.height


def _page(features: int, class_names: Sequence[str], counts: Mapping[str, np.ndarray]) -> _Page:
    names = min(max(text_width(name, SMALL) for name in [*class_names, "all"]), _LONGEST)
    numbers = [
        max(text_width(text, SMALL) for text in (split, f"{values.sum():,}")) for split, values in counts.items()
    ]
    columns = (_SIGN + names, *(_GAP + width for width in numbers))
    side, panels = _SIDE.get(features, _SMALL_SIDE), features - 1
    grid = panels * side + (panels - 1) * _BETWEEN
    legend = sum(columns) / 72
    beside = (side if features == 2 else side + _BETWEEN) + 0.25 + legend  # of a grid, the upper right is free for it
    height = max(grid, _ROW * (len(class_names) + 2) if features == 2 else grid)
    return _Page(features, side, _LEFT + max(grid, beside) + _RIGHT, _HEAD + height + _BELOW, columns)


def _panel(axes: Axes, points: np.ndarray, targets: np.ndarray, side: float, equal: bool) -> None:
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2 * 1.05, 1e-9)
    if equal:
        half = np.full(2, half.max())
    draw_points(axes, points, targets, 3.6 if side > 4 else 2.3)
    axes.set(xlim=(middle[0] - half[0], middle[0] + half[0]), ylim=(middle[1] - half[1], middle[1] + half[1]))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7 if side > 4 else 4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7 if side > 4 else 4, steps=[1, 2, 5, 10]))
    axes.spines[:].set_visible(True)


def _head(figure: Figure, page: _Page, title: str, facts: str) -> None:
    room = (page.width - _LEFT - _RIGHT) * 72
    heading, size = fit(title, room, 14, 9, 1, bold=True)
    figure.text(_LEFT / page.width, 1 - 0.34 / page.height, heading, size=size, weight="bold", va="baseline")
    said, size = fit(facts, room, NORMAL, SMALL - 1, 1)
    figure.text(_LEFT / page.width, 1 - 0.56 / page.height, said, size=size, color=MUTED, va="baseline")


def _legend(figure: Figure, page: _Page, class_names: Sequence[str], counts: Mapping[str, np.ndarray]) -> None:
    """A table in the upper right: each class's sign, its name, and its rows in each split."""
    wide, step = sum(page.columns), _ROW * 72
    high = step * (len(class_names) + 2)
    left, bottom = page.width - _RIGHT - wide / 72, page.height - _HEAD - high / 72
    axes = figure.add_axes((left / page.width, bottom / page.height, wide / 72 / page.width, high / 72 / page.height))
    axes.set(xlim=(0, wide), ylim=(high, 0))
    axes.axis("off")
    texts: dict[str, Any] = {"size": SMALL, "va": "center_baseline"}
    ends = np.cumsum(page.columns)[1:].tolist()
    for end, (split, values) in zip(ends, counts.items(), strict=True):
        axes.text(end, step / 2, split, color=MUTED, ha="right", **texts)
        for line, number in enumerate([*values.tolist(), int(values.sum())], 1):
            total = line > len(class_names)
            axes.text(end, step * (line + 0.5), f"{number:,}", ha="right", color=MUTED if total else None, **texts)
    for line, name in enumerate(class_names, 1):
        sign = key(line - 1, 6.0)
        sign.set_data([6.0], [step * (line + 0.5)])
        axes.add_line(sign)
        axes.text(_SIGN, step * (line + 0.5), shorten(name, _LONGEST, SMALL), **texts)
    axes.text(_SIGN, step * (len(class_names) + 1.5), "all", color=MUTED, **texts)
