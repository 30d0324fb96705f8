"""The Grocery Store Dataset (Klasson et al., WACV 2019): photos from shops, 81 fine and 43 coarse classes."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from mlhw.arrays import Place, Splits
from mlhw.datasets.cache import fingerprint, prepared
from mlhw.datasets.coarser import Coarser
from mlhw.datasets.images import Format, Picture, decode_splits
from mlhw.errors import DataError, DataMissing

SPLITS = ("train", "val", "test")
MOST_CLASSES = {"fine": 81, "coarse": 43}  # where classes.csv does not say


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list: the picture's path in the folder, its two class ids, and the line's number from 1."""

    path: str
    fine: int
    coarse: int
    number: int


def load(
    place: Place,
    *,
    labels: Literal["coarse", "fine"] = "coarse",
    image_size_pixels: int = 96,
    resize: Literal["squash", "crop"] = "squash",
    skip_bad: bool = False,
) -> Splits:
    """The photos of the three lists, inputs uint8 (rows, size, size, 3), in the order of the lists.

    Args:
        place: where the data lies; see ``find``.
        labels: which of the two class ids of a line is the target.
        image_size_pixels: the side of every picture.
        resize: ``squash`` or ``crop``, as ``images.Format`` has it.
        skip_bad: leave out pictures that cannot be read, and list them in ``skipped``.

    Raises:
        DataMissing: the lists are not there.
        DataError: a line is malformed, or pictures cannot be read; names file and line.
    """
    folder = find(Path(place.data))
    names = _class_names(folder)
    lists = {split: read_list(folder / f"{split}.txt", names) for split in SPLITS}
    files = [f"{folder}/{line.path}" for lines in lists.values() for line in lines]
    tables = [folder / f"{name}" for name in ("train.txt", "val.txt", "test.txt", "classes.csv")]
    form = Format(image_size_pixels, resize, 3)
    settings = {
        "files": fingerprint([*tables, *files]),
        "labels": labels,
        "image_size_pixels": image_size_pixels,
        "resize": resize,
        "skip_bad": skip_bad,
    }

    def build(out: Path) -> Splits:
        chosen = names.get(labels) or _numbers(lists, labels)
        pictures = {
            split: [
                Picture(folder / line.path, getattr(line, labels), f"{split}.txt line {line.number}") for line in lines
            ]
            for split, lines in lists.items()
        }
        return decode_splits(place, out, pictures, chosen, form, skip_bad=skip_bad, what="grocery")

    return prepared(place, f"grocery-{labels}-{image_size_pixels}", settings, build)


def coarse_of_fine(data: Path) -> Coarser:
    """The coarse classes, and the one of each fine class, as the lists and classes.csv in ``data`` have them.

    A fine class that classes.csv names and no list shows has no picture, and is counted to coarse class 0.

    Raises:
        DataMissing: the lists are not there.
        DataError: a line is malformed, or a fine class stands with two coarse ones.
    """
    folder = find(data)
    names = _class_names(folder)
    lists = {split: read_list(folder / f"{split}.txt", names) for split in SPLITS}
    found: dict[int, int] = {}
    for split, lines in lists.items():
        for line in lines:
            if found.setdefault(line.fine, line.coarse) != line.coarse:
                raise DataError(
                    f"{folder / split}.txt, line {line.number}: fine class {line.fine} belongs to coarse class "
                    f"{line.coarse} here, to {found[line.fine]} above. Correct the list, or leave data.report out."
                )
    fine, coarse = (names.get(kind) or _numbers(lists, kind) for kind in ("fine", "coarse"))
    return Coarser(coarse, np.array([found.get(index, 0) for index in range(len(fine))], dtype=np.int64))


