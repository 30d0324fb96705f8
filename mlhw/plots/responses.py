"""What filters answer to a picture: their maps beside it, brighter the higher, each with a bar of its real values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure

from mlhw.plots.filters import scaled
from mlhw.plots.page import MARGIN, Head, Page, columns
from mlhw.plots.style import INK, MUTED, RUN_COLOURS, SMALL, look
from mlhw.plots.text import fit, text_width

NOTES: Final = (
    "Brighter is higher: in each map black is its lowest value, white its highest (named below). Nothing is clipped."
)
_IN_A_ROW: Final = 4  # cells
_SIDES: Final = (
    (4, 2.6),
    (12, 2.1),
    (24, 1.5),
    (1 << 30, 1.1),
)  # up to so many cells: inches, the side of a square one
_SMALLEST: Final = 5.5  # points
_NARROWEST: Final = 0.95  # inches for a cell's texts
_BELOW, _APART = 0.36, 0.22  # inches: for a bar with its values, between cells
_BAR: Final = 0.08  # inches
_THUMB: Final = 0.27  # inches, the filter beside its name
_BESIDE: Final = _THUMB + 0.07  # inches that it takes
_ABOVE: Final = {False: 0.22, True: _BESIDE}  # inches for a name, without and with that


def value(number: float, digits: int = 3) -> str:
    """``number`` in so many digits, with true minus signs and no zeros in front of its power of ten."""
    mantissa, mark, power = f"{number + 0.0:.{digits}g}".partition("e")
    return f"{mantissa}{mark}{int(power) if mark else ''}".replace("-", "\N{MINUS SIGN}")


def shades(values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """``values`` in 0..1, the lowest 0 and the highest 1; mid-grey (0.5) where all are the same."""
    numbers = np.asarray(values, dtype=np.float64)
    low, high = numbers.min(), numbers.max()
    return (numbers - low) / (high - low) if high > low else np.full(numbers.shape, 0.5)


def draw_responses(
    picture: UInt8[np.ndarray, "rows columns 3"],
    maps: Float[np.ndarray, "filters height width"],
    indices: Sequence[int],
    *,
    title: str,
    note: str = "",
    thumbnails: Float[np.ndarray, "filters 3 kernel_height kernel_width"] | None = None,
) -> Figure:
    """A figure of ``picture`` and of the ``maps`` of filters, all stretched to the picture's shape.

    Args:
        picture: what the network saw, in any size.
        maps: the answers, in the units of the layer.
        indices: which filters they are, in their layer.
        title: stands above.
        note: what else is to be said below it.
        thumbnails: the filters themselves, where their channels are red, green and blue.

    Raises:
        ValueError: there are no maps, or the arguments do not belong together.
    """
    if not len(maps) or len(maps) != len(indices) or (thumbnails is not None and len(thumbnails) != len(maps)):
        raise ValueError(f"{len(indices)} filters with maps of shape {maps.shape}")
    cells = 1 + len(maps)
    side = next(inches for most, inches in _SIDES if cells <= most)
    aspect = math.sqrt(picture.shape[1] / picture.shape[0])
    wide, high = side * aspect, side / aspect
    above = _ABOVE[thumbnails is not None]
    names = [f"filter {index}" for index in indices]
    with look():
        longest = max(text_width(name, SMALL, bold=True) for name in names) / 72 + (
            0 if thumbnails is None else _BESIDE
        )
        room = max(wide, longest, _NARROWEST)
        across, down = room + _APART, above + high + _BELOW
        beside = cells if cells <= _IN_A_ROW and cells * across < 12 else columns(cells, across, down, _APART)
        width = max(beside * across - _APART, 4.0)
        head = Head(title, f"{NOTES} {note}".strip(), width)
        page = Page(width + 2 * MARGIN, head.height + math.ceil(cells / beside) * down + MARGIN * 1.5)
        head.draw(page)
        for place in range(cells):
            left = MARGIN + place % beside * across
            top = MARGIN + head.height + place // beside * down
            if place == 0:
                _name(page, "the picture", None, left, top + above)
                _draw_picture(page, picture, left, top + above, wide, high)
                continue
            thumbnail = None if thumbnails is None else thumbnails[place - 1]
            _name(page, names[place - 1], thumbnail, left, top + above)
            _draw_map(page, maps[place - 1], left, top + above, wide, high)
            _draw_bar(page, maps[place - 1], left, top + above + high + 0.06, room)
    return page.figure


def _draw_picture(page: Page, picture: np.ndarray, left: float, top: float, wide: float, high: float) -> None:
    axes = page.axes(left, top, wide, high)
    axes.imshow(picture, aspect="auto", interpolation="antialiased")
    axes.set_axis_off()


def _name(page: Page, name: str, thumbnail: np.ndarray | None, left: float, below: float) -> None:
    """Write ``name`` above a cell that begins at ``below``, after a small picture of the filter where there is one."""
    if thumbnail is not None:
        height, width = thumbnail.shape[1:]
        wide, high = (_THUMB * size / max(height, width) for size in (width, height))
        axes = page.axes(left, below - 0.05 - high, wide, high)
        axes.imshow(np.moveaxis(scaled(thumbnail), 0, 2), aspect="auto", interpolation="nearest")
        axes.set_axis_off()
        left += _BESIDE
    page.write(left, below - 0.06, name, SMALL, weight="bold", va="bottom", gid="name")


def _draw_map(page: Page, values: np.ndarray, left: float, top: float, wide: float, high: float) -> None:
    axes = page.axes(left, top, wide, high)
    grey = shades(values)
    small = max(values.shape) < max(wide, high) * page.figure.dpi
    axes.imshow(grey, cmap="gray", vmin=0, vmax=1, aspect="auto", interpolation="nearest" if small else "antialiased")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.spines[:].set(color=MUTED, linewidth=0.5)


def _draw_bar(page: Page, values: np.ndarray, left: float, top: float, room: float) -> None:
    """The shades of a map from its lowest to its highest value, ``room`` inches wide, and zero where it lies between."""
    low, high = float(values.min()), float(values.max())
    if not high > low:
        text, size = fit(f"{value(low)} everywhere", room * 72, SMALL - 1, _SMALLEST, 1)
        page.write(left, top, text, size, gid="value")
        return
    bar = page.axes(left, top, room, _BAR)
    bar.imshow(np.linspace(0, 1, 256)[None], cmap="gray", aspect="auto", extent=(low, high, 0, 1))
    bar.set(xticks=[], yticks=[])
    bar.spines[:].set_visible(True)
    bar.spines[:].set(color=MUTED, linewidth=0.5)
    ends, widths = _ends(low, high, room)
    below = top + _BAR + 0.03
    page.write(left, below, ends[0], SMALL - 1, gid="value")
    page.write(left + room, below, ends[1], SMALL - 1, ha="right", gid="value")
    zero = -low / (high - low) * room
    if widths[0] + 0.1 < zero < room - widths[1] - 0.1:
        page.write(left + zero, below, "0", SMALL - 1, ha="center", color=INK, gid="value")
        bar.axvline(0, color=RUN_COLOURS[3], linewidth=0.8)


def _ends(low: float, high: float, room: float) -> tuple[list[str], list[float]]:
    """``low`` and ``high`` in as many digits as fit beside each other into ``room``, and their widths, in inches."""
    for digits in (3, 2, 1):
        texts = [value(end, digits) for end in (low, high)]
        widths = [text_width(text, SMALL - 1) / 72 for text in texts]
        if sum(widths) + 0.08 <= room:
            break
    return texts, widths
