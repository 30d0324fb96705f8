"""What a report is of: runs by themselves, and by setting where they differ in their seeds alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlhw.commands.compare import seeds, values
from mlhw.commands.compare.names import find_all, rows_of
from mlhw.commands.compare.rows import Row, read_run
from mlhw.commands.settings import Settings
from mlhw.errors import MlhwError, RunError
from mlhw.protocols import EpochRow
from mlhw.runs import store
from mlhw.runs.metrics import read_metrics
from mlhw.sweeps.folder import SweepFolder

SPLITS: Final = ("train", "val", "test")
MOST_KEYS: Final = 3  # of a setting's label


@dataclass(frozen=True)
class Member:
    """One run: its row (see ``compare.rows``), its folder, and its epochs (none of a run of pretrained networks)."""

    row: Row
    run: store.Run
    rows: Sequence[EpochRow]

    @property
    def reported(self) -> int | None:
        """The epoch whose weights are reported; None of a run that is not done."""
        return self.row.epoch if self.row.status == "done" else None


@dataclass(frozen=True)
class Setting:
    """Runs that differ in their seeds alone: what to call them, their row of means, and themselves."""

    label: str
    row: Row
    members: Sequence[Member]

    def mean(self, measure: str) -> float | None:
        """The mean of ``measure`` over the runs, or None."""
        found: Any = self.row.measures.get(measure)
        return getattr(found, "mean", found)

    def deviation(self, measure: str) -> float | None:
        """Its sample standard deviation; None of a single run."""
        found = self.row.measures.get(measure)
        return getattr(found, "deviation", None) if getattr(found, "n", 1) > 1 else None


@dataclass(frozen=True)
class Sources:
    """All of it: ``rows`` are of every trial, also of those without a run; ``sweep`` where the report is of one sweep."""

    rows: Sequence[Row]
    settings: Sequence[Setting]
    members: Sequence[Member]
    sweep: SweepFolder | None
    notes: Sequence[str]

    @property
    def single(self) -> Member | None:
        """The run where the report is of one run."""
        return self.members[0] if len(self.rows) == 1 and self.sweep is None else None

    def best(self) -> Setting:
        """The setting with the highest mean accuracy on val, never test; the first where none has one, or equals it."""
        return max(self.settings, key=lambda setting: setting.mean("val_accuracy") or -1.0)

    def held_out(self) -> str:
        """The split that settings are compared on: val where there is one, else test, else train."""
        names = values.measures([setting.row for setting in self.settings])
        return next((split for split in ("val", "test") if f"{split}_accuracy" in names), "train")


def gather(settings: Settings, names: Sequence[str]) -> tuple[Sources, list[store.Run | SweepFolder]]:
    """The runs and sweeps that ``names`` mean, read.

    Raises:
        ConfigError: there is no name.
        RunError: a name means nothing or several things, or nothing of all of it has a finished epoch.
    """
    found = find_all(settings, names, "a run or a sweep, or several")
    notes: list[str] = []
    if len(found) == 1 and isinstance(only := found[0], store.Run):
        rows = [read_run(settings, only)]
    else:
        rows = rows_of(settings, found)
    members = [member for row in rows if (member := _member(settings, row, notes))]
    with_rows = [member for member in members if member.rows]
    if not with_rows:
        raise RunError(_nothing(rows, notes))
    folded, repeats = seeds.fold([member.row for member in with_rows])
    by_id = {member.run.id: member for member in with_rows}
    labels = _labels(folded)
    parts = [
        Setting(label, row, [by_id[run_id] for run_id in row.run_ids])
        for label, row in zip(labels, folded, strict=True)
    ]
    notes += repeats + [_without(row) for row in rows if row.run_id not in by_id]
    sweep = found[0] if len(found) == 1 and isinstance(found[0], SweepFolder) else None
    counted = [member for setting in parts for member in setting.members]
    return Sources(rows, parts, counted, sweep, notes), found


def number(value: Any) -> float | None:
    """``value`` where it is a finite number, else None."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _member(settings: Settings, row: Row, notes: list[str]) -> Member | None:
    if not row.run_id or row.status == "removed":
        return None
    run = store.Run(settings.outputs / row.run_id)
    try:
        rows = read_metrics(run.metrics_file) if run.metrics_file.exists() else []
    except MlhwError as error:
        notes.append(f"{row.run_id}: {error}".replace(f"{run.path}/", ""))
        return None
    return Member(row, run, rows)


def _nothing(rows: Sequence[Row], notes: Sequence[str]) -> str:
    if any(row.trained is False for row in rows):
        return (
            f"{rows[0].name} asked pretrained networks and trained none: a report is of trainings. "
            "`mlhw show` says what it found."
        )
    what = f"run {rows[0].name} has no" if len(rows) == 1 else f"none of the {len(rows)} runs has a"
    return f"{what} finished epoch yet: there is nothing to report. {' '.join(notes)}".rstrip()


def _without(row: Row) -> str:
    if row.trained is False:
        return f"{row.name}: a run of pretrained networks, which has no curves; `mlhw show` says what it found."
    return f"{row.name}: {row.status}, without an epoch on record{f': {row.error}' if row.error else ''}."


def _labels(rows: Sequence[Row]) -> list[str]:
    """What to call each of ``rows``: its variant, else the keys in which they differ, else its name; no two the same."""
    if len(rows) == 1:
        return [rows[0].experiment]
    variants = [row.variant or "" for row in rows]
    if all(variants) and len(set(variants)) == len(rows):
        return variants
    keys = [
        key
        for key in values.config_keys(rows)
        if not values.is_aside(key) and values.differs(rows, key) and not key.startswith("sweep")
    ]
    if len({row.experiment for row in rows}) == len(rows):
        return [row.experiment for row in rows]
    labels = [", ".join(f"{key.rpartition('.')[2]} {_word(row, key)}" for key in keys) for row in rows]
    if 0 < len(keys) <= MOST_KEYS and len(set(labels)) == len(rows):
        return labels
    return [row.run_ids[0] if row.n == 1 else f"{row.run_ids[0]} and {row.n - 1} more" for row in rows]


def _word(row: Row, key: str) -> str:
    found = values.value(row, key)
    return "–" if found is values.ABSENT else str(found)
