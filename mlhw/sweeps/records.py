"""What came of the trials of a sweep: one line each in sweep.csv, and mean, spread and n of each variant."""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mlhw.files import write_text
from mlhw.sweeps.plan import Trial

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
    values: Mapping[str, Any] = field(default_factory=dict)  # the grid's keys, with this trial's values


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and sample standard deviation (0 for a single value) of ``n`` values of one measure."""

    mean: float
    deviation: float
    n: int


def of_summary(trial: Trial, summary: Mapping[str, Any]) -> Record:
    """The record of a trial that is done."""
    keys = ("parameters", "best_epoch", *MEASURES, "seconds_training")
    found: dict[str, Any] = {key: summary.get(key) for key in keys}
    return Record(trial.variant, trial.repeat, summary["run_id"], "done", **found, values=trial.values)


def of_error(trial: Trial, run_id: str, error: str) -> Record:
    """The record of a trial that failed; without a run id where it came to none."""
    return Record(trial.variant, trial.repeat, run_id, "failed", error=error, values=trial.values)


def write(path: Path, records: Iterable[Record]) -> None:
    """Write ``records`` to ``path``, one line each below a header, all or nothing; the grid's keys are columns of it."""
    records = list(records)
    grid = list(dict.fromkeys(key for record in records for key in record.values))
    names = [each.name for each in fields(Record) if each.name != "values"]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_between(names, grid))
    for record in records:
        cells = [getattr(record, name) for name in names]
        table.writerow(["" if cell is None else cell for cell in _between(cells, [record.values.get(k) for k in grid])])
    write_text(path, text.getvalue())


def _between(cells: list[Any], values: list[Any]) -> list[Any]:
    shown = [json.dumps(value) if isinstance(value, list | dict) else value for value in values]
    return [*cells[:2], *shown, *cells[2:]]


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
