"""Sample predictions: images with what the model made of them, some at random and the most confident mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped
from matplotlib.figure import Figure

from mlhw.plots.axes import percent
from mlhw.plots.pictures import displayable
from mlhw.plots.style import INK, LARGE, MUTED, NORMAL, SMALL, WRONG, look, new_figure
from mlhw.plots.text import fit

COLUMNS: Final = 5
CELL: Final = 1.9  # inches from one image to the next
IMAGE: Final = 1.55
_MARGIN: Final = 0.2
_HEADING: Final = 0.3
_BLOCK_GAP: Final = 0.15
_CAPTION: Final = 1.72  # inches a caption may be wide
_SMALLEST: Final = 5.5  # points
_LINE: Final = 1.25  # line height over font size


def pick_samples(
    truth: Int[np.ndarray, " rows"],
    predicted: Int[np.ndarray, " rows"],
    probability: Float[np.ndarray, " rows"],
    count: int,
    seed: int,
) -> Int[np.ndarray, " picks"]:
    """Up to ``count`` row indices (picks,), drawn at random without a look at what was predicted, ascending.

    The same lengths, ``count`` and ``seed`` give the same rows, so two models are shown on the same images.
    """
    if not len(truth) == len(predicted) == len(probability):
        raise ValueError(f"{len(truth)} targets, {len(predicted)} predictions, {len(probability)} probabilities")
    return np.sort(np.random.default_rng(seed).choice(len(truth), size=min(count, len(truth)), replace=False))


def pick_mistakes(
    truth: Int[np.ndarray, " rows"],
    predicted: Int[np.ndarray, " rows"],
    probability: Float[np.ndarray, " rows"],
    count: int,
) -> Int[np.ndarray, " picks"]:
    """Up to ``count`` indices (picks,) of wrong rows, the most confident first; ties go to the earlier row."""
    wrong = np.flatnonzero(np.asarray(truth) != np.asarray(predicted))
    confidence = np.nan_to_num(np.asarray(probability, dtype=float)[wrong], nan=-1.0)
    return wrong[np.argsort(-confidence, kind="stable")][:count]


def draw_samples(
    images: Shaped[np.ndarray, "rows height width channels"],
    truth: Int[np.ndarray, " rows"],
    predicted: Int[np.ndarray, " rows"],
    probability: Float[np.ndarray, " rows"],
    class_names: Sequence[str],
    *,
    mistakes: int = 0,
    split: str = "test",
) -> Figure:
    """A figure of ``images`` (rows, height, width, 1 or 3), each above its prediction; the last ``mistakes`` in a block.

    A right prediction has a tick and its probability, a wrong one a cross and the truth. Images are uint8, or floats
    in 0..1; other floats are stretched together from their lowest to their highest.

    Raises:
        ValueError: the arrays do not belong together, or the images are neither grey nor RGB.
    """
    rows = len(images)
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise ValueError(f"images should be (rows, height, width, 1 or 3), got {images.shape}")
    if not len(truth) == len(predicted) == len(probability) == rows or not 0 <= mistakes <= rows:
        raise ValueError(
            f"{rows} images, but {len(truth)}, {len(predicted)}, {len(probability)} rows; {mistakes} mistakes"
        )
    shown = displayable(images)
    first = rows - mistakes
    blocks = [(f"Random {split} images", range(first)), ("Most confident mistakes", range(first, rows))]
    blocks = [(heading, block) for heading, block in blocks if len(block)]
    with look():
        captions = [_caption(int(truth[i]), int(predicted[i]), float(probability[i]), class_names) for i in range(rows)]
        height = _MARGIN + sum(_block_height([captions[i] for i in block]) for _, block in blocks)
        columns = min(COLUMNS, max((len(block) for _, block in blocks), default=1))
        figure = new_figure(2 * _MARGIN + max((columns - 1) * CELL + _CAPTION, 2.6), max(height, 1.0))
        top = figure.get_figheight() - _MARGIN / 2
        for heading, block in blocks:
            _write(figure, _MARGIN, top, heading, LARGE - 1, weight="bold", gid="heading")
            top -= _HEADING
            for start in range(block.start, block.stop, COLUMNS):
                line = range(start, min(start + COLUMNS, block.stop))
                for column, i in enumerate(line):
                    _draw_cell(figure, _MARGIN + column * CELL, top, shown[i], captions[i])
                top -= _row_height([captions[i] for i in line])
            top -= _BLOCK_GAP
        if not rows:
            _write(figure, _MARGIN, top, "no images", NORMAL, color=MUTED)
    return figure


class _Line(NamedTuple):
    """One paragraph of a caption: ``text``, perhaps of several lines, and its size in points and colour."""

    text: str
    size: float
    colour: str

    @property
    def height(self) -> float:
        """In inches."""
        return (self.text.count("\n") + 1) * self.size * _LINE / 72


def _caption(truth: int, predicted: int, probability: float, class_names: Sequence[str]) -> list[_Line]:
    """The paragraphs below an image: the verdict with the prediction, and the truth where it is another."""
    width = _CAPTION * 72
    right = truth == predicted
    said = f"{'✓' if right else '✗'} {class_names[predicted]} {_together(probability)}"
    lines = [_Line(*fit(said, width, SMALL, _SMALLEST, 4), INK if right else WRONG)]
    if not right:
        lines.append(_Line(*fit(f"truth: {class_names[truth]}", width, SMALL, _SMALLEST, 4), INK))
    return lines


def _together(probability: float) -> str:
    return f"({percent(probability)})".replace(" ", "\N{NO-BREAK SPACE}")


def _row_height(captions: Sequence[list[_Line]]) -> float:
    return IMAGE + 0.22 + max(sum(line.height for line in caption) for caption in captions)


def _block_height(captions: Sequence[list[_Line]]) -> float:
    rows = [captions[start : start + COLUMNS] for start in range(0, len(captions), COLUMNS)]
    return _HEADING + _BLOCK_GAP + sum(_row_height(row) for row in rows)


def _draw_cell(figure: Figure, left: float, top: float, image: np.ndarray, caption: list[_Line]) -> None:
    """Draw ``image`` (height, width, 3) in the cell whose upper left corner is at ``left``, ``top`` (inches)."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, (top - IMAGE) / height, IMAGE / width, IMAGE / height))
    small = max(image.shape[:2]) < IMAGE * figure.dpi
    axes.imshow(image, interpolation="nearest" if small else "antialiased")
    axes.set_axis_off()
    below = top - IMAGE - 0.05
    for line in caption:
        _write(figure, left, below, line.text, line.size, color=line.colour, linespacing=_LINE - 0.05, gid="caption")
        below -= line.height


def _write(figure: Figure, left: float, top: float, text: str, size: float, **how: Any) -> None:
    width, height = figure.get_size_inches()
    figure.text(left / width, top / height, text, size=size, va="top", **how)
