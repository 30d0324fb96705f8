"""Data sets that a user describes by CSVs: of picture paths and labels, or of labels and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets import labels, pixels
from mlhw.datasets.cache import fingerprint, prepared
from mlhw.datasets.folder import with_test
from mlhw.datasets.images import Format, Picture, decode_splits
from mlhw.datasets.lists import ImageRow, read_list
from mlhw.datasets.locating import locate
from mlhw.datasets.splitting import TEST_SEED, carve
from mlhw.errors import DataError


def load_images(
    place: Place,
    *,
    train: str,
    val: str | None = None,
    test: str | None = None,
    image_size_pixels: int = 96,
    resize: Literal["squash", "crop"] = "squash",
    skip_bad: bool = False,
    channels: Literal[1, 3] = 3,
    test_fraction: float = 0.0,
) -> Splits:
    """The pictures that CSVs of ``path,label`` name, inputs uint8 (rows, size, size, channels), in the CSVs' order.

    Args:
        place: where the data lies.
        train: a CSV, from the current folder, else from the data folder; ``val`` and ``test`` likewise. A picture's path
            starts at its CSV's own folder. The classes are the labels of train.
        val, test: those splits, where there are any.
        image_size_pixels: the side of every picture.
        resize: ``squash`` or ``crop``, as ``images.Format`` has it.
        skip_bad: leave out pictures that cannot be read, and list them in ``skipped``.
        channels: 3 for colour, 1 for grey.
        test_fraction: of the training pictures, drawn class by class, become test where no CSV is given for it.

    Raises:
        DataMissing: a CSV is not there.
        DataError: a line is malformed, a label is no class of train, or pictures cannot be read; names file and line.
    """
    files = _csvs(place, train, val, test)
    rows = {split: read_list(path) for split, path in files.items()}
    names = labels.names_of(row.label for row in rows["train"])
    lists = {split: _pictures(files[split], part, names) for split, part in rows.items()}
    settings = {
        "files": fingerprint([*files.values(), *(picture.path for part in lists.values() for picture in part)]),
        "splits": list(files),
        "test_fraction": test_fraction,
        "skip_bad": skip_bad,
        "form": [image_size_pixels, resize, channels],
    }
    form = Format(image_size_pixels, resize, channels)

    def build(out: Path) -> Splits:
        return decode_splits(place, out, with_test(lists, test_fraction), names, form, skip_bad=skip_bad)

    return prepared(place, "image-csv", settings, build)


def load_pixels(
    place: Place,
    *,
    train: str,
    val: str | None = None,
    test: str | None = None,
    image_shape: tuple[int, int, int] | None = None,
    test_fraction: float = 0.0,
) -> Splits:
    """The numbers of CSVs of one example a row: (rows, numbers), or (rows, height, width, channels) by ``image_shape``.

    Inputs are uint8 where every number of every split is whole and 0 to 255, else float32.

    Args:
        place: where the data lies.
        train: a CSV, from the current folder, else from the data folder; ``val`` and ``test`` likewise. The label is the
            column named ``label``, else the first; the classes are the labels of train.
        val, test: those splits, where there are any.
        image_shape: height, width and channels of one example.
        test_fraction: of the training rows, drawn class by class, become test where no CSV is given for it.

    Raises:
        DataMissing: a CSV is not there.
        DataError: a row is malformed; names file and line.
    """
    files = _csvs(place, train, val, test)
    settings = {
        "files": fingerprint(files.values()),
        "splits": list(files),
        "image_shape": image_shape,
        "test_fraction": test_fraction,
    }

    def build(_: Path) -> Splits:
        tables = {}
        for done, (split, path) in enumerate(files.items()):
            place.progress("preparing tables", done, len(files))
            tables[split] = pixels.read(path)
        place.progress("preparing tables", len(files), len(files))
        return _as_splits(tables, image_shape, test_fraction)

    return prepared(place, "pixel-csv", settings, build)


def _csvs(place: Place, train: str, val: str | None, test: str | None) -> dict[str, Path]:
    given = {"train": train, "val": val, "test": test}
    found = {name: locate(place, text, f"data.{name}") for name, text in given.items() if text is not None}
    for name, path in found.items():
        if not path.is_file():
            raise DataError(f"data.{name}: expected a CSV, got the folder {path}.")
    return found


def _pictures(csv_file: Path, rows: Sequence[ImageRow], names: tuple[str, ...]) -> list[Picture]:
    places = [f"{csv_file}, line {row.line}" for row in rows]
    targets = labels.indices([row.label for row in rows], names, places.__getitem__).tolist()
    short = [f"{csv_file.name} line {row.line}" for row in rows]
    paths = [csv_file.parent / row.path for row in rows]
    return [Picture(path, target, where) for path, target, where in zip(paths, targets, short, strict=True)]


def _as_splits(
    tables: dict[str, pixels.PixelTable], shape: tuple[int, int, int] | None, test_fraction: float
) -> Splits:
    width = tables["train"].values.shape[1]
    whole = all(table.values.dtype == np.uint8 for table in tables.values())
    names = labels.names_of(tables["train"].labels)
    splits: dict[str, Split] = {}
    for name, table in tables.items():
        if table.values.shape[1] != width:
            raise DataError(
                f"{table.path}: {table.values.shape[1]} numbers a line besides the label, "
                f"but {tables['train'].path.name} has {width}."
            )
        inputs = table.values if shape is None else pixels.as_images(table, shape)
        inputs = inputs.astype(np.uint8 if whole else np.float32, copy=False)
        splits[name] = Split(inputs, labels.indices(table.labels, names, table.where), names)
    if "test" not in splits and test_fraction > 0:
        splits["train"], splits["test"] = carve(splits["train"], test_fraction, TEST_SEED)
    return Splits(splits["train"], splits.get("val"), splits.get("test"))
