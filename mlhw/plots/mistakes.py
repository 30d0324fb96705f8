"""A page of the worst mistakes: the pictures of which the model was surest, and wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlhw.plots.axes import percent
from mlhw.plots.grid import HEAD_GAP, bar, canvas, place, sizes, write
from mlhw.plots.page import MARGIN, Head, Page
from mlhw.plots.pictures import displayable
from mlhw.plots.style import INK, MUTED, WRONG, look
from mlhw.plots.text import fit, text_width

MOST_MISTAKES: Final = 28  # four rows of seven
_LINE: Final = 1.25  # line height over font size
_SMALLEST: Final = 6.0  # points


class Mistakes(NamedTuple):
    """Rows that were taken for another class, the most confident first: class indices, and the predicted one's probability."""

    row: Int[np.ndarray, " rows"]
    truth: Int[np.ndarray, " rows"]
    predicted: Int[np.ndarray, " rows"]
    probability: Float[np.ndarray, " rows"]


def draw_mistakes(
    images: Shaped[np.ndarray, "rows height width channels"],
    found: Mistakes,
    class_names: Sequence[str],
    total: int,
    split: str = "test",
) -> Figure:
    """A figure of ``images`` (rows, height, width, 1 or 3), titled with what the model said, the truth below.

    Args:
        images: of the mistakes, in their order.
        found: what was said of them.
        class_names: in the order of the indices.
        total: how many mistakes there are in all.
        split: whose rows they are.

    Raises:
        ValueError: there are none, the arrays do not belong together, or the images are neither grey nor RGB.
    """
    if images.ndim != 4 or images.shape[3] not in (1, 3) or not len(images):
        raise ValueError(f"images should be (rows, height, width, 1 or 3), at least one, got {images.shape}")
    if any(len(values) != len(images) for values in found):
        raise ValueError(f"{len(images)} images, but {[len(values) for values in found]} values")
    shown, size = displayable(images), sizes(len(images))
    width = max(2 * MARGIN + (size.columns - 1) * size.pitch + size.side, 4.5)
    lines = [range(start, min(start + size.columns, len(images))) for start in range(0, len(images), size.columns)]
    with look():
        head = Head(_heading(len(images), total, split), _NOTES.format(split=split), width - 2 * MARGIN)
        room = size.side * 72
        said = [
            fit(class_names[index], room, size.title, _SMALLEST, 2, bold=True) for index in found.predicted.tolist()
        ]
        true = [
            fit(f"truth: {class_names[index]}", room, size.small + 1, _SMALLEST, 2) for index in found.truth.tolist()
        ]
        above = [_height([said[i] for i in line]) + 0.04 for line in lines]
        below = [_height([true[i] for i in line]) + 2 * size.small * _LINE / 72 + 0.32 for line in lines]
        page = Page(
            width, 2 * MARGIN + head.height + HEAD_GAP + sum(above) + sum(below) + len(lines) * size.side - 0.16
        )
        head.draw(page)
        sheet = canvas(page)
        top = MARGIN + head.height + HEAD_GAP
        for line, over, under in zip(lines, above, below, strict=True):
            for column, i in enumerate(line):
                left, y = MARGIN + column * size.pitch, top + over
                words, points = said[i]
                write(sheet, left, y - 0.085, words, points, weight="bold", va="baseline", color=WRONG, gid="predicted")
                place(sheet, np.ascontiguousarray(shown[i]), left, y, size.side)
                y += size.side + 0.06
                _sure(sheet, float(found.probability[i]), left, y, size.side, size.small)
                y += size.small * _LINE / 72 + 0.03
                write(sheet, left, y, *true[i], color=INK, gid="truth")
                y += _height([true[i]])
                write(sheet, left, y, f"row {int(found.row[i])}", size.small, color=MUTED, gid="row")
            top += over + size.side + under
        sheet.set(xlim=(0, page.width), ylim=(page.height, 0), aspect="auto")  # imshow has moved the limits
    return page.figure


_NOTES: Final = "Above: what the model takes it for; the bar: how sure it is. Row: position in {split}, from 0."


def _heading(shown: int, total: int, split: str) -> str:
    if shown == total:
        return (
            f"The only mistake on {split}"
            if total == 1
            else f"All {total:,} mistakes on {split}, the most confident first"
        )
    return f"The {shown} most confident of {total:,} mistakes on {split}"


def _height(texts: Sequence[tuple[str, float]]) -> float:
    """Inches of the tallest of ``texts``, each with its size in points."""
    return max((text.count("\n") + 1) * points * _LINE / 72 for text, points in texts)


def _sure(sheet: Axes, probability: float, left: float, top: float, side: float, points: float) -> None:
    """A bar as long as the model is sure, with the number at its end."""
    room = text_width("99.99 %", points) / 72 + 0.06
    bar(sheet, left, top + points * _LINE / 144 - 0.03, side - room, probability, WRONG)
    write(sheet, left + side, top, percent(probability), points, ha="right", gid="probability")
