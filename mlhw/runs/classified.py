"""predictions.csv of pictures: one row a file and rank, one for a file that was skipped; it grows as they are done.

    file,status,rank,class_index,class_name,probability,reason
    images/lemon.jpg,ok,1,951,lemon,0.98214704,
    images/broken.jpg,skipped,,,,,cut off (no end of picture)

Names of files and classes are as ``datasets.names.csv_name`` writes them, so that a row is a line and no name is lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mlhw.datasets.names import csv_name, name_from_csv
from mlhw.errors import RunError
from mlhw.runs.growing import records

HEADER = ("file", "status", "rank", "class_index", "class_name", "probability", "reason")


class Rank(NamedTuple):
    """One class of those that a network finds likeliest."""

    class_index: int
    class_name: str
    probability: float


class Classified(NamedTuple):
    """What came of one file: its classes, likeliest first, or the ``reason`` why it was skipped."""

    file: str
    ranks: tuple[Rank, ...] = ()
    reason: str = ""


def rows(found: Classified) -> list[tuple[object, ...]]:
    """The rows of one file."""
    file = csv_name(found.file)
    if not found.ranks:
        return [(file, "skipped", "", "", "", "", csv_name(found.reason))]
    return [
        (file, "ok", place, rank.class_index, csv_name(rank.class_name), f"{rank.probability:.8g}", "")
        for place, rank in enumerate(found.ranks, start=1)
    ]


def read(path: Path, ranks: int | None = None) -> tuple[list[Classified], list[int]]:
    """The files in ``path`` in their order, and for each the length in bytes up to its end, the header's first.

    Args:
        path: of a predictions.csv.
        ranks: how many rows each file that was not skipped has. A last file that has fewer, and a torn last line, are left
            out. None where the file is known to be whole.

    Raises:
        RunError: there is no such file, or something in it is no such row; names the line.
    """
    found: list[Classified] = []
    ends: list[int] = []
    for line, (end, row) in enumerate(records(path), start=1):
        if line == 1:
            if tuple(row) != HEADER:
                raise RunError(f"{path}:1: should be '{','.join(HEADER)}', got '{','.join(row)[:80]}'.")
            ends.append(end)
            continue
        try:
            _enter(found, ends, row, end)
        except ValueError as error:
            raise RunError(f"{path}:{line}: should be '{','.join(HEADER)}', got '{','.join(row)[:80]}'.") from error
    if ranks is not None and found and found[-1].ranks and len(found[-1].ranks) < ranks:
        del found[-1], ends[-1]
    return found, ends


def _enter(found: list[Classified], ends: list[int], row: list[str], end: int) -> None:
    """Add ``row`` to the files found so far. Raises ValueError where it is none, or of no file's next rank."""
    file, status, place, index, name, probability, reason = row
    file = name_from_csv(file)
    if status == "skipped":
        found.append(Classified(file, reason=name_from_csv(reason)))
        ends.append(end)
        return
    rank = Rank(int(index), name_from_csv(name), float(probability))
    if int(place) == 1:
        found.append(Classified(file, (rank,)))
        ends.append(end)
        return
    if status != "ok" or not found or found[-1].file != file or int(place) != len(found[-1].ranks) + 1:
        raise ValueError("a rank that does not follow")
    found[-1], ends[-1] = Classified(file, (*found[-1].ranks, rank)), end
