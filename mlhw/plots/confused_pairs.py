"""The pairs of classes that are mixed up most: true class, predicted class, how often, and how much of the class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mlhw.plots.axes import percent
from mlhw.plots.confusion import Confused, most_confused, share_colours
from mlhw.plots.grid import canvas
from mlhw.plots.page import MARGIN, Head, Page
from mlhw.plots.style import INK, MUTED, NORMAL, SMALL, look
from mlhw.plots.text import shorten, text_width

MOST_PAIRS: Final = 20
_LINE: Final = 0.27  # inches from row to row
_LONGEST_NAME: Final = 2.1  # inches
_BAR: Final = 2.4  # inches of the longest bar
_GAP: Final = 0.16  # inches between columns
_ARROW: Final = 0.34  # inches, from name to name


def draw_confused_pairs(
    matrix: Int[np.ndarray, "classes classes"], class_names: Sequence[str], split: str = "test"
) -> Figure:
    """A table of the most confused pairs of the confusion ``matrix`` (row = truth), most rows first, with bars.

    A bar has the colour of its cell in the confusion matrix.

    Raises:
        ValueError: the matrix is not square, or the names are not as many as its rows.
    """
    classes = len(class_names)
    if matrix.shape != (classes, classes) or not classes:
        raise ValueError(f"a matrix of shape {matrix.shape} for {classes} class names")
    pairs = most_confused(matrix, class_names, MOST_PAIRS)
    colours = share_colours(np.array([pair.share for pair in pairs]))
    mistakes = int(matrix.sum() - np.trace(matrix))
    with look():
        names = [[shorten(name, _LONGEST_NAME * 72, NORMAL) for name in (pair.truth, pair.predicted)] for pair in pairs]
        truth, predicted = (
            max([text_width(each[side], NORMAL) for each in names] + [text_width(word, SMALL)]) / 72
            for side, word in ((0, "truth"), (1, "predicted"))
        )
        times = max([text_width(f"{pair.rows:,}", NORMAL) / 72 for pair in pairs] + [text_width("times", SMALL) / 72])
        share = text_width("of the class", SMALL) / 72
        ends = np.cumsum([truth, _ARROW, predicted, _GAP, times, _GAP, share, _GAP, _BAR]).tolist()
        width = max(2 * MARGIN + ends[-1], 4.5)
        head = Head(f"Most confused classes on {split}", _notes(pairs, mistakes), width - 2 * MARGIN)
        page = Page(width, 2 * MARGIN + head.height + _LINE * (len(pairs) + 1))
        head.draw(page)
        sheet = canvas(page)
        places = (truth, truth + _ARROW, ends[4], ends[6], ends[7])  # ends of columns 0, 2 and 3, starts of 1 and 4
        at = [MARGIN + place for place in places]
        top = MARGIN + head.height + _LINE / 2
        for x, text, side in zip(at, ("truth", "predicted", "times", "of the class"), _SIDES, strict=False):
            sheet.text(x, top, text if pairs else "", size=SMALL, color=MUTED, ha=side, va="center_baseline")
        for row, (pair, (true, guess)) in enumerate(zip(pairs, names, strict=True), start=1):
            y = top + row * _LINE
            texts = (true, guess, f"{pair.rows:,}", percent(pair.share))
            for x, text, side in zip(at, texts, _SIDES, strict=False):
                sheet.text(x, y, text, size=NORMAL, color=INK, ha=side, va="center_baseline")
            sheet.text(at[0] + _ARROW / 2, y, "→", size=NORMAL, color=MUTED, ha="center", va="center_baseline")
            length = _BAR * pair.rows / pairs[0].rows
            box = {"facecolor": colours[row - 1], "edgecolor": MUTED, "linewidth": 0.5, "gid": "bar"}
            sheet.add_patch(Rectangle((at[4], y - 0.075), length, 0.15, zorder=2, **box))
        sheet.set(xlim=(0, page.width), ylim=(page.height, 0))
    return page.figure


_SIDES: Final = ("right", "left", "right", "right")


def _notes(pairs: Sequence[Confused], mistakes: int) -> str:
    if not pairs:
        return "No mistake at all."
    told = sum(pair.rows for pair in pairs)
    these = f"These {len(pairs)} pairs are" if len(pairs) > 1 else "This pair is"
    if told == mistakes:
        return f"All {mistakes:,} mistakes are of {these}." if mistakes > 1 else "The only mistake."
    return f"{these} {told:,} of the {mistakes:,} mistakes ({percent(told / mistakes)}). Colours: as in the matrix."
