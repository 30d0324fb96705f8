"""CSVs of picture paths and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlhw.datasets import pixels
from mlhw.datasets.decode import SUFFIXES
from mlhw.errors import DataError

PATH_NAMES = ("path", "file", "filename", "image")
LABEL_NAMES = ("label", "class", "target")


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One line of an image CSV: the picture's path as it stands there, its label, and the line's number from 1."""

    path: str
    label: str
    line: int


def read_list(path: Path) -> list[ImageRow]:
    """The rows of a CSV of ``path,label``; with a header the columns may come in any order and beside others.

    Raises:
        DataError: the file is no such table; names the line.
    """
    rows: list[ImageRow] = []
    columns, width = (0, 1), 2
    for number, (line, fields) in enumerate(pixels.lines(path)):
        if number == 0 and (header := _header(fields)) is not None:
            columns, width = header, len(fields)
            continue
        if len(fields) != width:
            raise DataError(f"{path}, line {line}: expected {width} fields (path,label), got {len(fields)}.")
        name, label = (fields[column].strip() for column in columns)
        if not name or not label or "\0" in name:
            raise DataError(f"{path}, line {line}: the {'label' if name else 'path'} is empty.")
        rows.append(ImageRow(name, label, line))
    if not rows:
        raise DataError(f"{path}: names no picture. It should hold `path,label` lines.")
    return rows


def _header(fields: Sequence[str]) -> tuple[int, int] | None:
    """The columns of path and label where ``fields`` are a header."""
    lower = [field.strip().lower() for field in fields]
    path = next((lower.index(name) for name in PATH_NAMES if name in lower), None)
    label = next((lower.index(name) for name in LABEL_NAMES if name in lower), None)
    return None if path is None or label is None else (path, label)


def names_pictures(path: Path) -> bool:
    """Whether the CSV names picture files, rather than holding numbers."""
    first = next(pixels.lines(path), (1, [""]))[1]
    return _header(first) is not None or first[0].strip().lower().endswith(SUFFIXES)
