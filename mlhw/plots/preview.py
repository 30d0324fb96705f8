"""A data set on one page: for each class its name, its rows by split, and some of its pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mlhw.files import atomic_write
from mlhw.plots.pictures import displayable
from mlhw.plots.style import GRID, INK, MUTED, SPLIT_STYLES, look, new_figure
from mlhw.plots.text import fit, text_width

MARGIN, GUTTER, GAP = 28.0, 20.0, 2.5  # points: around the page, between cards, between pictures
HEAD, NAME, COUNTS, BAR, FOOT = 62.0, 14.0, 11.0, 6.0, 16.0  # heights in points, of the page's head and a card's parts
NAME_SIZE, SMALLEST_NAME, COUNT_SIZE = 9.0, 6.5, 7.0
SUPERSAMPLE = 4  # small pictures are enlarged by whole pixels: sharp squares, not a blur


@dataclass(frozen=True, slots=True)
class Layout:
    """How the page is divided: ``columns`` of cards, ``samples`` pictures in a card, each ``side`` points wide."""

    columns: int
    samples: int
    side: float

    @property
    def card_width(self) -> float:
        """Points from a card's left edge to its right."""
        return self.samples * self.side + (self.samples - 1) * GAP

    @property
    def card_height(self) -> float:
        """Points from a card's top to the next one's."""
        return NAME + COUNTS + BAR + self.side + FOOT


def layout(classes: int) -> Layout:
    """The division for that many classes: large pictures for few, small ones for many."""
    if classes <= 12:
        return Layout(2, 8, 44.0)
    if classes <= 50:
        return Layout(5, 3, 52.0)
    return Layout(7, 3, 46.0)


def draw(
    path: Path,
    title: str,
    class_names: Sequence[str],
    samples: Mapping[int, NDArray[Any]],
    counts: Mapping[str, NDArray[np.int64]],
    facts: str = "",
) -> None:
    """Write the page to ``path`` as PNG, atomically.

    Args:
        path: of the picture.
        title: the data set's name.
        class_names: in order.
        samples: class index to its pictures (rows, height, width, 1 or 3), uint8, or floats from 0 to 1.
        counts: split name to its rows a class (classes,).
        facts: a line below the title.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    plan = layout(len(class_names))
    columns = min(plan.columns, len(class_names))
    rows = math.ceil(len(class_names) / columns)
    width = max(2 * MARGIN + columns * plan.card_width + (columns - 1) * GUTTER, 420.0)
    height = 2 * MARGIN + HEAD + rows * plan.card_height - FOOT
    with look():
        figure = new_figure(width / 72, height / 72)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        _head(axes, width, title, facts, counts)
        most = max(int(sum(split[index] for split in counts.values())) for index in range(len(class_names)))
        for index, name in enumerate(class_names):
            left = MARGIN + (index // rows) * (plan.card_width + GUTTER)  # down the columns, as one reads an index
            top = MARGIN + HEAD + (index % rows) * plan.card_height
            here = {split: int(values[index]) for split, values in counts.items()}
            _card(axes, left, top, plan, name, here, most)
            _strip(axes, left, top + NAME + COUNTS + BAR, plan, samples.get(index))
        axes.set(xlim=(0, width), ylim=(height, 0), aspect="auto")  # imshow has moved the limits
        with atomic_write(path) as file:
            figure.savefig(file, format="png", metadata={"Software": None})  # the same data gives the same bytes


def _head(axes: Axes, width: float, title: str, facts: str, counts: Mapping[str, NDArray[np.int64]]) -> None:
    room = width - 2 * MARGIN
    heading, size = fit(title, room, 17, 9, 1, bold=True)
    axes.text(MARGIN, MARGIN + 10, heading, size=size, weight="bold", va="center")
    below, size = fit(facts, room, 9, 7, 1)
    axes.text(MARGIN, MARGIN + 31, below, size=size, color=MUTED, va="center")
    left = MARGIN
    for split, values in counts.items():
        text = f"{split} {int(values.sum()):,}"
        axes.add_patch(Rectangle((left, MARGIN + 43.5), 7, 7, color=SPLIT_STYLES[split].colour, linewidth=0))
        axes.text(left + 11, MARGIN + 47, text, size=9, va="center")
        left += 11 + text_width(text, 9) + 16


def _card(axes: Axes, left: float, top: float, plan: Layout, name: str, here: Mapping[str, int], most: int) -> None:
    """A class's name, its rows by split in their colours, and a bar of them against the largest class."""
    room = plan.card_width
    label, size = fit(name, room, NAME_SIZE, SMALLEST_NAME, 1, bold=True)
    axes.text(left, top + NAME / 2, label, size=size, weight="bold", color=INK, va="center")
    x, start, bar = left, left, top + NAME + COUNTS + 1
    axes.add_patch(Rectangle((left, bar), room, 2, color=GRID, linewidth=0))
    for split, number in here.items():
        colour, text = SPLIT_STYLES[split].colour, f"{number:,}"
        axes.text(x, top + NAME + COUNTS / 2, text, size=COUNT_SIZE, color=colour, va="center")
        x += text_width(text, COUNT_SIZE) + 7
        length = room * number / max(most, 1)
        axes.add_patch(Rectangle((start, bar), length, 2, color=colour, linewidth=0))
        start += length


def _strip(axes: Axes, left: float, top: float, plan: Layout, pictures: NDArray[Any] | None) -> None:
    """Up to ``plan.samples`` pictures beside each other; their shape is kept, the room left of a narrow one stays empty."""
    for place, pixels in enumerate([] if pictures is None else displayable(pictures[: plan.samples])):
        zoom = SUPERSAMPLE if max(pixels.shape[:2]) < 2 * plan.side else 1
        pixels = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
        scale = plan.side / max(pixels.shape[:2])
        high, wide = pixels.shape[0] * scale, pixels.shape[1] * scale
        x = left + place * (plan.side + GAP) + (plan.side - wide) / 2
        y = top + (plan.side - high) / 2
        axes.imshow(pixels, extent=(x, x + wide, y + high, y), interpolation="antialiased", zorder=2)
