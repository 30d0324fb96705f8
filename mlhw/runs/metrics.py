"""metrics.csv: one row an epoch and split, written as it comes, read back exactly."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from mlhw.errors import OutputError, RunError
from mlhw.protocols import EpochRow

HEADER = "epoch,split,loss,accuracy,lr,seconds"


class MetricsFile:
    """An open metrics.csv. Rows are whole lines, flushed at once; ``sync`` also brings them to the disk."""

    def __init__(self, path: Path, keep: Callable[[EpochRow], bool] = lambda row: False) -> None:
        """Open for appending; of the whole rows that are there, those stay that ``keep`` names.

        A crash can tear the last line or leave rows newer than the checkpoint; the resumed loop writes those again.
        """
        kept = list(filter(keep, read_metrics(path))) if path.exists() else []
        text = "".join(f"{line}\n" for line in [HEADER, *map(_line, kept)])
        self.path = path
        try:
            # In place and not by replacement: the content up to the end of what is kept stays as it is.
            self._file = path.open("r+b" if path.exists() else "w+b")
            self._file.write(text.encode())
            self._file.truncate()
            self._file.flush()
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}.") from error

    def append(self, rows: Iterable[EpochRow]) -> None:
        """Add ``rows`` as whole lines in one write."""
        try:
            self._file.write("".join(f"{_line(row)}\n" for row in rows).encode())
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {error.strerror or error}. Free space, then resume."
            ) from error

    def sync(self) -> None:
        """Bring all rows to the disk."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {error.strerror or error}. Free space, then resume."
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _line(row: EpochRow) -> str:
    # repr is the shortest text that reads back as the same float: equal files mean equal numbers.
    return f"{row.epoch},{row.split},{row.loss!r},{row.accuracy!r},{row.lr!r},{row.seconds:.6f}"


def read_metrics(path: Path) -> list[EpochRow]:
    """The whole rows of ``path``; a torn last line is left out.

    Raises:
        RunError: there is no such file, or a line within it is not a row.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read: {error}.") from error
    rows = []
    lines = text.split("\n")
    for number, line in enumerate(lines[1:-1], start=2):  # what follows the last line end is torn, or nothing
        try:
            epoch, split, loss, accuracy, lr, seconds = line.split(",")
            rows.append(EpochRow(int(epoch), split, float(loss), float(accuracy), float(lr), float(seconds)))
        except ValueError as error:
            if number == len(lines) - 1:
                break
            raise RunError(f"{path}:{number}: should be '{HEADER}', got '{line[:80]}'.") from error
    return rows


def row_of(rows: Iterable[EpochRow], epoch: int, split: str) -> EpochRow | None:
    """The last row of ``split`` at ``epoch``, or None."""
    found = [row for row in rows if row.epoch == epoch and row.split == split]
    return found[-1] if found else None
