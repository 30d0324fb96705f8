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
_KINKED: Final = 1e-4  # slopes of a smooth f over 7e-4 and half of it differ by 1e-6 of the largest


def transpose_error(
    jv: Float[np.ndarray, "..."],
    u: Float[np.ndarray, "..."],
    v: Mapping[str, np.ndarray],
    jtu: Mapping[str, np.ndarray],
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

    h = ε^(1/5) moves the farthest entry by 7e-4 and leaves about twelve digits. Where both disagree there is a kink on the
    way: then h is a hundred times shorter, and leaves nine. Four evaluations of ``f``, or eight.
    """
    reach = float(np.max(np.abs(v), initial=0.0))
    if reach == 0.0:
        return np.zeros_like(np.asarray(f(w)), dtype=np.float64)

    def slopes(h: float) -> tuple[np.ndarray, np.ndarray]:
        both = [np.asarray(f(w + s * v), np.float64) - np.asarray(f(w - s * v), np.float64) for s in (h, h / 2.0)]
        return np.asarray(both[0] / (2.0 * h)), np.asarray(both[1] / h)

    step = float(np.finfo(np.float64).eps) ** 0.2 / reach
    wide, narrow = slopes(step)
    if float(np.abs(wide - narrow).max(initial=0.0)) > _KINKED * float(np.abs(narrow).max(initial=0.0)):
        wide, narrow = slopes(step / 100.0)
    return np.asarray((4.0 * narrow - wide) / 3.0)
