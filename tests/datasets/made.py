"""Small data sets, made on the spot in the formats of the real ones."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlhw.arrays import Splits

IDX_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx(array: np.ndarray) -> bytes:
    """``array`` (uint8) as an IDX file."""
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def mnist_arrays(train: int = 40, test: int = 12, seed: int = 0) -> list[np.ndarray]:
    """Images and labels of train and test, uint8, in the order of ``IDX_NAMES``."""
    rng = np.random.default_rng(seed)
    arrays = []
    for rows in (train, test):
        arrays += [rng.integers(0, 256, (rows, 28, 28), dtype=np.uint8), (np.arange(rows) % 10).astype(np.uint8)]
    return arrays


def write_mnist(data: Path, kind: str = "MNIST", packed: bool = False, **sizes: int) -> list[np.ndarray]:
    """The arrays that were written to ``<data>/<kind>/raw``."""
    raw = data / kind / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    arrays = mnist_arrays(**sizes)
    for name, array in zip(IDX_NAMES, arrays, strict=True):
        if packed:
            (raw / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (raw / name).write_bytes(idx(array))
    return arrays


def picture(
    path: Path, colour: Sequence[int] | int = (200, 30, 30), size: tuple[int, int] = (24, 20), **options
) -> Path:
    """The path of a picture of one colour, in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(colour, int) else {3: "RGB", 4: "RGBA"}[len(colour)]
    Image.new(mode, size, colour if isinstance(colour, int) else tuple(colour)).save(path, **options)
    return path


def noise(path: Path, size: tuple[int, int] = (64, 48), seed: int = 0, **options) -> Path:
    """The path of a picture of coloured noise: large enough as a file to be cut anywhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


GROCERY_CLASSES = """Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),Iconic,Description
Pink-Lady,0,Apple,0,/a,/b
Royal-Gala,1,Apple,0,/a,/b
Lime,2,Lime,1,/a,/b
"""
GROCERY_LISTS = {
    "train": [
        ("train/Apple/Pink-Lady/1.jpg", 0, 0),
        ("train/Lime/1.jpg", 2, 1),
        ("train/Apple/Royal-Gala/1.jpg", 1, 0),
    ],
    "val": [("val/Lime/1.jpg", 2, 1)],
    "test": [("test/Apple/Pink-Lady/1.jpg", 0, 0), ("test/Lime/1.jpg", 2, 1)],
}


def write_grocery(folder: Path) -> Path:
    """``folder``, holding three lists, their pictures and classes.csv. A picture's red tells its row in its list."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classes.csv").write_text(GROCERY_CLASSES, encoding="utf-8")
    for split, lines in GROCERY_LISTS.items():
        (folder / f"{split}.txt").write_text("".join(f"{p}, {f}, {c}\n" for p, f, c in lines), encoding="utf-8")
        for row, (path, _, _) in enumerate(lines):
            picture(folder / path, (60 * row, 128, 0), quality=95)
    return folder


def never(what: str) -> Callable[..., Splits]:
    """A function that fails the test when it is called."""

    def fail(*_: object, **__: object) -> Splits:
        pytest.fail(what)

    return fail
