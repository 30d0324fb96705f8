"""metrics.csv: one row an epoch and split, written as it comes, read back exactly."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from mlhw.errors import RunError
from mlhw.files import LineFile
from mlhw.protocols import EpochRow

HEADER = "epoch,split,loss,accuracy,lr,seconds"
SPLITS = ("train", "val", "test")
MOST_EPOCHS = 10_000_000  # what train.epochs may be
TAIL_BYTES = 4096  # some forty rows: more than those of one epoch, and the test row of an earlier one that comes last


class MetricsFile:
    """An open metrics.csv. Rows are whole lines, given to the system at once; ``sync`` also brings them to the disk."""

    def __init__(self, path: Path, keep: Callable[[EpochRow], bool] = lambda row: False) -> None:
        """Open for appending; of the whole rows that are there, those stay that ``keep`` names.

        A crash can tear the last line or leave rows newer than the checkpoint; the resumed loop writes those again.

        Raises:
            OutputError: it cannot be written.
        """
        kept = list(filter(keep, read_metrics(path))) if path.exists() else []
        self._file = LineFile(path, "".join(f"{line}\n" for line in [HEADER, *map(_line, kept)]).encode())

    def append(self, rows: Iterable[EpochRow]) -> None:
        """Add ``rows`` as whole lines in one write. Raises OutputError where the disk is full."""
        self._file.append("".join(f"{_line(row)}\n" for row in rows).encode())

    def sync(self) -> None:
        """Bring all rows to the disk."""
        self._file.sync()

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
            rows.append(_row(line))
        except ValueError as error:
            if number == len(lines) - 1:
                break
            raise RunError(f"{path}:{number}: should be '{HEADER}', got '{line[:80]}'.") from error
    return rows


def _row(line: str) -> EpochRow:
    """The row that ``line`` is; raises ValueError where it is none."""
    epoch, split, loss, accuracy, lr, seconds = line.split(",")
    if split not in SPLITS or not 1 <= int(epoch) <= MOST_EPOCHS:
        raise ValueError("no row")
    return EpochRow(int(epoch), split, float(loss), float(accuracy), float(lr), float(seconds))


def last_epoch(path: Path) -> int:
    """The newest epoch of which the end of ``path`` has a whole row, 0 where it has none; reads no more than that end.

    Raises:
        RunError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read(TAIL_BYTES).decode(errors="replace").split("\n")[1:-1]  # the first: the header, or cut
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error}.") from error
    newest = 0
    for line in lines:
        with contextlib.suppress(ValueError):
            newest = max(newest, _row(line).epoch)
    return newest


def row_of(rows: Iterable[EpochRow], epoch: int, split: str) -> EpochRow | None:
    """The last row of ``split`` at ``epoch``, or None."""
    found = [row for row in rows if row.epoch == epoch and row.split == split]
    return found[-1] if found else None
