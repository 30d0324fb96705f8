"""A file of class names: JSON, CSV, or one name a line."""

from __future__ import annotations

import ast
import csv
import io
import json
from pathlib import Path
from typing import Any

from mlhw.errors import DataError, DataMissing

MOST_BYTES = 16 << 20
FORMS = (
    'a JSON list or object ({"0": "tench"} or {"0": ["n01440764", "tench"]}), a CSV of index,name, or one name a line'
)


def read(path: Path, classes: int) -> tuple[str, ...]:
    """The names of ``classes`` classes in the order of their indices, from 0.

    JSON is known by its first sign, CSV by the suffix ``.csv``; a Python dictionary such as is passed around for ImageNet is
    taken too, and a file of another suffix has one name a line, whose commas belong to the name.

    Raises:
        DataMissing: there is no such file.
        DataError: it cannot be read, an index is no number, twice or missing, a name is empty, or there are more or fewer names
            than classes; names file and line (or key).
    """
    content = text(path)
    if content.lstrip()[:1] in ("{", "["):
        found = _from_json(path, content)
    elif path.suffix.lower() == ".csv":
        found = _from_csv(path, content)
    else:
        found = _from_lines(path, content)
    if len(found) != classes:
        raise DataError(f"{path} holds {len(found)} class names, the network has {classes} outputs. Give as many.")
    names = [found.get(index) for index in range(classes)]
    if None in names:
        outside = next(index for index in found if not 0 <= index < classes)
        raise DataError(
            f"{path}: index {outside} is outside 0 to {classes - 1}, and {names.index(None)} is missing. Count from 0."
        )
    return tuple(name for name in names if name is not None)


def text(path: Path) -> str:
    """What the file at ``path`` holds. Raises DataMissing or DataError."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{path} has {size:,} bytes: no file of class names. It should be {FORMS}.")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataMissing(f"there is no labels file {path}. Correct the path.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in UTF-8 (byte {error.start}). It should be {FORMS}.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def _from_json(path: Path, text: str) -> dict[int, str]:
    pairs = _pairs(path, text)
    found: dict[int, str] = {}
    for key, value in pairs:
        where = f"{path}, key {key!r}"
        name = value[-1] if isinstance(value, list | tuple) and value else value
        if not isinstance(name, str):
            raise DataError(
                f"{where}: expected a name, got {json.dumps(value, default=str)[:60]}. It should be {FORMS}."
            )
        _enter(found, str(key), name, where)
    return found


def _pairs(path: Path, text: str) -> list[tuple[Any, Any]]:
    """Keys and values in the order of the file, doubled keys twice; of a list its indices and items."""
    try:
        value = json.loads(text, object_pairs_hook=_Pairs)
    except (json.JSONDecodeError, RecursionError) as error:
        try:
            value = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            line = getattr(error, "lineno", 1)
            raise DataError(f"{path}, line {line}: no JSON ({getattr(error, 'msg', 'nested too deep')}).") from error
    if isinstance(value, _Pairs):
        return list(value)
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list):
        return list(enumerate(value))
    raise DataError(f"{path}: expected {FORMS}.")


class _Pairs(list[tuple[str, Any]]):
    """A JSON object before doubled keys are lost."""


def _from_csv(path: Path, text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: no CSV ({error}).") from error
    for number, (line, row) in enumerate(rows):
        if len(row) != 2:
            raise DataError(f"{path}, line {line}: expected index,name, got {len(row)} columns.")
        if number == 0 and not _is_index(row[0]):
            continue  # a header
        _enter(found, row[0], row[1], f"{path}, line {line}")
    return found


def _from_lines(path: Path, text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for index, line in enumerate(text.rstrip().split("\n")):
        _enter(found, str(index), line, f"{path}, line {index + 1}")
    return found


def _is_index(text: str) -> bool:
    return text.strip().isascii() and text.strip().isdigit() and len(text) < 10


def _enter(found: dict[int, str], index: str, name: str, where: str) -> None:
    if not _is_index(index):
        raise DataError(f"{where}: expected an index from 0, got {index[:40]!r}.")
    if not name.strip():
        raise DataError(f"{where}: the name is empty.")
    if int(index) in found:
        raise DataError(f"{where}: index {int(index)} comes twice.")
    found[int(index)] = name.strip()
