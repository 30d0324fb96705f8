"""Whether what a learner keeps are numbers: no NaN and no infinity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from mlhw.arrays import Array


def all_finite(state: Any) -> bool:
    """Whether every floating-point array in ``state``, however deep in dicts and lists, is finite. One pass over them."""
    arrays = list(_floating(state))
    if not arrays or not hasattr(arrays[0], "detach"):
        return all(np.isfinite(array).all() for array in arrays)
    import torch

    # One call for all of them, and one transfer from the device. The sum of squares, which NaN passes on, is many times as
    # fast as the largest magnitude, and is infinite too where numbers are merely large.
    detached = [array.detach() for array in arrays]
    return any(_are_finite(torch._foreach_norm(detached, order)) for order in (2.0, float("inf")))


def _are_finite(norms: Any) -> bool:
    import torch

    return bool(torch.stack([norm.double() for norm in norms]).isfinite().all())


def finite_members(state: Any, members: int) -> np.ndarray:
    """Which members of a stack (members,) have finite arrays alone; in ``state`` arrays begin with the axis of members."""
    found = np.ones(members, dtype=bool)
    for array in _floating(state):
        if array.shape[:1] != (members,):
            continue  # one number for all
        if hasattr(array, "detach"):
            found &= array.detach().flatten(1).abs().amax(1).isfinite().cpu().numpy()
        else:
            found &= np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
    return found


def _floating(value: Any) -> Iterator[Array]:
    if isinstance(value, dict | list | tuple):
        items: Iterable[Any] = value.values() if isinstance(value, dict) else value
        for item in items:
            yield from _floating(item)
    elif getattr(value, "ndim", 0) and 0 not in value.shape and _is_floating(value):
        yield value


def _is_floating(array: Array) -> bool:
    return array.dtype.kind == "f" if isinstance(array, np.ndarray) else array.is_floating_point()
