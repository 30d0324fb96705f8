"""A CSV of what pictures show: ``file,label``, a label being a class name or its index."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from mlhw.datasets.names import csv_name, escape_name
from mlhw.datasets.walking import Found
from mlhw.errors import DataError, DataMissing, nearest

HEADER = ["file", "label"]
SHOWN = 5  # faults in a message
MOST_BYTES = 64 << 20


def read(
    path: Path, pictures: Sequence[Found], categories: Sequence[str], warn: Callable[[str], None]
) -> list[frozenset[int] | None]:
    """For each of ``pictures`` the indices of its true class, or None where the file does not say.

    A file is named as in predictions.csv, by its path, or by its last part where that is one picture's alone. A label is a
    class name, in capitals or not, or an index from 0; an empty one says that the class is not known. ImageNet has two pairs
    of classes of one name: either is right then.

    Raises:
        DataMissing: there is no such file.
        DataError: it cannot be read, a label is no class, a file is named twice with different labels, or no picture is named;
            names the lines.
    """
    whole, last = _by_name(pictures)
    classes = _by_label(categories)
    found: list[frozenset[int] | None] = [None] * len(pictures)
    faults, strangers = [], 0
    for line, file, label in lines(path):
        indices = classes.get(label.casefold(), frozenset())
        places = whole.get(file) or last.get(file, [])
        if label and not indices:
            faults.append(f"line {line}: no class '{escape_name(label)}'{_near(label, categories)}")
        elif len(places) > 1:
            faults.append(f"line {line}: {len(places)} pictures are called {escape_name(file)}: give their paths")
        elif not places:
            strangers += 1
        elif label and found[places[0]] not in (None, indices):
            faults.append(f"line {line}: {escape_name(file)} has another label further up")
        elif label:
            found[places[0]] = indices
    if faults:
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise DataError(f"{path}: {'; '.join(faults[:SHOWN])}{more}.")
    if not any(found):
        raise DataError(
            f"{path} labels none of the {len(pictures)} pictures. Its files should be named as {pictures[0].name}."
        )
    if strangers:
        warn(f"{path}: {strangers} of its files are not among the pictures")
    return found


def _by_name(pictures: Sequence[Found]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """The places of the pictures that a name may mean: names and paths, and the last parts of paths."""
    whole: defaultdict[str, list[int]] = defaultdict(list)
    last: defaultdict[str, list[int]] = defaultdict(list)
    for place, picture in enumerate(pictures):
        names = {picture.name, str(picture.path), str(picture.path.absolute())}
        for name in names | {csv_name(name) for name in names}:
            whole[name].append(place)
        for name in {picture.path.name, csv_name(picture.path.name)}:
            last[name].append(place)
    return whole, last


def _by_label(categories: Sequence[str]) -> dict[str, frozenset[int]]:
    """Every label with the indices that it means; a name wins over an index written alike."""
    named: defaultdict[str, set[int]] = defaultdict(set)
    for index, name in enumerate(categories):
        named[name.casefold()].add(index)
    return {str(index): frozenset({index}) for index in range(len(categories))} | {
        name: frozenset(indices) for name, indices in named.items()
    }


def _near(label: str, categories: Sequence[str]) -> str:
    close = nearest(label, categories)
    return f" (did you mean {' or '.join(close)}?)" if close else ""


def lines(path: Path) -> list[tuple[int, str, str]]:
    """Line number, file and label of each row. Raises as ``read``."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path}: above {MOST_BYTES >> 20} MB: no list of true labels.")
        reader = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
        rows = [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise DataMissing(f"there is no file of true labels {path}. Correct the path.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}. It should be a CSV in UTF-8: file,label.") from error
    if not rows or [cell.strip().lower() for cell in rows[0][1]] != HEADER:
        got = ",".join(rows[0][1])[:80] if rows else "nothing"
        raise DataError(f"{path}:1: should be 'file,label', got '{escape_name(got)}'.")
    for line, row in rows[1:]:
        if row and len(row) != 2:
            raise DataError(f"{path}:{line}: expected file,label, got {len(row)} columns.")
    return [(line, row[0], row[1].strip()) for line, row in rows[1:] if row]
