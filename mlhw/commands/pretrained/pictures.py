"""The pictures of a run once more, small, for its figures."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from mlhw.datasets.pictures import BadImage, open_picture

MOST_ON_A_SHEET = 100
THREADS = 2  # each may hold a picture of 50 megapixels


def spread(count: int, most: int) -> list[int]:
    """Up to ``most`` of the places 0 to ``count`` - 1, evenly spread: folders tend to be sorted by what they show."""
    if count <= most:
        return list(range(count))
    return [round(number * (count - 1) / (most - 1)) for number in range(most)] if most > 1 else [0][:most]


def small(paths: Sequence[Path], most_pixels: int) -> list[UInt8[np.ndarray, "height width 3"]]:
    """The pictures at ``paths``, none longer than ``most_pixels`` on a side; a grey square for one that is gone by now."""
    with warnings.catch_warnings(), ThreadPoolExecutor(THREADS) as pool:
        warnings.simplefilter("ignore")
        return list(pool.map(lambda path: _small(path, most_pixels), paths))


def _small(path: Path, most_pixels: int) -> UInt8[np.ndarray, "height width 3"]:
    try:
        image = open_picture(path)
    except BadImage:
        return np.full((64, 64, 3), 200, dtype=np.uint8)
    image.thumbnail((most_pixels, most_pixels))
    return np.array(image)
