"""A figure laid out in inches from its upper left corner: a heading, small notes, and pictures below them."""

from __future__ import annotations

import math
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlhw.plots.style import LARGE, MUTED, SMALL, new_figure
from mlhw.plots.text import fit, wrap

MARGIN: Final = 0.25  # inches
_MOST_WIDE: Final = 11.8  # inches between the margins
_SHAPE: Final = 1.6  # width over height that a grid should have
_LINE: Final = 1.3  # line height over font size
_GAP: Final = 0.12  # inches between the head and what is below


class Head:
    """A heading and the notes below it, broken to ``width`` inches; ``height`` in inches, the gap below included.

    Make it within ``style.look``: texts are measured.
    """

    def __init__(self, title: str, notes: str, width: float) -> None:
        self.title, self.size = fit(title, width * 72, LARGE, SMALL, 3, bold=True)
        self.notes = wrap(notes, width * 72, SMALL) if notes else []
        self._title_height = (self.title.count("\n") + 1) * self.size * _LINE / 72
        self.height = self._title_height + len(self.notes) * SMALL * _LINE / 72 + _GAP

    def draw(self, page: Page) -> None:
        """Write it at the top of ``page``."""
        page.write(MARGIN, MARGIN, self.title, self.size, weight="bold", gid="title", linespacing=_LINE - 0.1)
        below = MARGIN + self._title_height + 0.03
        page.write(MARGIN, below, "\n".join(self.notes), SMALL, color=MUTED, gid="notes", linespacing=_LINE - 0.1)


class Page:
    """A figure of ``width`` × ``height`` inches, whose places are inches from its left and from its top."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure: Figure = new_figure(width, height)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Empty axes in that place."""
        place = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(place)

    def write(self, left: float, top: float, text: str, size: float, **how: Any) -> None:
        """``text`` whose upper left corner is there; ``how`` as matplotlib's ``Figure.text``."""
        if text:
            self.figure.text(left / self.width, 1 - top / self.height, text, size=size, **({"va": "top"} | how))


def columns(cells: int, across: float, down: float, apart: float) -> int:
    """How many of ``cells`` stand beside each other: a landscape page, not too wide, with few empty places in its last row.

    A cell takes ``across`` × ``down`` inches, of which ``apart`` lie between it and the next one on its right.
    """
    most = min(cells, max(1, int((_MOST_WIDE + apart) / across)))

    def ugliness(count: int) -> float:
        rows = math.ceil(cells / count)
        return abs(math.log(count * across / (rows * down) / _SHAPE)) + 0.7 * (rows * count - cells) / count

    return min(range(1, most + 1), key=ugliness)
