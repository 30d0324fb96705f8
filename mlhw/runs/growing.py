"""CSV files that grow by whole lines while a job runs, and what of them is whole after it was cut off."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic

from mlhw.errors import RunError
from mlhw.files import LineFile

SECONDS_BETWEEN_SYNCS = 1.0  # a power cut costs as much work, a killed process none


class GrowingTable:
    """A CSV file of whole lines, that is gone on with after ``kept_bytes``."""

    def __init__(self, path: Path, header: Iterable[str], kept_bytes: int) -> None:
        """Open for appending after the first ``kept_bytes`` bytes; what follows them is dropped. 0: a new file.

        Raises:
            OutputError: it cannot be written.
        """
        self.path, self._synced = path, monotonic()
        self._file = LineFile(path, b"" if kept_bytes else _line(tuple(header)).encode(), kept_bytes)

    def append(self, rows: Iterable[Iterable[object]]) -> None:
        """Add ``rows`` as whole lines in one write. Raises OutputError where the disk is full."""
        self._file.append("".join(map(_line, rows)).encode())
        if monotonic() - self._synced > SECONDS_BETWEEN_SYNCS:
            self.sync()

    def sync(self) -> None:
        """Bring all rows to the disk."""
        self._file.sync()
        self._synced = monotonic()

    def close(self) -> None:
        self._file.close()


def records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The fields of each whole line of ``path``, and the bytes up to its end; a torn last line is left out.

    Raises:
        RunError: it cannot be read, or is not UTF-8; names the line.
    """
    end = number = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                end, number = end + len(line), number + 1
                yield end, next(csv.reader([line.decode()]), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{path}:{number + 1}: cannot be read: {error}.") from error


def _line(row: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue()
