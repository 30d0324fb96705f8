"""How far rounding moves the value of a function: measured, since only the function knows how many sums are in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from jaxtyping import Float

Function = Callable[[np.ndarray], Any]

EPSILON: Final = float(np.finfo(np.float64).eps)  # 2.2e-16
_SCALES = (5.3e-14, 3.1e-12, 2.7e-10)  # of the larger of 1 and the entry; no powers of 2, whose sums are often exact


def measured_rounding(f: Function, w: Float[np.ndarray, "..."], value: Any = None) -> float:
    """The error, as a norm, that float64 rounding puts on ``f`` near ``w``: at least half a unit in f's last place.

    Six pairs of points beside ``w`` are tried. There f(w) - 2 f(w + δ) + f(w + 2δ) is zero but for rounding, whatever the
    slope of f: curvature adds δ², which is 1e-19 at most. Distances differ, since a sum of large numbers that cancel does
    not feel the smallest. Thirteen evaluations of ``f``.
    """
    value = np.asarray(f(w) if value is None else value)
    rng = np.random.default_rng(0)  # which neighbours are tried decides nothing
    found = 0.5 * EPSILON * float(np.linalg.norm(value))
    for scale in (*_SCALES, *_SCALES):
        near = w + scale * np.maximum(np.abs(w), 1.0) * rng.choice([-1.0, 1.0], w.shape)
        far = near + (near - w)  # twice as far as ``near`` came to be
        bend = value - 2.0 * np.asarray(f(near)) + np.asarray(f(far))
        found = max(found, 0.5 * float(np.linalg.norm(bend)))
    return found
