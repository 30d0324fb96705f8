"""Text that fits: how wide a text is, how to break or shorten it, and how to keep labels off one another."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from mlhw.plots.style import literal

_FINE = 10  # measured this much larger, so that the rounding to whole pixels does not add up
_MARGIN = 1.03  # a renderer at another resolution hints glyphs a little wider

# After a separator, or where a lower-case letter or digit meets a capital: "God-|Morgon", "Cross|Walk".
_BREAKS = re.compile(r"(?<=[-_/ ])|(?<=[a-z0-9])(?=[A-Z])")


@functools.cache
def _renderer() -> Any:
    create: Any = RendererAgg  # matplotlib does not annotate it
    return create(1, 1, 72 * _FINE)


@functools.lru_cache(maxsize=8192)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of one line of ``text`` in points. Call within ``style.look``."""
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = _renderer().get_text_width_height_descent(text, font, False)
    return float(width) / _FINE * _MARGIN


def shorten(text: str, width: float, size: float) -> str:
    """``text``, with its middle replaced by an ellipsis where it is wider than ``width`` points.

    The middle, because names that are alike tend to differ at the ends.
    """
    text = literal(text)
    if text_width(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high - 1:
        keep = (low + high) // 2
        fits = text_width(_without_middle(text, keep), size) <= width
        low, high = (keep, high) if fits else (low, keep)
    return _without_middle(text, low)


def _without_middle(text: str, keep: int) -> str:
    head = (keep + 1) // 2
    return text[:head].rstrip() + "…" + text[len(text) - (keep - head) :].lstrip()


def wrap(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """The lines of ``text``, none wider than ``width`` points; broken after separators, within a word only if needed."""
    lines = [""]
    for piece in _BREAKS.split(literal(text)):
        if text_width((lines[-1] + piece).rstrip(), size, bold) <= width:
            lines[-1] += piece
            continue
        lines.append("")
        for letter in piece:
            if lines[-1] and text_width(lines[-1] + letter, size, bold) > width:
                lines.append("")
            lines[-1] += letter
    return [line.strip() for line in lines if line.strip()] or [""]


def fit(text: str, width: float, size: float, smallest: float, lines: int, bold: bool = False) -> tuple[str, float]:
    """``text`` broken into at most ``lines`` lines of ``width`` points, and its size: ``size``, or down to ``smallest``.

    What does not fit even at the smallest size loses its middle.
    """
    while True:
        broken = wrap(text, width, size, bold)
        if len(broken) <= lines:
            return "\n".join(broken), size
        if size <= smallest:
            break
        size = max(smallest, size - 0.5)
    budget = lines * width
    while len(broken) > lines:
        broken = wrap(shorten(text, budget, size), width, size, bold)
        budget *= 0.97
    return "\n".join(broken), size


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> Float[np.ndarray, " labels"]:
    """Positions (labels,) as near to ``wanted`` as they can be, at least ``gap`` apart and within ``low``..``high``.

    Least squares by pooling neighbours that would overlap (isotonic regression on ``wanted - rank * gap``). Where there
    is no room for all, the gap shrinks to what there is.
    """
    count = len(wanted)
    if count == 0:
        return np.zeros(0)
    gap = min(gap, (high - low) / max(count - 1, 1))
    order = np.argsort(np.asarray(wanted, dtype=float), kind="stable")
    pools: list[list[float]] = []  # [sum, number]
    for rank, index in enumerate(order):
        pools.append([wanted[index] - rank * gap, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, number = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += number
    level = np.concatenate([np.full(int(number), total / number) for total, number in pools])
    placed = np.empty(count)
    placed[order] = np.clip(level, low, high - (count - 1) * gap) + np.arange(count) * gap
    return placed
