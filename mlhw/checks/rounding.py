"""How far rounding moves the value of a function: measured, since only the function knows how many sums are in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from jaxtyping import Float

Function = Callable[[np.ndarray], Any]

EPSILON: Final = float(np.finfo(np.float64).eps)  # 2.2e-16
_PAIRS = 6
_ULPS = 8


def measured_rounding(f: Function, w: Float[np.ndarray, "..."], value: Any = None) -> float:
    """The error, as a norm, that float64 rounding puts on ``f`` near ``w``: at least half a unit in f's last place.

    Six pairs of points a few units in the last place on both sides of ``w`` are tried. There f(w+δ) - 2 f(w) + f(w-δ) is
    zero but for rounding, whatever the slope of f: curvature adds δ² or 1e-30. Thirteen evaluations of ``f``.
    """
    middle = np.asarray(f(w) if value is None else value)
    rng = np.random.default_rng(0)  # which neighbours are tried decides nothing
    found = 0.5 * EPSILON * float(np.linalg.norm(middle))
    for _ in range(_PAIRS):
        step = _ULPS * EPSILON * np.maximum(np.abs(w), 1.0) * rng.choice([-1.0, 1.0], w.shape)
        bend = np.asarray(f(w + step)) - 2.0 * middle + np.asarray(f(w - step))
        found = max(found, 0.5 * float(np.linalg.norm(bend)))
    return found
