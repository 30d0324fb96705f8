"""Central differences against every entry of a gradient, in float64.

(f(w + h) - f(w - h)) / 2h misses the slope by h² f‴/6 and by the rounding of f over h; both are smallest together near
h = ∛2.2e-16 = 6e-6, which leaves about ten digits. Two evaluations of f an entry.

An entry smaller than what rounding leaves visible cannot be confirmed to many digits by any difference. It is held to the
resolution instead: with rounding ρ of f, differences of 2h are uncertain by ρ/h, and an error is counted relative to no less
than ρ/h over the tolerance.

At a kink (ReLU at 0) the slopes from the left and from the right differ, and any value between them is a derivative. Where
one-sided slopes disagree the step is shortened: either the kink was only near, or the interval of both is what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from mlhw.checks.rounding import EPSILON, measured_rounding

STEP: Final = EPSILON ** (1 / 3)
TOLERANCE: Final = 1e-6  # relative; right gradients differ by 1e-8 or less, a wrong digit in a formula by far more
_SHORTER: Final = 32.0
_SUSPICIOUS: Final = 1e-3  # one-sided slopes of a smooth f differ by h f″/f′, or 1e-5
CERTAIN: Final = 8.0  # the rounding measured at a few places, times this, is what it is at the worst of all entries


@dataclass(frozen=True, eq=False)
class Differences:
    """The slope in each entry, from ``low`` to ``high``, which differ at kinks alone; rounding moves it by up to ``noise``."""

    low: Float[np.ndarray, "*shape"]
    high: Float[np.ndarray, "*shape"]
    noise: float

    @property
    def kinks(self) -> int:
        """The number of entries that sit on a kink, or nearer to one than the step."""
        return int(np.count_nonzero(self.low != self.high))

    def nearest(self, got: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The right value in each entry; on a kink that of the allowed ones which is nearest to ``got``."""
        return np.where(np.isnan(got), self.low, np.clip(got, self.low, self.high))


@dataclass(frozen=True)
class Worst:
    """The largest relative error of a gradient, the entry that has it, and what stands there."""

    error: float
    entry: tuple[int, ...] | None
    got: float | None
    expected: float | None


def central_differences(
    f: Callable[[np.ndarray], float], w: Float[np.ndarray, "*shape"], step: float = STEP, rounding: float | None = None
) -> Differences:
    """The slope of the scalar function ``f`` in every entry of ``w``. ``f`` is given an array that it must not keep."""
    point = np.array(w, dtype=np.float64)
    value = float(f(point))
    rounding = measured_rounding(f, point) if rounding is None else rounding
    low, high = np.empty(point.shape), np.empty(point.shape)
    for entry in np.ndindex(point.shape):
        low[entry], high[entry] = entry_slope(f, point, entry, value, step, rounding)
    return Differences(low, high, CERTAIN * rounding / step)


def entry_slope(
    f: Callable[[np.ndarray], float],
    point: Float[np.ndarray, "*shape"],
    entry: tuple[int, ...],
    value: float,
    step: float,
    rounding: float,
) -> tuple[float, float]:
    """The lowest and highest slope of ``f`` in one entry of ``point``, which is changed and put back; ``value`` is f there."""
    wide = max(1.0, abs(float(point[entry])))
    slope, jump = _slopes(f, point, entry, value, step * wide)
    noise = CERTAIN * rounding / step
    if not abs(jump) > _SUSPICIOUS * abs(slope) + noise:
        return slope, slope
    near, near_jump = _slopes(f, point, entry, value, step * wide / _SHORTER)
    vague = _SHORTER * noise  # a shorter step sees more rounding
    if abs(near_jump) > max(0.5 * abs(jump), vague):  # the jump stays: the kink is here
        spread = 0.5 * abs(near_jump) + vague
        return near - spread, near + spread
    if abs(slope - near) <= vague:
        return slope, slope
    if abs(near_jump) > 0.5 * abs(jump) / _SHORTER:  # it shrinks with the step: f is smooth and bends strongly
        return near, near
    return near - vague, near + vague  # a kink between the two steps


def _slopes(
    f: Callable[[np.ndarray], float], point: np.ndarray, entry: tuple[int, ...], value: float, step: float
) -> tuple[float, float]:
    """The central slope, and the right-hand slope less the left-hand one."""
    at = float(point[entry])
    point[entry] = at + step
    above, right = float(f(point)), float(point[entry]) - at
    point[entry] = at - step
    below, left = float(f(point)), at - float(point[entry])
    point[entry] = at
    return (above - below) / (right + left), (above - value) / right - (value - below) / left


def worst_entry(got: Float[np.ndarray, "*shape"], expected: Float[np.ndarray, "*shape"], least: float = 0.0) -> Worst:
    """The entry of ``got`` with the largest error, relative to the larger of both values, or to ``least`` if both are smaller.

    An entry that is not finite is worse than all others.
    """
    if not got.size:
        return Worst(0.0, None, None, None)
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.maximum(np.maximum(np.abs(got), np.abs(expected)), least)
        errors = np.divide(np.abs(got - expected), size, out=np.zeros(got.shape), where=size > 0)
    errors = np.where(np.isfinite(got) & np.isfinite(expected), errors, np.inf)
    # Of equally wrong entries (a wrong sign makes all errors 2) the largest value shows the fault best.
    ties = errors >= errors.max() * (1.0 - 1e-6)
    place = np.unravel_index(int(np.argmax(np.where(ties, np.nan_to_num(np.abs(expected)), -1.0))), got.shape)
    entry = tuple(int(axis) for axis in place)
    return Worst(float(errors[entry]), entry, float(got[entry]), float(expected[entry]))


def against_differences(got: Float[np.ndarray, "*shape"], found: Differences, tolerance: float = TOLERANCE) -> Worst:
    """The worst entry of ``got``; entries that differences cannot resolve to ``tolerance`` are held to what they can."""
    return worst_entry(got, found.nearest(got), found.noise / tolerance)
