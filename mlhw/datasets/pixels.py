"""CSVs of one example a row: a label and the numbers of the input."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from mlhw.errors import DataError

CHUNK_ROWS = 4096  # 26 MB of MNIST as pandas holds it
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class PixelTable:
    """What a CSV holds: ``labels`` (rows,) as text, ``values`` (rows, numbers) uint8 or float32."""

    path: Path
    labels: list[str]
    values: NDArray[Any]
    header: bool

    def where(self, row: int) -> str:
        """The file and line of ``row`` (from 0). Reads the file anew: for messages alone."""
        numbers = (line for line, _ in lines(self.path))
        return f"{self.path}, line {next(itertools.islice(numbers, row + self.header, None), row + 1)}"


def read(path: Path) -> PixelTable:
    """The labels and numbers of the CSV at ``path``: uint8 where all are whole and 0 to 255, else float32.

    The label is the column named ``label``, in whatever case, else the first; a first line without a number is a header.

    Raises:
        DataError: the file is no such table; names the line, what it should hold and what it does.
    """
    import pandas as pd

    first = next(lines(path), None)
    if first is None:
        raise DataError(f"{path}: empty. It should hold a label and the numbers of one example a line.")
    label, header = _layout(first[1])
    width = len(first[1])
    if width < 2:
        raise DataError(f"{path}, line {first[0]}: expected a label and numbers between commas, got one field.")
    names: list[str] = []
    parts: list[NDArray[Any]] = []
    try:
        with pd.read_csv(
            path,
            header=None,
            skiprows=first[0] if header else 0,
            dtype={label: str},
            keep_default_na=False,
            encoding="utf-8-sig",
            chunksize=CHUNK_ROWS,
            low_memory=False,
        ) as reader:
            for frame in reader:
                if frame.shape[1] != width or any(kind.kind not in "iuf" for kind in frame.dtypes.drop(label)):
                    _explain(path, label, width, header)
                names += frame[label].tolist()
                parts.append(_compact(frame.drop(columns=label).to_numpy()))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError):
        _explain(path, label, width, header)
    if not all(isinstance(name, str) and name.strip() for name in names) or not all(
        np.isfinite(p).all() for p in parts
    ):
        _explain(path, label, width, header)
    whole = all(part.dtype == np.uint8 for part in parts)
    return PixelTable(path, names, np.concatenate(parts).astype(np.uint8 if whole else np.float32, copy=False), header)


def as_images(table: PixelTable, shape: tuple[int, int, int]) -> NDArray[Any]:
    """The values as (rows, height, width, channels).

    Raises:
        DataError: a row has not as many numbers.
    """
    got, wanted = table.values.shape[1], math.prod(shape)
    if got != wanted:
        sizes = "×".join(map(str, shape))
        raise DataError(
            f"{table.path}: an image of {sizes} takes {wanted} numbers a line besides the label, got {got}."
        )
    return table.values.reshape(-1, *shape)


def square_shape(path: Path) -> tuple[int, int, int] | None:
    """The shape of the square picture, grey or coloured, that has as many numbers as a row of the CSV; None if none has."""
    numbers = len(next(lines(path), (1, []))[1]) - 1
    for channels in (1, 3):
        side = math.isqrt(max(numbers, 0) // channels)
        if side > 1 and side * side * channels == numbers:
            return side, side, channels
    return None


def _compact(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind in "iu" and values.min() >= 0 and values.max() <= 255:
        return values.astype(np.uint8)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is then reported
        return values.astype(np.float32)


def _layout(first: Sequence[str]) -> tuple[int, bool]:
    """The column of the label, and whether the first line is a header."""
    named = [index for index, field in enumerate(first) if field.strip().lower() == "label"]
    if named:
        return named[0], True
    return 0, len(first) > 1 and not any(is_number(field) for field in first[1:])


def lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of each row that is not blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            yield from ((reader.line_num, fields) for fields in reader if fields)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV in UTF-8 ({error}).") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _explain(path: Path, label: int, width: int, header: bool) -> NoReturn:
    """Raise DataError for the first line that is no example, found by reading the file line by line."""
    rows = 0
    for line, fields in itertools.islice(lines(path), int(header), None):
        rows += 1
        if len(fields) != width:
            raise DataError(f"{path}, line {line}: expected {width} fields as in the first line, got {len(fields)}.")
        if not fields[label].strip():
            raise DataError(f"{path}, line {line}: the label (field {label + 1}) is empty.")
        for column, field in enumerate(fields):
            if column != label and not is_number(field):
                raise DataError(
                    f"{path}, line {line}, field {column + 1}: expected a finite number, got '{field[:40]}'."
                )
    if not rows:
        raise DataError(f"{path}: a header and no rows.")
    raise DataError(f"{path}: not a table of a label and numbers in plain CSV.")


def is_number(field: str) -> bool:
    try:
        return "_" not in field and abs(float(field)) <= LARGEST
    except ValueError:
        return False
