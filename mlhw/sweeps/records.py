"""What came of the trials of a sweep: one line each in sweep.csv, and mean, spread and n of each variant."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from mlhw.files import write_text

MEASURES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy")


@dataclass(frozen=True, slots=True)
class Record:
    """One trial: its run, or the error that it ended with; ``None`` where a measure does not exist."""

    variant: str
    repeat: int
    run_id: str
    status: str  # done, or failed
    parameters: int | None = None
    best_epoch: int | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    seconds_training: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and sample standard deviation (0 for a single value) of ``n`` values of one measure."""

    mean: float
    deviation: float
    n: int


def write(path: Path, records: Iterable[Record]) -> None:
    """Write ``records`` to ``path``, one line each below a header, all or nothing."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(Record))
    for record in records:
        table.writerow("" if value is None else value for value in asdict(record).values())
    write_text(path, text.getvalue())


def spreads(records: Sequence[Record]) -> dict[str, dict[str, Spread]]:
    """For each variant, in order of appearance, the spread of each measure over its finished runs."""
    found: dict[str, dict[str, Spread]] = {}
    for variant in dict.fromkeys(record.variant for record in records):
        mine = [record for record in records if record.variant == variant and record.status == "done"]
        found[variant] = {}
        for measure in (*MEASURES, "seconds_training"):
            values = [value for record in mine if (value := getattr(record, measure)) is not None]
            if values and all(map(math.isfinite, values)):
                deviation = statistics.stdev(values) if len(values) > 1 else 0.0
                found[variant][measure] = Spread(statistics.fmean(values), deviation, len(values))
    return found
