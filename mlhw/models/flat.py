"""Stored examples as flat rows of numbers, as networks of dense layers take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Shaped, UInt8

from mlhw.arrays import Scaling

Rows = Float[np.ndarray, "*members rows features"]
Maker = Callable[[Shaped[np.ndarray, "*members rows features"]], Rows]


def flat_rows(stored: np.ndarray, scaling: Scaling, dtype: np.dtype, ones: bool = False) -> Rows:
    """``stored`` (rows, ...) as scaled rows of ``dtype``; with ``ones``, behind a first column of them. A copy."""
    values = int(np.prod(stored.shape[1:]))
    flat = np.empty((len(stored), ones + values), dtype)
    flat[:, int(ones) :] = stored.reshape(len(stored), values)
    return _scaled_in_place(scaling, values, dtype, ones)(flat)


def rows_of_bytes(
    stored: np.ndarray, scaling: Scaling, dtype: np.dtype, ones: bool = False
) -> tuple[UInt8[np.ndarray, "rows features"], Maker]:
    """``stored`` bytes as flat rows, and what makes some of those rows, to the bit, the same of ``flat_rows``.

    It is called for every few batches: what it needs is made here, what changes nothing is left out, and with ``ones`` the
    bytes have the column already, since arrays without gaps are twice as fast to convert.
    """
    flat = np.asarray(stored).reshape(len(stored), -1)  # not a memmap, each of whose slices passes through Python
    scaled = _scaled_in_place(scaling, flat.shape[1], dtype, ones)
    rows = np.pad(flat, ((0, 0), (1, 0))) if ones else flat
    return rows, lambda some: scaled(some.astype(dtype))


def _scaled_in_place(scaling: Scaling, values: int, dtype: np.dtype, ones: bool) -> Callable[[Rows], Rows]:
    """What scales rows in place, and writes 1 into their first column where they have one of ``ones``."""
    shift, scale = (_row(numbers, values, dtype, ones) for numbers in (scaling.shift, scaling.scale))
    shifts, scales = bool(shift.any()), bool((scale != 1).any())

    def scaled(rows: Rows) -> Rows:
        if shifts:
            rows -= shift
        if scales:
            rows *= scale
        if ones:
            rows[..., 0] = 1.0
        return rows

    return scaled


def _row(numbers: Sequence[float], values: int, dtype: np.dtype, ones: bool) -> np.ndarray:
    """``numbers`` repeated to a row of ``values``, or one number for all."""
    if len(numbers) == 1:
        return np.array(numbers[0], dtype)
    row = np.resize(np.asarray(numbers, dtype), values)
    return np.pad(row, (int(ones), 0))
