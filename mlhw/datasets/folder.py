"""Pictures in class folders, with or without train, val and test folders above them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets.cache import fingerprint, prepared
from mlhw.datasets.decode import SUFFIXES
from mlhw.datasets.images import Format, Picture, decode_splits
from mlhw.datasets.locating import locate
from mlhw.datasets.splitting import TEST_SEED, carve
from mlhw.errors import DataError, did_you_mean

SPLIT_FOLDERS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}


def load(
    place: Place,
    *,
    path: str,
    image_size_pixels: int = 96,
    resize: Literal["squash", "crop"] = "squash",
    skip_bad: bool = False,
    channels: Literal[1, 3] = 3,
    test_fraction: float = 0.0,
) -> Splits:
    """The pictures below ``path``, inputs uint8 (rows, size, size, channels), sorted by class and file name.

    Args:
        place: where the data lies.
        path: from the current folder, else from the data folder.
        image_size_pixels: the side of every picture.
        resize: ``squash`` or ``crop``, as ``images.Format`` has it.
        skip_bad: leave out pictures that cannot be read, and list them in ``skipped``.
        channels: 3 for colour, 1 for grey.
        test_fraction: of the training pictures, drawn class by class, become test where there is no test folder.

    Raises:
        DataMissing: no such folder.
        DataError: no class folders, an empty one, a class that train has not, or bad pictures.
    """
    root = locate(place, path, "data.path")
    found = scan(root)
    form = Format(image_size_pixels, resize, channels)
    settings = {
        "files": fingerprint(file for split in found.values() for files in split.values() for file in files),
        "classes": list(found["train"]),
        "splits": list(found),
        "test_fraction": test_fraction,
        "skip_bad": skip_bad,
        "form": [image_size_pixels, resize, channels],
    }

    def build(out: Path) -> Splits:
        names = tuple(found["train"])
        places = {name: place for place, name in enumerate(names)}
        lists = {
            split: [Picture(file, places[name]) for name, files in classes.items() for file in files]
            for split, classes in found.items()
        }
        lists = with_test(lists, test_fraction)
        return decode_splits(place, out, lists, names, form, skip_bad=skip_bad, what=root.name)

    return prepared(place, "folder", settings, build)


def scan(root: Path) -> dict[str, dict[str, list[str]]]:
    """Split name to class name to the picture files, all sorted. Raises DataError as ``load`` does."""
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder of class folders, got a file.")
    parts = {split: part for split, names in SPLIT_FOLDERS.items() if (part := _child(root, names)) is not None}
    if "train" not in parts or not _subfolders(parts["train"]):  # then a class is called train
        parts = {"train": root}
    found = {split: _classes(part) for split, part in parts.items()}
    known = found["train"]
    if len(known) < 2:
        raise DataError(
            f"{parts['train']}: expected at least two class folders with pictures in them, got {len(known)}. "
            "data.path must name the folder above the classes (or above train, val and test)."
        )
    for split, classes in found.items():
        for name, files in classes.items():
            if name not in known:
                hint = did_you_mean(name, known) if len(known) <= 20 else ""
                raise DataError(f"{parts[split] / name}: a class that {parts['train']} has not. {hint}".rstrip())
            if not files and split == "train":
                raise DataError(
                    f"{parts[split] / name}: no pictures in this class folder ({', '.join(SUFFIXES)}). Add some, or remove it."
                )
        if not any(classes.values()):
            raise DataError(f"{parts[split]}: no pictures in it. Add some, or remove the folder.")
    return found


def with_test(lists: dict[str, list[Picture]], fraction: float) -> dict[str, list[Picture]]:
    """``lists`` with a test list carved out of train by ``fraction``, where there is none and the fraction is not 0."""
    if "test" in lists or fraction == 0:
        return lists
    pictures = lists["train"]
    targets = np.array([picture.target for picture in pictures], dtype=np.int64)
    kept, carved = carve(Split(np.arange(len(pictures)), targets, ()), fraction, TEST_SEED)
    return {**lists, "train": [pictures[row] for row in kept.inputs], "test": [pictures[row] for row in carved.inputs]}


def _child(root: Path, names: Sequence[str]) -> Path | None:
    return next((path for path in _subfolders(root) if path.name.lower() in names), None)


def _subfolders(root: Path) -> list[Path]:
    """The folders in ``root`` by name, without the hidden ones and those that archives leave behind."""
    try:
        entries = sorted(root.iterdir())
    except OSError as error:
        raise DataError(f"{root}: cannot be read: {error.strerror or error}.") from error
    return [path for path in entries if path.is_dir() and not path.name.startswith(".") and path.name != "__MACOSX"]


def _classes(part: Path) -> dict[str, list[str]]:
    return {folder.name: sorted(_pictures(folder)) for folder in _subfolders(part)}


def _pictures(folder: Path) -> list[str]:
    """The files in ``folder`` and below whose name says that they are pictures; hidden ones are none."""
    return [
        os.path.join(parent, name)  # noqa: PTH118  (a hundred thousand Paths would take a second)
        for parent, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(SUFFIXES) and not name.startswith(".")
    ]
