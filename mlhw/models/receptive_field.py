"""Receptive fields, exactly: which pixels of the input each place of a layer's output sees.

Along one axis each place sees from a first to a last pixel; height and width are kept apart. Places at the border see fewer
pixels than those in the middle, and pixels that no window reaches are not counted, which the usual recursion on one number
(``numerics.arithmetic.widen``) cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True)
class Span:
    """Along one axis of ``size`` input pixels: the first and the last that each place sees; first > last where none."""

    first: Int[np.ndarray, " places"]
    last: Int[np.ndarray, " places"]
    size: int

    @property
    def widest(self) -> int:
        """How many pixels the place sees that sees most; a hole between dilated taps counts as seen."""
        return max(0, int((self.last - self.first).max()) + 1)

    @property
    def sees_all(self) -> bool:
        """Whether every place sees the whole axis."""
        return bool((self.first == 0).all() and (self.last == self.size - 1).all())

    def through(self, taps: Int[np.ndarray, "places taps"]) -> Span:
        """What windows over these places see; ``taps`` are places, those outside of the axis are padding."""
        inside = (taps >= 0) & (taps < len(self.first))
        reached = np.where(inside, taps, 0)
        first = np.where(inside, self.first[reached], self.size).min(axis=1)
        last = np.where(inside, self.last[reached], -1).max(axis=1)
        return Span(first, last, self.size)

    def joined(self) -> Span:
        """One place that sees what all of them see."""
        return Span(self.first.min(keepdims=True), self.last.max(keepdims=True), self.size)

    def beside(self, other: Span) -> Span:
        """What a sum or product place by place sees; one place alone goes with every other."""
        return Span(np.minimum(self.first, other.first), np.maximum(self.last, other.last), self.size)


def of_input(size: int) -> Span:
    """Each of ``size`` pixels sees itself."""
    return Span(np.arange(size), np.arange(size), size)


def window_taps(
    places: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Int[np.ndarray, "places taps"]:
    """The input places under each of ``places`` windows: i·stride - padding + j·dilation."""
    return np.arange(places)[:, None] * stride - padding + np.arange(kernel) * dilation


def adaptive_taps(size: int, places: int) -> Int[np.ndarray, "places taps"]:
    """The same for ``places`` windows that share ``size`` input places evenly: ⌊i·size/places⌋ to ⌈(i+1)·size/places⌉ - 1."""
    starts = np.arange(places) * size // places
    ends = -(-(np.arange(places) + 1) * size // places)
    taps = starts[:, None] + np.arange((ends - starts).max())
    return np.where(taps < ends[:, None], taps, -1)
