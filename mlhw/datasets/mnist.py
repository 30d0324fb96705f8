"""MNIST (LeCun, Cortes and Burges) and Fashion-MNIST (Zalando Research): 28×28 grey images of ten classes.

Read from IDX files, plain or ``.gz``, in ``<data>/MNIST/raw`` and ``<data>/FashionMNIST/raw``; MNIST also from label-first
CSVs ``<data>/MNIST/mnist_train.csv`` and ``mnist_test.csv``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import numpy as np

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets import idx, tables
from mlhw.datasets.cache import fingerprint, prepared
from mlhw.errors import DataError, DataMissing

DIGITS = tuple("0123456789")
FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
# In the order train images, train labels, test images, test labels; and their number of dimensions.
IDX_FILES = {
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
    folder = Path(place.data) / "MNIST"
    raw, absent = _idx_files(folder)
    csvs = [folder / name for name in CSV_FILES]
    use_csv = source == "csv" or (source == "auto" and absent and all(path.is_file() for path in csvs))
    if use_csv:
        _require(csvs)
        settings = {"csv": fingerprint(csvs)}
        return prepared(place, "mnist", settings, lambda _: _from_csvs(place, csvs))
    return _load_idx(place, "MNIST", DIGITS, raw, absent)


def load_fashion(place: Place) -> Splits:
    """Fashion-MNIST: train and test, inputs uint8 (rows, 28, 28, 1), targets int64 0 to 9. Raises as ``load``."""
    raw, absent = _idx_files(Path(place.data) / "FashionMNIST")
    return _load_idx(place, "FashionMNIST", FASHION, raw, absent)


def _idx_files(folder: Path) -> tuple[list[Path], list[str]]:
    """The IDX files of ``folder`` (plain before ``.gz``), and the names of those that are absent."""
    raw = folder / "raw"
    candidates = {name: (raw / name, raw / f"{name}.gz") for name in IDX_FILES}
    found = {name: next((path for path in paths if path.is_file()), None) for name, paths in candidates.items()}
    return [path for path in found.values() if path], [name for name, path in found.items() if path is None]


def _load_idx(place: Place, kind: str, class_names: tuple[str, ...], raw: list[Path], absent: list[str]) -> Splits:
    name = {"MNIST": "mnist", "FashionMNIST": "fashion-mnist"}[kind]
    if absent:
        folder = Path(place.data) / kind / "raw"
        raise DataMissing(
            f"{kind} is not all in {folder}: missing {', '.join(absent)} (plain, or with .gz). Run "
            f"`mlhw data fetch {name}`, or set MLHW_DATA to the folder that holds {kind}/."
        )
    settings = {"idx": fingerprint(raw)}
    return prepared(place, name, settings, lambda folder: _from_idx(place, kind, class_names, raw, folder))


def _from_idx(place: Place, kind: str, class_names: tuple[str, ...], files: list[Path], folder: Path) -> Splits:
    """The splits as torchvision reads them, from copies that were unpacked and checked byte by byte.

    The copies cost 55 MB of disk for a moment: the data folder may be read-only and hold ``.gz`` files alone.
    """
    from torchvision import datasets

    reader = getattr(datasets, kind)
    with tempfile.TemporaryDirectory(dir=folder) as root:
        unpacked = Path(root) / kind / "raw"
        unpacked.mkdir(parents=True)
        rows = []
        for done, (path, (name, dimensions)) in enumerate(zip(files, IDX_FILES.items(), strict=True)):
            place.progress(f"reading {kind}", done, len(files))
            data, shape = idx.contents(path, dimensions, f"mlhw data fetch {folder.name.strip('.').rpartition('-')[0]}")
            (unpacked / name).write_bytes(data)
            rows.append(shape)
        _agree(files, rows)
        parts = [reader(root, train=train, download=False) for train in (True, False)]
        place.progress(f"reading {kind}", len(files), len(files))
    images = [part.data.numpy()[..., np.newaxis] for part in parts]
    labels = [part.targets.numpy().astype(np.int64) for part in parts]
    for path, targets in zip(files[1::2], labels, strict=True):
        _in_range(path, targets)
    train, test = (Split(inputs, targets, class_names) for inputs, targets in zip(images, labels, strict=True))
    return Splits(train, test=test)


def _agree(files: list[Path], shapes: list[tuple[int, ...]]) -> None:
    """Raise DataError unless images are 28×28 and there are as many labels as images, at least one."""
    for images, labels in ((0, 1), (2, 3)):
        if shapes[images][1:] != (28, 28):
            height, width = shapes[images][1:]
            raise DataError(f"{files[images]}: expected images of 28×28 pixels, got {height}×{width}. Replace the file.")
        if shapes[images][0] != shapes[labels][0] or not shapes[images][0]:
            raise DataError(
                f"{files[images]} holds {shapes[images][0]} images, but {files[labels].name} {shapes[labels][0]} labels: "
                "they must be as many, and at least one. Replace both files."
            )


def _in_range(path: Path, targets: np.ndarray) -> None:
    wrong = np.flatnonzero((targets < 0) | (targets > 9))
    if len(wrong):
        raise DataError(f"{path}: label {targets[wrong[0]]} of row {wrong[0] + 1} is not 0 to 9. Replace the file.")


def _require(csvs: list[Path]) -> None:
    absent = [path.name for path in csvs if not path.is_file()]
    if absent:
        raise DataMissing(
            f"MNIST's CSVs are not all in {csvs[0].parent}: missing {', '.join(absent)}. Put them there, set MLHW_DATA, "
            "or run `mlhw data fetch mnist` and set data.source: idx."
        )


def _from_csvs(place: Place, csvs: list[Path]) -> Splits:
    parts = []
    for done, path in enumerate(csvs):
        place.progress("reading MNIST", done, len(csvs))
        table = tables.read_pixels(path)
        inputs = tables.as_images(table, (28, 28, 1))
        if inputs.dtype != np.uint8:
            raise DataError(f"{path}: MNIST's pixels are whole numbers from 0 to 255; this file has others.")
        targets = tables.class_indices(table, DIGITS)
        parts.append(Split(inputs, targets, DIGITS))
    place.progress("reading MNIST", len(csvs), len(csvs))
    return Splits(parts[0], test=parts[1])
