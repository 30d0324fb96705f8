"""The numbers that the charts are drawn from: no more of them than a screen can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mlhw.reports.records import Line, SplitRows

MOST_POINTS: Final = 60_000  # of all curves together: about 1.2 MB
LEAST_POINTS: Final = 60  # of one curve
MOST_ROWS: Final = 150  # of the table behind the charts
DIGITS: Final = 6


def payload(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The lines as JSON values: {label, runs: [{name, reported, splits: {split: {epochs, loss, accuracy}}}]}."""
    curves = [rows for line in lines for run in line.runs for rows in run.splits.values()]
    most = max(LEAST_POINTS, MOST_POINTS // max(1, len(curves)))
    return [
        {
            "label": line.label,
            "runs": [
                {
                    "name": run.name,
                    "reported": run.reported,
                    "splits": {name: _numbers(rows, most, run.reported) for name, rows in run.splits.items()},
                }
                for run in line.runs
            ],
        }
        for line in lines
    ]


def _numbers(rows: SplitRows, most: int, reported: int | None) -> dict[str, Any]:
    at = kept(rows.epochs, most, reported)
    return {
        "epochs": [rows.epochs[place] for place in at],
        "loss": [_short(rows.loss[place]) for place in at],
        "accuracy": [_short(rows.accuracy[place]) for place in at],
    }


def kept(epochs: Sequence[int], most: int, reported: int | None) -> list[int]:
    """The places of up to about ``most`` epochs: all, or every n-th with the first, the last and the reported one."""
    step = -(-len(epochs) // most)
    return [
        place
        for place, epoch in enumerate(epochs)
        if place % step == 0 or place == len(epochs) - 1 or epoch == reported
    ]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")
