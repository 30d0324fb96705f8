"""Stored images as the eye wants them."""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Shaped, UInt8

DARK: Final = 64
"""A set of 8-bit images without any value from here on is no set of photos but counts, such as 0..16: it is stretched."""


def displayable(images: Shaped[np.ndarray, "rows height width channels"]) -> UInt8[np.ndarray, "rows height width 3"]:
    """``images`` (1 or 3 channels) as RGB of 0 to 255, all by one rule so that they can be compared.

    Bytes stay as they are unless all are small; floats in 0..1 are scaled, others stretched from their lowest to their
    highest; what is not finite becomes black.
    """
    if images.dtype != np.uint8 or images.max(initial=0) < DARK:
        values = images.astype(np.float64)
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        if images.dtype == np.uint8:
            low = 0.0
        if low < 0 or high > 1:
            values = (values - low) / (high - low or 1.0)
        images = np.round(255 * np.clip(np.nan_to_num(values, nan=0.0), 0, 1)).astype(np.uint8)
    return np.broadcast_to(images, (*images.shape[:3], 3))
