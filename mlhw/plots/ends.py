"""What stands at the ends of the lines of a sweep's curves: a small table of names and values beside the panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mlhw.plots.style import MUTED, SMALL
from mlhw.plots.text import spread, text_width

_LINE: Final = SMALL * 1.35  # points from one label to the next
_KEY: Final = (0.14, 0.44)  # inches from the panel's edge to the ends of a label's key
_TEXT: Final = 0.5  # inches from the panel's edge to the text of a label
_GAP: Final = 6.0  # points between a label's columns


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """What is written at the end of a line: a name and a value, and how its key looks."""

    name: str
    value: str
    x: float  # where the line ends, in data coordinates
    y: float  # where that is; ±infinity for the upper and lower edge, which no line leads to
    look: dict[str, Any]


def end_room(ends: Sequence[End], heads: tuple[str, str]) -> float:
    """The inches that ``draw_ends`` takes right of the panel."""
    return _TEXT + (sum(_columns(ends, heads)) + _GAP) / 72 + 0.08


def _columns(ends: Sequence[End], heads: tuple[str, str]) -> tuple[float, float]:
    """The widths of the names and of the values in points."""
    names, values = [heads[0], *(end.name for end in ends)], [heads[1], *(end.value for end in ends)]
    return max(text_width(text, SMALL) for text in names), max(text_width(text, SMALL) for text in values)


def draw_ends(axes: Axes, ends: Sequence[End], heads: tuple[str, str]) -> None:
    """Write ``ends`` right of the panel as a table, each row as near to its line's end as the others allow."""
    box = axes.get_window_extent()
    width, height = box.width / axes.figure.dpi, box.height / axes.figure.dpi  # inches
    gap = _LINE / 72 / height
    to_panel = axes.transData + axes.transAxes.inverted()
    points = [
        np.clip(to_panel.transform((end.x, end.y)), 0.0, 1.0) if np.isfinite(end.y) else np.array([1.0, end.y > 0])
        for end in ends
    ]
    heights = spread([float(point[1]) for point in points], gap, gap / 2, 1 - gap / 2)
    names, values = _columns(ends, heads)
    left = 1 + _TEXT / width
    right = left + (names + _GAP + values) / 72 / width
    for end, point, at in zip(ends, points, heights, strict=True):
        keys = (1 + _KEY[0] / width, 1 + _KEY[1] / width)
        plain = {"color": end.look["color"], "transform": axes.transAxes, "clip_on": False}
        if np.isfinite(end.y):
            xs, ys = [point[0], 1.0, keys[0] - 0.02 / width], [point[1], point[1], at]
            axes.add_artist(Line2D(xs, ys, linewidth=0.6, alpha=0.6, **plain))
        axes.add_artist(Line2D(keys, [at, at], linewidth=1.6, **plain))
        axes.add_artist(Line2D([sum(keys) / 2], [at], **(end.look | plain)))
        both: dict[str, Any] = {"transform": axes.transAxes, "size": SMALL, "va": "center_baseline"}
        axes.text(left, at, end.name, gid="rate", **both)
        axes.text(right, at, end.value, ha="right", gid="end", **both)
    for x, head, side in ((left, heads[0], "left"), (right, heads[1], "right")):
        axes.text(x, 1 + 4 / 72 / height, head, transform=axes.transAxes, size=SMALL, color=MUTED, ha=side)
