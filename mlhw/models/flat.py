"""Stored examples as flat rows of numbers, as networks of dense layers take them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from mlhw.arrays import Scaling


def flat_rows(
    stored: np.ndarray, scaling: Scaling, dtype: np.dtype, ones: bool = False
) -> Float[np.ndarray, "rows features"]:
    """``stored`` (rows, ...) as scaled rows of ``dtype``; with ``ones``, behind a first column of them. A copy."""
    values = int(np.prod(stored.shape[1:]))
    flat = np.empty((len(stored), values + ones), dtype)
    body = flat[:, int(ones) :]
    body[:] = stored.reshape(len(stored), -1)
    for operation, numbers in ((np.subtract, scaling.shift), (np.multiply, scaling.scale)):
        operation(body, np.resize(np.asarray(numbers, dtype), 1 if len(numbers) == 1 else values), out=body)
    if ones:
        flat[:, 0] = 1.0
    return flat