def find(data: Path) -> Path:
    """The folder that holds train.txt: GroceryStoreDataset/dataset as published, that without dataset, Grocery*, or data.

    Raises:
        DataMissing: there is none, or val.txt or test.txt is not beside it.
    """
    named = sorted(path for path in data.glob("[Gg]rocery*") if path.is_dir())
    first = data / "GroceryStoreDataset"
    candidates = [
        folder for path in (first, *(path for path in named if path != first)) for folder in (path / "dataset", path)
    ]
    for folder in (*candidates, data):
        if (folder / "train.txt").is_file():
            absent = [f"{split}.txt" for split in SPLITS if not (folder / f"{split}.txt").is_file()]
            if absent:
                raise DataMissing(
                    f"{folder} has train.txt but not {' and '.join(absent)}. Run `mlhw data fetch grocery`, or complete it."
                )
            return folder
    raise DataMissing(
        f"the Grocery Store Dataset is not in {data}: expected GroceryStoreDataset/dataset/train.txt, val.txt and test.txt. "
        "Run `mlhw data fetch grocery`, or set MLHW_DATA to the folder that holds GroceryStoreDataset/."
    )


def read_list(path: Path, names: Mapping[str, Sequence[str]] | None = None) -> list[Line]:
    """The lines ``path, fine, coarse`` of a list; blank lines are passed over.

    Args:
        path: the list.
        names: class names by ``fine`` and ``coarse``, which bound the ids; the data set's own bounds where it is empty.

    Raises:
        DataError: a line is not of that form, an id is out of range, or a path leads out of the folder.
    """
    most = {kind: len((names or {}).get(kind, ())) or MOST_CLASSES[kind] for kind in MOST_CLASSES}
    found = []
    for number, text in enumerate(_text(path).splitlines(), 1):
        if not text.strip():
            continue
        fields = [field.strip() for field in text.rsplit(",", 2)]
        where = f"{path}, line {number}"
        if len(fields) != 3 or not fields[0]:
            raise DataError(f"{where}: expected `path, fine class, coarse class`, got `{text.strip()[:80]}`.")
        fine, coarse = (_class_id(where, kind, field, most[kind]) for kind, field in zip(most, fields[1:], strict=True))
        found.append(Line(_inside(where, fields[0]), fine, coarse, number))
    if not found:
        raise DataError(f"{path}: names no picture. Replace it, or run `mlhw data fetch grocery`.")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text in UTF-8 ({error}).") from error


def _class_id(where: str, kind: str, field: str, most: int) -> int:
    if not (field.isascii() and field.isdigit() and int(field) < most):
        raise DataError(f"{where}: the {kind} class must be a whole number from 0 to {most - 1}, got '{field[:40]}'.")
    return int(field)


def _inside(where: str, text: str) -> str:
    """The path with forward slashes, once it is sure to stay inside the folder."""
    path = PurePosixPath(text.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in text:
        raise DataError(f"{where}: the path must stay inside the folder of the list, got '{text[:80]}'.")
    return str(path)


def _class_names(folder: Path) -> dict[str, tuple[str, ...]]:
    """Names by ``fine`` and ``coarse`` in the order of their ids; empty where there is no classes.csv.

    A name that several ids share (none does in the published file) is told apart by its id; an id that the file leaves
    out is its own name.
    """
    path = folder / "classes.csv"
    if not path.is_file():
        return {}
    found: dict[str, dict[int, str]] = {"fine": {}, "coarse": {}}
    for number, fields in enumerate(csv.reader(_text(path).splitlines()), 1):
        if number == 1 or not fields:
            continue
        where = f"{path}, line {number}"
        if len(fields) < 4:
            raise DataError(f"{where}: expected name, id, coarse name and coarse id, got {len(fields)} fields.")
        for kind, (name, text) in zip(found, (fields[:2], fields[2:4]), strict=True):
            index = _class_id(where, kind, text.strip(), 10_000)
            if found[kind].setdefault(index, name.strip()) != name.strip():
                raise DataError(
                    f"{where}: {kind} class {index} is '{name.strip()}' here, '{found[kind][index]}' above."
                )
    return {kind: _complete(names) for kind, names in found.items() if names}


def _complete(names: Mapping[int, str]) -> tuple[str, ...]:
    listed = [names.get(index) or str(index) for index in range(max(names) + 1)]
    uses = Counter(listed)
    return tuple(name if uses[name] == 1 else f"{name} ({index})" for index, name in enumerate(listed))


def _numbers(lists: Mapping[str, Sequence[Line]], labels: str) -> tuple[str, ...]:
    return tuple(map(str, range(max(getattr(line, labels) for lines in lists.values() for line in lines) + 1)))
