"""What a classification wrote, as rows."""

from __future__ import annotations

import csv

from mlhw.runs.store import Run

HEADER = ["file", "status", "rank", "class_index", "class_name", "probability", "reason"]


def table(found: Run, name: str = "predictions.csv") -> list[dict[str, str]]:
    with (found.path / name).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        assert reader.fieldnames == HEADER
    return rows
