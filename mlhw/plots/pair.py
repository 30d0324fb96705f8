"""A figure of two panels, loss and accuracy, with a title and room for what stands around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlhw.plots.style import LARGE, SMALL, new_figure
from mlhw.plots.text import fit

LEFT: Final = 0.66  # inches from the figure's edge, for the numbers of the first axis
QUANTITIES: Final = ("loss", "accuracy")


@dataclass(frozen=True, slots=True)
class Room:
    """Inches: the figure's ``width``, a panel's ``height``, what is free right of each panel and between, below and above.

    ``edge`` is free at the right of the whole figure.
    """

    width: float
    height: float
    right: float
    between: float
    below: float
    above: float
    edge: float = 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """The figure, its panels, the width of one and the height of their upper edge, in inches."""

    figure: Figure
    loss: Axes
    accuracy: Axes
    panel: float
    top: float


def pair(room: Room, title: str) -> Pair:
    """Two panels side by side in ``room``, below ``title``. Call within ``style.look``."""
    across = (room.width - LEFT) * 72
    heading, size = fit(title, across, LARGE, SMALL, 2, bold=True) if title else ("", LARGE)
    head = (heading.count("\n") + 1) * size * 1.25 / 72 if title else 0.0
    height = room.below + room.height + room.above + head
    panel = (room.width - LEFT - room.between - 2 * room.right - room.edge) / 2
    figure = new_figure(room.width, height)
    axes = []
    for place in range(2):
        left = LEFT + place * (panel + room.right + room.between)
        box = (left / room.width, room.below / height, panel / room.width, room.height / height)
        axes.append(figure.add_axes(box))
    if title:
        corner = (LEFT / room.width, 1 - 0.1 / height)
        figure.text(*corner, heading, size=size, weight="bold", va="top", linespacing=1.2)
    return Pair(figure, axes[0], axes[1], panel, room.below + room.height)
