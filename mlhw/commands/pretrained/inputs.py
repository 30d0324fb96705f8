"""inputs.csv: the pictures of a run in their order, found once, so that a resume works on the same ones.

    file,path,problem
    images/lemon.jpg,/home/ada/images/lemon.jpg,

``file`` is the name as typed, ``path`` where it lies, ``problem`` why it is not even tried.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from mlhw.datasets.names import csv_name, name_from_csv
from mlhw.datasets.walking import Found
from mlhw.errors import RunError
from mlhw.files import write_text
from mlhw.runs.store import Run

HEADER = ("file", "path", "problem")


def write(run: Run, pictures: Sequence[Found]) -> None:
    """Write ``pictures``, with absolute paths, into the folder of ``run``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for picture in pictures:
        place = os.path.abspath(picture.path)  # noqa: PTH100 (links are kept, and names that are no UTF-8)
        writer.writerow((csv_name(picture.name), csv_name(place), csv_name(picture.problem or "")))
    write_text(_file(run), text.getvalue())


def read(run: Run) -> list[Found] | None:
    """What ``write`` wrote, or None where there is no such file. Raises RunError where it is another."""
    path = _file(run)
    if not path.exists():
        return None
    try:
        lines = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))
        if tuple(lines[0]) != HEADER:
            raise ValueError(f"its header is {','.join(lines[0])[:80]}")
        return [
            Found(Path(name_from_csv(place)), name_from_csv(name), name_from_csv(problem) or None)
            for name, place, problem in lines[1:]
        ]
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise RunError(f"{path}: cannot be read as the list of pictures: {error}.") from error


def _file(run: Run) -> Path:
    return run.path / "inputs.csv"
