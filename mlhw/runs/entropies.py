"""entropy.csv: how undecided each network is about each picture, in bits; it grows beside predictions.csv.

    file,alexnet,vgg16
    images/lemon.jpg,1.250000,0.082211

A picture that was skipped has empty fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlhw.datasets.names import name_from_csv
from mlhw.errors import RunError
from mlhw.runs.growing import records


def header(models: Sequence[str]) -> tuple[str, ...]:
    """The first row."""
    return ("file", *models)


def read_names(path: Path) -> tuple[list[str], list[int]]:
    """The files in ``path`` and the bytes up to the end of each, the header's first; nothing where there is no file."""
    names: list[str] = []
    ends: list[int] = []
    if path.exists():
        for end, row in records(path):
            if ends:
                names.append(name_from_csv(row[0]))
            ends.append(end)
    return names, ends


def read(path: Path) -> list[list[float] | None]:
    """The entropies in ``path`` in bits, for each picture one a network; None for one that was skipped.

    Raises:
        RunError: it cannot be read.
    """
    try:
        return [list(map(float, row[1:])) if row[1] else None for _, row in list(records(path))[1:]]
    except (ValueError, IndexError) as error:
        raise RunError(f"{path}: cannot be read as entropies: {error}.") from error
