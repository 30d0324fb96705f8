"""The filters of a convolution, drawn: the first layer's in colour and channel by channel, deeper ones' as far as one sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mlhw.plots.page import MARGIN, Head, Page, columns
from mlhw.plots.style import MUTED, SMALL, look
from mlhw.plots.text import fit, text_width

COLOURS: Final = ("red", "green", "blue")
STRONGEST: Final = 3  # channels that are shown of a filter with many
_SIDES: Final = ((4, 1.15), (16, 0.63), (1 << 30, 0.45))  # up to so many filters: inches a tile
_MOST_LABELLED: Final = 16  # of more filters in colour, what their tiles are is said once
_SMALLEST: Final = 5.5  # points
_GAP: Final = 0.06  # inches between the tiles of a filter
_APART: Final = 0.28  # inches between filters
_ALONE: Final = 1.7  # a tile that is its filter's only one is so much larger
_NAMED: Final = 0.18  # inches for a filter's name above its tiles
_LABELS: Final = 0.15  # inches for the labels below


class Tile(NamedTuple):
    """One square of a figure: ``pixels`` from 0 (black) to 1 (white), grey (height, width) or RGB (height, width, 3)."""

    label: str
    pixels: Float[np.ndarray, "..."]


def scaled(weights: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """``weights`` in 0..1 for drawing: 0 is mid-grey (0.5), the largest magnitude 0 or 1; all zero is all mid-grey.

    One range for what is given together, symmetric about 0, so that nothing is clipped.
    """
    values = np.asarray(weights, dtype=np.float64)
    largest = np.abs(values).max(initial=0.0)
    return 0.5 + 0.5 * (values / largest) if largest else np.full(values.shape, 0.5)


def tiles(weights: Float[np.ndarray, "channels height width"], colour: bool) -> list[Tile]:
    """What is drawn of one filter.

    With ``colour`` (three channels: red, green, blue): the filter as a picture, and each channel, all in one range. Else its
    mean magnitude over the channels, from 0 (black) to the largest (white), and the ``STRONGEST`` channels by norm in the
    range of the whole filter. A filter of 1×1 is one square of all its channels, row by row, the rest of it mid-grey.
    """
    values = scaled(weights)
    if colour:
        return [Tile("RGB", np.moveaxis(values, 0, 2)), *map(Tile, COLOURS, values)]
    if len(weights) == 1:
        return [Tile("", values[0])]
    if weights.shape[1:] == (1, 1):
        side = math.isqrt(len(weights) - 1) + 1
        square = np.full(side * math.ceil(len(weights) / side), 0.5)
        square[: len(weights)] = values.ravel()
        return [Tile("", square.reshape(-1, side))]
    magnitudes = np.abs(weights.astype(np.float64)).mean(axis=0)
    norms = np.square(weights.astype(np.float64)).sum(axis=(1, 2))
    strongest = np.argsort(-norms, kind="stable")[:STRONGEST]
    mean = Tile("mean |w|", magnitudes / (magnitudes.max() or 1.0))
    return [mean, *(Tile(f"ch {channel}", values[channel]) for channel in strongest)]


def draw_filters(
    weights: Float[np.ndarray, "filters channels height width"],
    indices: Sequence[int],
    *,
    colour: bool,
    title: str,
) -> Figure:
    """A figure of ``weights``, each filter named by its index in the layer and by its largest magnitude, its range.

    Args:
        weights: of the filters that are shown.
        indices: which they are in their layer.
        colour: whether their three channels are red, green and blue.
        title: stands above.

    Raises:
        ValueError: there are no filters, or the arguments do not belong together.
    """
    if not len(weights) or len(weights) != len(indices) or (colour and weights.shape[1] != 3):
        raise ValueError(f"{len(indices)} filters of shape {weights.shape}{' in colour' if colour else ''}")
    shown = [tiles(filter_, colour) for filter_ in weights]
    side = next(inches for most, inches in _SIDES if len(shown) <= most) * (_ALONE if len(shown[0]) == 1 else 1)
    labelled = bool(shown[0][0].label) and not (colour and len(shown) > _MOST_LABELLED)
    with look():
        tiled = len(shown[0]) * (side + _GAP) - _GAP
        names = _names(weights, indices, tiled)
        across = max(tiled, max(text_width(name, SMALL, bold=True) for name in names) / 72 + 0.02)
        down = _NAMED + side + (_LABELS if labelled else 0) + 0.12
        beside = columns(len(shown), across + _APART, down, _APART)
        rows = math.ceil(len(shown) / beside)
        width = max(beside * (across + _APART) - _APART, 3.6)
        head = Head(title, caption(weights.shape[1:], colour), width)
        page = Page(width + 2 * MARGIN, head.height + rows * down + 2 * MARGIN)
        head.draw(page)
        plane = _plane(page)
        for place, (name, row) in enumerate(zip(names, shown, strict=True)):
            left = MARGIN + place % beside * (across + _APART)
            top = MARGIN + head.height + place // beside * down
            page.write(left, top, name, SMALL, weight="bold", gid="filter")
            for tile in row:
                _draw_tile(plane, tile.pixels, left, top + _NAMED, side)
                if labelled:
                    below = top + _NAMED + side + 0.03
                    label, size = fit(tile.label, side * 72, SMALL - 1, _SMALLEST, 1)
                    page.write(left + side / 2, below, label, size, ha="center", gid="tile")
                left += side + _GAP
        plane.set(xlim=(0, page.width), ylim=(page.height, 0))
    return page.figure


def _names(
    weights: Float[np.ndarray, "filters channels height width"], indices: Sequence[int], room: float
) -> list[str]:
    """What stands above each filter: its index and its range; shorter where ``room`` (inches) is too small for all."""
    ranges = [f"±{largest:.2g}" for largest in np.abs(weights).max(axis=(1, 2, 3))]
    names = [f"filter {index}: {range_}" for index, range_ in zip(indices, ranges, strict=True)]
    if max(text_width(name, SMALL, bold=True) for name in names) <= room * 72:
        return names
    return [name.removeprefix("filter ") for name in names]


def caption(shape: tuple[int, ...], colour: bool) -> str:
    """How the tiles of filters of ``shape`` (channels, height, width) are to be read."""
    channels, height, width = shape
    scale = "Each filter has its own range, named beside its number: grey is 0, white the upper end, black the lower."
    if colour:
        order = "From the left: all three as a picture, red alone, green alone, blue alone."
        return f"{height}×{width} weights for each of red, green and blue. {order} {scale}"
    if channels == 1:
        return f"{height}×{width} weights on one channel. {scale}"
    if (height, width) == (1, 1):
        return f"1×1 weights on {channels} channels, drawn row by row as a square. {scale}"
    shown = min(STRONGEST, channels)
    return (
        f"{height}×{width} weights on {channels} channels. From the left: their mean magnitude over all channels (black is 0, "
        f"white the largest), then the {shown} channels of largest norm. {scale}"
    )


def _plane(page: Page) -> Axes:
    """Axes over the whole page in inches: one, since hundreds of them take seconds."""
    page.figure.suppressComposite = True  # or the SVG writer first makes one picture of all, which takes seconds
    axes = page.axes(0, 0, page.width, page.height)
    axes.set_axis_off()
    return axes


def _draw_tile(plane: Axes, pixels: Float[np.ndarray, "..."], left: float, top: float, side: float) -> None:
    """Draw ``pixels`` in the square whose upper left corner is there; each of them square, all in the middle of it."""
    height, width = pixels.shape[:2]
    wide, high = side * width / max(height, width), side * height / max(height, width)
    x, y = left + (side - wide) / 2, top + (side - high) / 2
    extent = (x, x + wide, y + high, y)
    plane.imshow(pixels, cmap="gray", vmin=0.0, vmax=1.0, extent=extent, interpolation="nearest", aspect="auto")
    plane.add_patch(Rectangle((x, y), wide, high, fill=False, edgecolor=MUTED, linewidth=0.5))
