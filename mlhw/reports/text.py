"""Numbers and names as a reader sees them."""

from __future__ import annotations

import re
from typing import Final

NBSP: Final = "\N{NO-BREAK SPACE}"
DASH: Final = "–"
# C0 and C1 controls but tab and line feed, halves of surrogate pairs, and the signs that turn the direction of all that
# follows: a name may come from a stranger's data.
_HARMFUL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff\ufffe\uffff]"
)


def clean(text: str) -> str:
    """``text`` with signs that steer a terminal, a parser or the direction of writing as �."""
    return _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text)


def percent(share: float | None) -> str:
    """``0.9812`` as ``98.12 %``; a dash for none."""
    return DASH if share is None else f"{100 * share:.2f}{NBSP}%"


def spread(mean: float | None, deviation: float | None) -> str:
    """``97.37 ± 0.07 %`` of shares; without a deviation the mean alone."""
    if mean is None or deviation is None:
        return percent(mean)
    return f"{100 * mean:.2f}{NBSP}±{NBSP}{100 * deviation:.2f}{NBSP}%"


def loss(mean: float | None, deviation: float | None = None) -> str:
    """``0.0128``, or ``0.0128 ± 0.0004``; a dash for none."""
    if mean is None:
        return DASH
    return _loss(mean) if deviation is None else f"{_loss(mean)}{NBSP}±{NBSP}{_loss(deviation)}"


def _loss(value: float) -> str:
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 1000 else f"{value:.3g}"


def seconds(value: float | None) -> str:
    """A duration: ``0.8 s``, ``42 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if value is None:
        return DASH
    if value < 90:
        return f"{value:.1f}{NBSP}s" if value < 10 else f"{value:.0f}{NBSP}s"
    minutes, rest = divmod(round(value), 60)
    text = f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
    return text.replace(" ", NBSP)


def count(value: float | None) -> str:
    """``9,930``; a dash for none."""
    return DASH if value is None else f"{value:,.0f}"
