"""Which runs the words on a command line mean: runs, and sweeps with all their trials."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlhw.commands.compare.config import clean
from mlhw.commands.compare.rows import Row, label, number, read_run, whole
from mlhw.commands.settings import Settings
from mlhw.errors import ConfigError, RunError, nearest
from mlhw.runs import ambiguous, store
from mlhw.sweeps.folder import SweepFolder, every
from mlhw.sweeps.records import MEASURES

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


def all_sweeps(outputs: Path) -> list[SweepFolder]:
    """Every sweep in ``outputs``, newest first."""
    return every(outputs)[::-1]


def read_rows(settings: Settings, names: Sequence[str]) -> list[Row]:
    """The rows that ``names`` mean, in their order, none twice.

    Args:
        names: each a run's id, ``latest``, a sweep's id, ``latest-sweep``, or the unique beginning of an id; with ``sweeps/``
            in front a sweep's alone.

    Raises:
        ConfigError: there is nothing to compare; says what there is.
        RunError: a name means nothing, or more than one thing; or a sweep has no trial yet.
    """
    found = find_all(settings, names, "two runs or more, or a sweep")
    if len(found) == 1 and isinstance(only := found[0], store.Run):
        raise ConfigError(
            f"a comparison needs two runs or a sweep, got run {only.id} alone. `mlhw show` shows one run."
        )
    return rows_of(settings, found)


def find_all(settings: Settings, names: Sequence[str], wanted: str) -> list[store.Run | SweepFolder]:
    """The runs and sweeps that ``names`` mean, in their order, none twice; ``wanted`` says what to name where none is.

    Raises:
        ConfigError: there is no name; says what there is.
        RunError: a name means nothing, or more than one thing.
    """
    runs = {run.id: run for run in store.all_runs(settings.outputs)}
    sweeps = {folder.id: folder for folder in all_sweeps(settings.outputs)}
    if not names:
        raise ConfigError(f"name {wanted}. {_there(runs, sweeps)}")
    return list(dict.fromkeys(_find(name, runs, sweeps) for name in names))


def rows_of(settings: Settings, found: Sequence[store.Run | SweepFolder]) -> list[Row]:
    """The rows of ``found``: one a run, and of a sweep one a trial; a run that is in a sweep too comes once.

    Raises:
        RunError: a sweep has no trial yet.
    """
    rows = [
        row
        for item in found
        for row in ([read_run(settings, item)] if isinstance(item, store.Run) else read_sweep(settings, item))
    ]
    members = {row.run_ids for row in rows if row.sweep}
    return [row for row in rows if row.sweep or row.run_ids not in members]


def _there(runs: Mapping[str, store.Run], sweeps: Mapping[str, SweepFolder]) -> str:
    if not runs and not sweeps:
        return "There are none yet; `mlhw train digits-cnn` makes a run."
    said = [
        f"The newest {what}: {', '.join(list(ids)[:3])}." for what, ids in (("runs", runs), ("sweeps", sweeps)) if ids
    ]
    return " ".join(said)


def _find(name: str, runs: Mapping[str, store.Run], sweeps: Mapping[str, SweepFolder]) -> store.Run | SweepFolder:
    """What ``name`` means, among ``runs`` and ``sweeps`` by id, newest first. Raises RunError."""
    as_sweep = name.startswith("sweeps/")
    word = name.removeprefix("sweeps/").rstrip("/") if as_sweep else name
    if not _SAFE.fullmatch(word):
        raise RunError(f"'{name}' is no run or sweep: letters, digits and dashes alone. `mlhw runs` lists the runs.")
    if word == "latest" and runs and not as_sweep:
        return store.latest(list(runs.values()))
    if (word == "latest-sweep" or (as_sweep and word == "latest")) and sweeps:
        return next(iter(sweeps.values()))
    known = ({} if as_sweep else dict(runs)), dict(sweeps)
    mine, theirs = ([word] if word in ids else [] for ids in known)  # a whole id goes before any beginning
    if not mine and not theirs:
        mine, theirs = ([found for found in ids if found.startswith(word)] for ids in known)
    if len(mine) + len(theirs) == 1:
        return runs[mine[0]] if mine else sweeps[theirs[0]]
    if not mine and not theirs:
        close = nearest(word, [*list(known[0])[:50], *list(sweeps)[:50]])
        hint = f"Did you mean {' or '.join(close)}?" if close else _there(runs, sweeps)
        raise RunError(f"no run and no sweep '{name}' in the outputs. {hint}")
    if word in mine:
        raise RunError(f"'{word}' is the id of a run and of a sweep. Write sweeps/{word} for the sweep.")
    newest = store.latest(list(runs.values())).id if runs else ""
    raise RunError(ambiguous.explained(name, mine, [*known[0], *sweeps], newest, theirs))


def read_sweep(settings: Settings, folder: SweepFolder) -> Iterator[Row]:
    """The rows of the trials of a sweep: those of its sweep.csv, then those of its plan that are not over, or not begun.

    Raises:
        RunError: there is neither table nor plan, or the table is another kind of file.
    """
    for record in _trials(folder):
        variant, run_id, status = clean(record["variant"]), clean(record["run_id"]), clean(record["status"])
        run = store.Run(settings.outputs / run_id)
        if store.RUN_ID.fullmatch(run_id) and run.path.is_dir():
            row = read_run(settings, run)
        else:
            row = _without_run(variant, run_id, status, record)
        repeat = record.get("repeat") or ""
        yield replace(
            row,
            experiment=row.experiment or label(folder.id),
            sweep=folder.id,
            variant=variant,
            repeat=int(repeat) if repeat.isdecimal() else None,
        )


def _without_run(variant: str, run_id: str, status: str, record: Mapping[str, str]) -> Row:
    """A trial without a run folder: it failed, is still to come, or its run was removed; then sweep.csv has its numbers."""
    row = Row((run_id,) if run_id else (), variant, "", status, error=clean(record.get("error") or ""))
    if run_id:
        row = replace(row, status="removed", error="its folder is gone; the numbers are sweep.csv's")
    faults: list[str] = []
    values = {key: _parsed(record.get(key)) for key in ("parameters", *MEASURES, "seconds_training", "best_epoch")}
    measures = {key: number(values, key, faults) for key in ("parameters", *MEASURES)}
    measures["seconds"] = number(values, "seconds_training", faults)
    epoch = whole(number(values, "best_epoch", faults))
    if faults:
        row = replace(row, status="damaged", error="sweep.csv: " + "; ".join(faults))
    return replace(row, measures=measures, epoch=epoch)


def _parsed(text: str | None) -> Any:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _trials(folder: SweepFolder) -> list[dict[str, str]]:
    """The lines of sweep.csv, and as such lines the trials of the plan that have none yet, ``planned``."""
    plan = (folder.plan() or {}).get("trials")
    planned = [trial for trial in plan if isinstance(trial, dict)] if isinstance(plan, list) else []
    if not planned and not folder.table.exists():
        raise RunError(f"{folder.path}: has no sweep.csv yet: no trial of this sweep is over.")
    trials = _table(folder.table) if folder.table.exists() else []
    over = {(trial["variant"], trial.get("repeat")) for trial in trials}
    begun = folder.begun()
    for place, trial in enumerate(planned):
        variant, repeat = str(trial.get("variant", "")), str(trial.get("repeat", ""))
        if (variant, repeat) not in over:
            trials.append({"variant": variant, "repeat": repeat, "run_id": begun.get(place, ""), "status": "planned"})
    if not trials:
        raise RunError(f"{folder.table}: has no trial yet.")
    return trials


def _table(path: Path) -> list[dict[str, str]]:
    try:
        found = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), restval="", strict=True)
        trials = list(found)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{path}: cannot be read as the table of a sweep: {error}.") from error
    missing = [key for key in ("variant", "run_id", "status") if key not in (found.fieldnames or ())]
    if missing:
        raise RunError(
            f"{path}:1: should have the columns variant, run_id and status; there is no {' and no '.join(missing)}."
        )
    return trials
