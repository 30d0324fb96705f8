"""scikit-learn's handwritten digits: 1,797 images of 8×8 pixels, values 0 to 16; they come with scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets.cache import prepared

CLASS_NAMES = tuple("0123456789")
ROWS = 1797


def load(place: Place, *, split_rows: int = 500, split_seed: int = 4803) -> Splits:
    """The digits, ``split_rows`` of them for training and the rest for test; inputs uint8 (rows, 8, 8, 1), 0 to 16.

    The draw is scikit-learn's ``train_test_split(train_size=split_rows, random_state=split_seed)``.
    """
    settings = {"split_rows": split_rows, "split_seed": split_seed}
    return prepared(place, "digits", settings, lambda folder: _build(folder, split_rows, split_seed))


def _build(_: Path, split_rows: int, split_seed: int) -> Splits:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    pixels = images.astype(np.uint8).reshape(-1, 8, 8, 1)
    train_x, test_x, train_y, test_y = train_test_split(pixels, labels, train_size=split_rows, random_state=split_seed)
    return Splits(Split(train_x, train_y, CLASS_NAMES), test=Split(test_x, test_y, CLASS_NAMES))
