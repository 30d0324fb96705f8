"""MNIST (LeCun, Cortes and Burges) and Fashion-MNIST (Zalando Research): 28×28 grey images of ten classes.

Read from IDX files, plain or ``.gz``, in ``<data>/MNIST/raw`` and ``<data>/FashionMNIST/raw``; MNIST also from label-first
CSVs ``<data>/MNIST/mnist_train.csv`` and ``mnist_test.csv``.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets import idx, labels, pixels
from mlhw.datasets.cache import fingerprint, prepared
from mlhw.errors import DataError, DataMissing


@dataclass(frozen=True, slots=True)
class Family:
    """A data set in MNIST's format: its name, its folder (and class in torchvision), and its ten classes."""

    name: str
    folder: str
    class_names: tuple[str, ...]


MNIST = Family("mnist", "MNIST", tuple("0123456789"))
FASHION = Family(
    "fashion-mnist",
    "FashionMNIST",
    ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
IDX_FILES = {  # to the number of dimensions
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}
CSV_FILES = ("mnist_train.csv", "mnist_test.csv")


def load(place: Place, *, source: Literal["auto", "idx", "csv"] = "auto") -> Splits:
    """MNIST: train and test, inputs uint8 (rows, 28, 28, 1), targets int64 0 to 9.

    Args:
        place: where the data lies.
        source: the IDX files, the CSVs, or (``auto``) whichever is there, the IDX files first.

    Raises:
        DataMissing: neither is there; names the files, the folder and the command that fetches them.
        DataError: a file is cut off or garbled; names it, with the bytes (or the line) expected and got.
    """
    csvs = [Path(place.data) / MNIST.folder / name for name in CSV_FILES]
    if source == "auto":
        all_idx = all(_idx_file(place, MNIST, name) for name in IDX_FILES)
        source = "csv" if not all_idx and all(path.is_file() for path in csvs) else "idx"
    if source == "idx":
        return _load_idx(place, MNIST)
    absent = [path.name for path in csvs if not path.is_file()]
    if absent:
        raise DataMissing(
            f"MNIST's CSVs are not all in {csvs[0].parent}: missing {', '.join(absent)}. Put them there, set MLHW_DATA, "
            "or run `mlhw data fetch mnist` and set data.source: idx."
        )
    return prepared(place, "mnist-csv", {"files": fingerprint(csvs)}, lambda _: _from_csvs(place, csvs))


def load_fashion(place: Place) -> Splits:
    """Fashion-MNIST: train and test, inputs uint8 (rows, 28, 28, 1), targets int64 0 to 9. Raises as ``load``."""
    return _load_idx(place, FASHION)


def _idx_file(place: Place, family: Family, name: str) -> Path | None:
    raw = Path(place.data) / family.folder / "raw"
    return next((path for path in (raw / name, raw / f"{name}.gz") if path.is_file()), None)


def _load_idx(place: Place, family: Family) -> Splits:
    found = {name: _idx_file(place, family, name) for name in IDX_FILES}
    files = [path for path in found.values() if path is not None]
    absent = [name for name, path in found.items() if path is None]
    if absent:
        raise DataMissing(
            f"{family.folder} is not all in {Path(place.data) / family.folder / 'raw'}: missing {', '.join(absent)} "
            f"(plain, or with .gz). Run `mlhw data fetch {family.name}`, or set MLHW_DATA to the folder that holds "
            f"{family.folder}/."
        )
    settings = {"files": fingerprint(files)}
    return prepared(place, family.name, settings, lambda folder: _from_idx(place, family, files, folder))


def _from_idx(place: Place, family: Family, files: list[Path], folder: Path) -> Splits:
    """The splits as torchvision reads them, from copies in ``folder`` that were unpacked and checked byte by byte.

    The copies cost 55 MB of disk for a moment: the data folder may be read-only and hold ``.gz`` files alone.
    """
    shapes = []
    with tempfile.TemporaryDirectory(dir=folder) as root:
        raw = Path(root) / family.folder / "raw"
        raw.mkdir(parents=True)
        for done, (path, (name, dimensions)) in enumerate(zip(files, IDX_FILES.items(), strict=True)):
            place.progress(f"preparing {family.name}", done, len(files))
            data, shape = idx.contents(path, dimensions, f"mlhw data fetch {family.name}")
            (raw / name).write_bytes(data)
            shapes.append(shape)
        _agree(files, shapes)
        parts = _torchvision(root, family)
    place.progress(f"preparing {family.name}", len(files), len(files))
    splits = []
    for path, part in zip(files[1::2], parts, strict=True):
        targets = part.targets.numpy().astype(np.int64)
        if targets.max() > 9:
            row = int(np.argmax(targets > 9))
            raise DataError(f"{path}: label {targets[row]} of row {row + 1} is not 0 to 9. Replace the file.")
        splits.append(Split(part.data.numpy()[..., np.newaxis], targets, family.class_names))
    return Splits(splits[0], test=splits[1])


def _torchvision(root: str, family: Family) -> list[Any]:
    from mlhw.vision import torchvision

    reader = torchvision.datasets.FashionMNIST if family is FASHION else torchvision.datasets.MNIST
    return [reader(root, train=train, download=False) for train in (True, False)]


def _agree(files: list[Path], shapes: list[tuple[int, ...]]) -> None:
    """Raise DataError unless images are 28×28 and there are as many labels as images, at least one."""
    for images, names in ((0, 1), (2, 3)):
        rows, height, width = shapes[images]
        if (height, width) != (28, 28):
            raise DataError(
                f"{files[images]}: expected images of 28×28 pixels, got {height}×{width}. Replace the file."
            )
        if rows == 0 or rows != shapes[names][0]:
            raise DataError(
                f"{files[images]} holds {rows} images, but {files[names].name} {shapes[names][0]} labels: "
                "they must be as many, and at least one. Replace both files."
            )


def _from_csvs(place: Place, csvs: list[Path]) -> Splits:
    splits = []
    for done, path in enumerate(csvs):
        place.progress("preparing mnist", done, len(csvs))
        table = pixels.read(path)
        inputs = pixels.as_images(table, (28, 28, 1))
        if inputs.dtype != np.uint8:
            raise DataError(
                f"{path}: MNIST's pixels are whole numbers from 0 to 255; this file has others. Replace it."
            )
        targets = labels.indices(table.labels, MNIST.class_names, table.where)
        splits.append(Split(inputs, targets, MNIST.class_names))
    place.progress("preparing mnist", len(csvs), len(csvs))
    return Splits(splits[0], test=splits[1])
