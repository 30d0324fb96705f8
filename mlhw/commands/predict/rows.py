"""Rows of numbers from a user's .npy or .csv, for runs on plain features."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from mlhw.commands.predict.decoding import Decoded
from mlhw.datasets.names import escape_name
from mlhw.datasets.pixels import is_number, lines
from mlhw.datasets.walking import Found
from mlhw.errors import ConfigError, DataError, DataMissing

MOST_BYTES: Final = 1 << 30
SUFFIXES: Final = (".npy", ".csv")


def read_rows(name: str, features: int, dtype: str) -> Iterator[tuple[Found, Decoded]]:
    """Each row of the file ``name``, an example (features,) of ``dtype`` or the reason why it is none.

    A row is called ``rows.csv:3``, by its line; one of a .npy ``rows.npy[2]``, by its index. A CSV has numbers alone, as many a
    line as there are features; a first line without any number is a header.

    Raises:
        DataMissing: there is no such file.
        ConfigError: it is neither .npy nor .csv.
        DataError: it cannot be read, is too large, or (a .npy) has another shape.
    """
    path = Path(name)
    shown = escape_name(name)
    if not path.exists():
        raise DataMissing(f"there is no {shown}. Name a .npy or .csv of rows of {features} numbers.")
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        raise ConfigError(
            f"{shown}: this run learned from rows of {features} numbers. Name a .npy (rows, {features}), or a .csv of "
            f"{features} numbers a line."
        )
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{shown}: above {MOST_BYTES >> 30} GB. Cut it into parts.")
    return (
        _from_npy(path, name, features, dtype)
        if path.suffix.lower() == ".npy"
        else _from_csv(path, name, features, dtype)
    )


def _from_npy(path: Path, name: str, features: int, dtype: str) -> Iterator[tuple[Found, Decoded]]:
    try:
        table = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{escape_name(name)}: cannot be read as a .npy of numbers ({error}).") from error
    if (
        not isinstance(table, np.ndarray)
        or table.ndim != 2
        or table.shape[1] != features
        or table.dtype.kind not in "iuf"
    ):
        got = f"{table.shape} of {table.dtype}" if isinstance(table, np.ndarray) else "an archive"
        raise DataError(f"{escape_name(name)}: should be numbers (rows, {features}), got {got}.")
    return ((Found(path, f"{name}[{index}]"), _example(row, dtype)) for index, row in enumerate(table))


def _from_csv(path: Path, name: str, features: int, dtype: str) -> Iterator[tuple[Found, Decoded]]:
    for place, (line, fields) in enumerate(lines(path)):
        if place == 0 and not any(is_number(field) for field in fields):
            continue
        found = Found(path, f"{name}:{line}")
        if len(fields) != features:
            yield found, f"{len(fields)} fields, not {features}"
        elif bad := [field for field in fields if not is_number(field)]:
            yield found, f"'{escape_name(bad[0][:40])}' is no finite number"
        else:
            yield found, _example(np.array([float(field) for field in fields]), dtype)


def _example(row: np.ndarray, dtype: str) -> Decoded:
    kind = np.dtype(dtype)
    if not all(math.isfinite(value) for value in row.tolist()):
        return "a number that is not finite"
    if (
        kind.kind in "iu"
        and not ((row >= np.iinfo(kind).min) & (row <= np.iinfo(kind).max) & (row == np.rint(row))).all()
    ):
        return f"a number that is not whole from {np.iinfo(kind).min} to {np.iinfo(kind).max}, as the run's are"
    return row.astype(kind)
