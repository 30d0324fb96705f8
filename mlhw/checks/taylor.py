"""The gradient test and the Jacobian test: how fast Taylor's remainders vanish.

For a point w, a direction d and ε halved again and again (Haber's and Treister's course; Nocedal & Wright, ch. 8):

    r0(ε) = |f(w + εd) - f(w)|            falls as ε   (slope 1 on log axes): f is continuous, d is not along a level
    r1(ε) = |f(w + εd) - f(w) - ε dᵀ∇f|   falls as ε²  (slope 2) with the right gradient, as ε with a wrong one

For f with many values, norms and the Jacobian-vector product J d take the place of | · | and dᵀ∇f. Three choices make the
measured slopes reliable; each is there because the test misled without it:

* The step is what arrives: (w + εd) - w in float64, which is not εd to the last digit.
* A remainder counts only where it is a hundred times what rounding does to it (:mod:`mlhw.checks.rounding`), and of those
  the slope is fitted to the eight with the smallest ε: larger ones still feel the next term of the series.
* Where nothing is left but rounding the map is linear, or piecewise so and away from its kinks: the derivative is then exact,
  and there is no slope to measure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float

from mlhw.checks.rounding import EPSILON, Function, measured_rounding

HALVINGS: Final = 20
FIRST: Final = 0.125  # of a direction of length 1
SAFE: Final = 100.0  # a remainder this many times rounding has two digits that are not rounding
POINTS: Final = 8
FEWEST: Final = 3  # points that make a slope
STEEP: Final = 1.9  # from here on r1 falls as ε²; a wrong gradient gives 1
_ABRUPT: Final = (
    5.0  # a smooth r1 leaves the hundredfold by a factor of 4 a halving; a kink passed drops it to rounding
)


@dataclass(frozen=True, eq=False)
class Taylor:
    """Remainders at each ε (largest first), what rounding does to them, and the two slopes.

    A slope is None where the remainder never stands out of rounding: for the second, the derivative is exact there.
    ``used`` marks the points that each slope was fitted to.
    """

    steps: Float[np.ndarray, " steps"]
    zeroth: Float[np.ndarray, " steps"]
    first: Float[np.ndarray, " steps"]
    rounding: Float[np.ndarray, " steps"]
    slopes: tuple[float | None, float | None]
    used: tuple[Bool[np.ndarray, " steps"], Bool[np.ndarray, " steps"]]

    @property
    def passed(self) -> bool:
        """Whether the derivative is right along this direction: r1 falls as ε² (or faster), or is rounding alone."""
        if not np.isfinite(self.first[-1]):
            return False
        return self.slopes[1] is None or self.slopes[1] >= STEEP

    @property
    def exact(self) -> bool:
        """Whether r1 is rounding alone."""
        return self.slopes[1] is None and self.passed

    def __str__(self) -> str:
        if not np.isfinite(self.first[-1]):
            return "the derivative is not finite"
        last = (
            "exact to rounding" if self.exact else f"{self.slopes[1]:.2f} ({self.used[1].sum()} of {len(self.steps)})"
        )
        zeroth = "–" if self.slopes[0] is None else f"{self.slopes[0]:.2f} ({self.used[0].sum()} points)"
        return f"slopes {zeroth} and {last}"


def taylor_test(
    f: Function,
    gradient: Float[np.ndarray, "*shape"],
    w: Float[np.ndarray, "*shape"],
    direction: Float[np.ndarray, "*shape"],
    halvings: int = HALVINGS,
    first: float = FIRST,
) -> Taylor:
    """Both remainders of the scalar ``f`` at ``w`` with its ``gradient`` there, for ``first`` halved ``halvings`` times.

    ``direction`` is best made by :func:`choose_direction`: nearly orthogonal to the gradient it would hide slope 1.
    """
    return jacobian_test(f, lambda step: np.vdot(gradient, step), w, direction, halvings, first)


def jacobian_test(
    f: Function,
    jvp: Callable[[np.ndarray], Any],
    w: Float[np.ndarray, "*shape"],
    direction: Float[np.ndarray, "*shape"],
    halvings: int = HALVINGS,
    first: float = FIRST,
) -> Taylor:
    """The same for ``f`` of any output shape: ``jvp(v)`` is J v, the derivative of ``f`` at ``w`` along ``v``."""
    value = np.asarray(f(w))
    floor = measured_rounding(f, w, value)
    steps = first * 0.5 ** np.arange(halvings + 1)
    rows = np.array([_remainders(f, jvp, w, value, step * direction) for step in steps])
    rounding = floor + EPSILON * rows[:, 2]
    slopes, used = zip(*(_slope(steps, rows[:, order], rounding, exact=order == 1) for order in (0, 1)), strict=True)
    return Taylor(steps, rows[:, 0], rows[:, 1], rounding, slopes, used)


def _remainders(f: Function, jvp: Callable[[np.ndarray], Any], w: np.ndarray, value: Any, step: np.ndarray) -> Any:
    """‖Δf‖, ‖Δf - J step‖, and the size of the numbers that were subtracted."""
    moved = w + step
    with np.errstate(all="ignore"):  # a step too long may overflow; its remainder is then left out
        there, linear = np.asarray(f(moved)), np.asarray(jvp(moved - w))
        change = there - value
        size = np.linalg.norm(there) + np.linalg.norm(linear)
        return float(np.linalg.norm(change)), float(np.linalg.norm(change - linear)), float(size)


def _slope(
    steps: np.ndarray, remainders: np.ndarray, rounding: np.ndarray, exact: bool
) -> tuple[float | None, Bool[np.ndarray, " steps"]]:
    """The least-squares slope of log remainder over log step at the smallest steps that count, and which those are."""
    counts = np.flatnonzero(np.isfinite(remainders) & (remainders > SAFE * rounding))
    used = np.zeros(len(steps), bool)
    if len(counts) < FEWEST:
        return None, used
    after = counts[-1] + 1
    if exact and after < len(steps) and remainders[after] < _ABRUPT * rounding[after]:
        return None, used
    used[counts[-POINTS:]] = True
    slope, _ = np.polyfit(np.log2(steps[used]), np.log2(remainders[used]), 1)
    return float(slope), used


def random_direction(
    like: Mapping[str, np.ndarray], rng: np.random.Generator, along: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """A direction of length 1 that moves every array of ``like`` equally far, by name.

    Each array's part is normal numbers, and half of it that array's part of ``along`` (a gradient) where one is given.
    """
    parts = {}
    for name, array in like.items():
        part = _unit(rng.standard_normal(array.shape))
        if along is not None:
            ahead = _unit(along[name])
            part = _unit(ahead + (part if float(np.vdot(part, ahead)) >= 0 else -part))  # never against each other
        parts[name] = part
    length = np.sqrt(sum(float(np.vdot(part, part)) for part in parts.values())) or 1.0
    return {name: part / length for name, part in parts.items()}


def most_bent(
    f: Function, w: Float[np.ndarray, " n"], directions: list[Float[np.ndarray, " n"]]
) -> Float[np.ndarray, " n"]:
    """That of ``directions`` in which ``f`` bends most: slope 2 can be seen only where there is an ε² term to see."""
    value = np.asarray(f(w))

    def bend(direction: np.ndarray) -> float:
        step = 2.0**-10 * direction
        size = float(np.linalg.norm(np.asarray(f(w + step)) - 2.0 * value + np.asarray(f(w - step))))
        return size if np.isfinite(size) else -1.0

    return max(directions, key=bend)


def choose_direction(
    f: Function, gradient: Float[np.ndarray, "*shape"], w: Float[np.ndarray, "*shape"], rng: np.random.Generator
) -> Float[np.ndarray, "*shape"]:
    """A direction of length 1 for :func:`taylor_test` in which both slopes show, among eight draws.

    Half of each draw is ``gradient`` itself, so that f changes at first order; of the eight it is the one in which ``f``
    bends most. A wrong gradient is still found: the random half is not orthogonal to its error.
    """
    draws = [random_direction({"": w}, rng, {"": gradient})[""].reshape(-1) for _ in range(8)]
    return most_bent(lambda flat: f(flat.reshape(w.shape)), w.reshape(-1), draws).reshape(w.shape)


def _unit(array: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(array))
    return array / length if np.isfinite(length) and length > 0 else np.zeros_like(array)
