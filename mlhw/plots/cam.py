"""Grad-CAM over its picture: where in it the network found its class."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib import colormaps
from matplotlib.figure import Figure
from PIL import Image

from mlhw.plots.axes import percent
from mlhw.plots.page import MARGIN, Head, Page
from mlhw.plots.responses import value
from mlhw.plots.style import MUTED, SMALL, look

COLOURS: Final = "inferno"  # perceptually uniform, and lighter the hotter in grey print too
_COLDEST, _STRONGEST = 0.2, 0.8  # where in the colours heat begins, and how much of the hottest place is heat
_SIDE: Final = 3.4  # inches, of a square picture
_ABOVE, _APART, _BAR, _LABELS = 0.26, 0.22, 0.13, 0.48  # inches


def enlarged(heat: Float[np.ndarray, "height width"], rows: int, columns: int) -> Float[np.ndarray, "rows columns"]:
    """``heat`` brought to (rows, columns) by bilinear interpolation, the centres of its places where they belong."""
    picture = Image.fromarray(heat.astype(np.float32))
    return np.asarray(picture.resize((columns, rows), Image.Resampling.BILINEAR), dtype=np.float64)


def blended(
    picture: UInt8[np.ndarray, "rows columns 3"], heat: Float[np.ndarray, "height width"]
) -> Float[np.ndarray, "rows columns 3"]:
    """``picture`` in grey (0..1), under the colours of ``heat``: none where that is 0, most where it is largest."""
    rows, columns = picture.shape[:2]
    share = np.clip(enlarged(heat / (heat.max() or 1.0), rows, columns), 0.0, 1.0)[..., None]
    grey = (picture @ np.array([0.299, 0.587, 0.114]) / 255)[..., None]
    weight = _STRONGEST * np.sqrt(share)
    return (1 - weight) * grey + weight * _colours(share[..., 0])


def _colours(share: Float[np.ndarray, "..."]) -> Float[np.ndarray, "... 3"]:
    return colormaps[COLOURS](_COLDEST + (1 - _COLDEST) * share)[..., :3]


def draw_cam(
    picture: UInt8[np.ndarray, "rows columns 3"],
    heat: Float[np.ndarray, "height width"],
    *,
    class_name: str,
    probability: float,
    notes: str,
) -> Figure:
    """A figure of ``picture`` and of ``heat`` over it, titled by the class that the heat is for and its probability.

    Args:
        picture: what the network saw, in any size.
        heat: Grad-CAM, 0 or above.
        class_name: of the class.
        probability: that the network gives it, 0..1.
        notes: which network and layer.
    """
    aspect = math.sqrt(picture.shape[1] / picture.shape[0])
    wide, high = _SIDE * aspect, _SIDE / aspect
    with look():
        width = max(2 * wide + 2 * _APART + _BAR + _LABELS, 4.2)
        head = Head(f"{class_name} ({percent(probability)})".replace(" %", "\N{NO-BREAK SPACE}%"), notes, width)
        page = Page(width + 2 * MARGIN, head.height + _ABOVE + high + 2 * MARGIN)
        head.draw(page)
        top = MARGIN + head.height + _ABOVE
        panels = [("the picture", picture), ("what speaks for the class", blended(picture, heat))]
        for place, (name, pixels) in enumerate(panels):
            left = MARGIN + place * (wide + _APART)
            page.write(left, top - 0.06, name, SMALL, weight="bold", va="bottom", gid="name")
            axes = page.axes(left, top, wide, high)
            axes.imshow(pixels, aspect="auto", interpolation="antialiased")
            axes.set_axis_off()
        _draw_bar(page, float(heat.max()), MARGIN + 2 * (wide + _APART), top, high)
    return page.figure


def _draw_bar(page: Page, hottest: float, left: float, top: float, high: float) -> None:
    """The colours of the heat, from 0 to ``hottest``."""
    steps = np.linspace(0, 1, 256)[::-1, None]
    axes = page.axes(left, top, _BAR, high)
    axes.imshow(np.repeat(_colours(steps[:, 0])[:, None], 2, axis=1), aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.spines[:].set(color=MUTED, linewidth=0.5)
    right = left + _BAR + 0.05
    page.write(right, top, value(hottest), SMALL - 1, va="top", gid="value")
    page.write(right, top + high, "0", SMALL - 1, va="bottom", gid="value")
    page.write(right, top + high / 2, "heat", SMALL - 1, va="center", color=MUTED, rotation=90, gid="value")
