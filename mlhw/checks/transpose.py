"""The transpose test: backward multiplies by Jᵀ, so <J v, u> = <v, Jᵀ u> for every v and u.

J v comes from the function and not from its backward: either from a forward derivative by hand, and then both sides agree to
rounding, or from differences along v, and then to about ten digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from jaxtyping import Float

TOLERANCE: Final = 1e-12  # of the products that are summed, J v by hand
TOLERANCE_OF_DIFFERENCES: Final = 1e-7


def transpose_error(
    jv: Float[np.ndarray, "..."], u: Float[np.ndarray, "..."], v: Mapping[str, np.ndarray], jtu: Mapping[str, np.ndarray]
) -> tuple[float, float, float]:
    """|<Jv, u> - <v, Jᵀu>| relative to ‖Jv‖‖u‖ + ‖v‖‖Jᵀu‖, and the two products. ``v`` and ``jtu`` hold arrays by argument."""
    left = float(np.vdot(jv, u))
    right = float(sum(float(np.vdot(v[name], jtu[name])) for name in v))
    size = np.linalg.norm(jv) * np.linalg.norm(u) + sum(np.linalg.norm(v[n]) * np.linalg.norm(jtu[n]) for n in v)
    return (abs(left - right) / float(size) if size > 0 else abs(left - right)), left, right


def derivative_along(
    f: Callable[[np.ndarray], Any], w: Float[np.ndarray, "*shape"], v: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "..."]:
    """J v by central differences of steps h and h/2, extrapolated (Richardson): the error falls as h⁴.

    h = ε^(1/5) moves the farthest entry by 7e-4 and leaves about twelve digits. Four evaluations of ``f``.
    """
    reach = float(np.max(np.abs(v), initial=0.0))
    if reach == 0.0:
        return np.zeros_like(np.asarray(f(w)), dtype=np.float64)
    step = float(np.finfo(np.float64).eps) ** 0.2 / reach

    def slope(h: float) -> np.ndarray:
        above, below = w + h * v, w - h * v
        return np.asarray((np.asarray(f(above)) - np.asarray(f(below))) / (2.0 * h), dtype=np.float64)

    return (4.0 * slope(step / 2.0) - slope(step)) / 3.0
