"""Contact sheets: pictures in a grid, each titled with the class that a network sees, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mlhw.plots.axes import percent
from mlhw.plots.page import MARGIN, Head, Page
from mlhw.plots.style import DPI, GRID, INK, MUTED, RUN_COLOURS, look
from mlhw.plots.text import fit, shorten, text_width

MOST_COLUMNS: Final = 10
HEAD_GAP: Final = 0.08  # inches between the head and the first row
_EMPTY: Final = "#F1F1F1"  # what is left of the square around a picture
_LINE: Final = 1.25  # line height over font size
_SUPERSAMPLE: Final = 8  # small pictures are enlarged by whole pixels: sharp squares, not a blur

Picture = UInt8[np.ndarray, "height width 3"]


class Card(NamedTuple):
    """A picture with its ``file``, and the class ``name`` that it is taken for with this ``probability``."""

    picture: Picture
    file: str
    name: str
    probability: float


class Sizes(NamedTuple):
    """Of a sheet's parts: inches from one card to the next and across a picture, and points of its texts."""

    columns: int
    pitch: float
    side: float
    title: float
    small: float


def sizes(cards: int) -> Sizes:
    """Large pictures where there are few, small ones, ten a row, where there are many."""
    columns = min(cards, MOST_COLUMNS, max(4, math.ceil(math.sqrt(1.7 * cards))))
    if columns <= 2:
        return Sizes(columns, 3.7, 3.5, 12.0, 9.0)
    if columns <= 5:
        return Sizes(columns, 2.15, 1.95, 10.0, 7.5)
    if columns <= 7:
        return Sizes(columns, 1.8, 1.62, 9.0, 7.0)
    return Sizes(columns, 1.45, 1.3, 8.0, 6.0)


def pixels(cards: int) -> int:
    """How many pixels the longer side of a picture has on a sheet of so many."""
    return math.ceil(sizes(cards).side * DPI)


def draw_grid(cards: Sequence[Card], heading: str, notes: str = "") -> Figure:
    """A figure of ``cards`` in their order, each titled with its class, with a bar for the probability and the file's name.

    Args:
        cards: at least one; pictures of any shape.
        heading: above all.
        notes: a paragraph below the heading.

    Raises:
        ValueError: there are no cards.
    """
    if not cards:
        raise ValueError("a sheet needs at least one picture")
    size = sizes(len(cards))
    width = max(2 * MARGIN + (size.columns - 1) * size.pitch + size.side, 4.5)
    rows = [cards[start : start + size.columns] for start in range(0, len(cards), size.columns)]
    with look():
        head = Head(heading, notes, width - 2 * MARGIN)
        titles = [[fit(card.name, size.side * 72, size.title, 6.0, 2, bold=True) for card in row] for row in rows]
        above = [max(text.count("\n") + 1 for text, _ in row) * size.title * _LINE / 72 + 0.04 for row in titles]
        below = 2 * size.small * _LINE / 72 + 0.26
        height = 2 * MARGIN + head.height + HEAD_GAP + sum(above) + len(rows) * (size.side + below) - 0.16
        page = Page(width, height)
        head.draw(page)
        sheet = canvas(page)
        top = MARGIN + head.height + HEAD_GAP
        for row, words, room in zip(rows, titles, above, strict=True):
            for column, (card, (text, points)) in enumerate(zip(row, words, strict=True)):
                left = MARGIN + column * size.pitch
                # Titles end where pictures begin, whether they have one line or two.
                write(sheet, left, top + room - 0.085, text, points, weight="bold", va="baseline", gid="title")
                place(sheet, card.picture, left, top + room, size.side)
                _foot(sheet, card, left, top + room + size.side + 0.06, size)
            top += room + size.side + below
        sheet.set(xlim=(0, width), ylim=(height, 0), aspect="auto")  # imshow has moved the limits
    return page.figure


def canvas(page: Page) -> Axes:
    """Axes over the whole of ``page`` in inches from its upper left corner; set the limits again when all is drawn."""
    axes = page.axes(0, 0, page.width, page.height)
    axes.axis("off")
    axes.set(xlim=(0, page.width), ylim=(page.height, 0))
    return axes


def place(sheet: Axes, picture: Picture, left: float, top: float, side: float) -> None:
    """Show the whole of ``picture`` in the middle of a square of ``side`` inches."""
    sheet.add_patch(Rectangle((left, top), side, side, color=_EMPTY, linewidth=0, zorder=1))
    if max(picture.shape[:2]) < 40:
        picture = picture.repeat(_SUPERSAMPLE, axis=0).repeat(_SUPERSAMPLE, axis=1)
    high, wide = (max(length * side / max(picture.shape[:2]), 0.02) for length in picture.shape[:2])
    x, y = left + (side - wide) / 2, top + (side - high) / 2
    sheet.imshow(picture, extent=(x, x + wide, y + high, y), interpolation="antialiased", zorder=2)


def write(sheet: Axes, left: float, top: float, text: str, size: float, **how: Any) -> None:
    """Write ``text`` with its upper left corner there; ``how`` as matplotlib's ``Axes.text``."""
    usual: dict[str, Any] = {"va": "top", "color": INK, "linespacing": _LINE - 0.1}
    sheet.text(left, top, text, size=size, **usual | how)


def bar(sheet: Axes, left: float, top: float, width: float, share: float, colour: str) -> None:
    """A bar of ``width`` inches of which ``share`` is filled."""
    for length, shade in ((width, GRID), (width * share, colour)):
        sheet.add_patch(Rectangle((left, top), length, 0.055, color=shade, linewidth=0, zorder=2))


def _foot(sheet: Axes, card: Card, left: float, top: float, size: Sizes) -> None:
    """The bar with its number, and the file's name below."""
    number = percent(card.probability)
    room = text_width("99.99 %", size.small) / 72 + 0.06
    line = size.small * _LINE / 72
    bar(sheet, left, top + line / 2 - 0.03, size.side - room, card.probability, RUN_COLOURS[0])
    write(sheet, left + size.side, top, number, size.small, ha="right", gid="probability")
    name = shorten(card.file, size.side * 72, size.small)
    write(sheet, left, top + line + 0.01, name, size.small, color=MUTED, gid="file")
