"""Runs that differ in their seeds alone become one row: mean, sample standard deviation and n of every measure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

from mlhw.commands.compare.rows import Row
from mlhw.commands.compare.values import WORDS, identity
from mlhw.sweeps.records import Spread


def fold(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """``rows`` with those that are done folded, in order of appearance, and notes on what was left out of a mean.

    A group is of one setting: configs equal but for ``seed.*`` and words, and of a sweep one variant. A run with the seeds of
    an earlier one of its group says nothing new and is counted once; a run that is not done keeps a row of its own.
    """
    groups: dict[tuple[object, ...], list[Row]] = {}
    for place, row in enumerate(rows):
        key = (row.sweep, row.variant, _setting(row)) if row.status == "done" and row.trained else (place,)
        groups.setdefault(key, []).append(row)
    folded, notes = [], []
    for group in groups.values():
        if group[0].status != "done" or not group[0].trained:
            folded += group
            continue
        seeds: dict[object, Row] = {}
        for row in group:
            first = seeds.setdefault(_seeds(row), row)
            if first is not row:
                notes.append(f"{row.run_id} repeats the seeds of {first.run_id}: counted once.")
        folded.append(_mean(list(seeds.values())))
    return folded, notes


def _setting(row: Row) -> frozenset[tuple[str, str]]:
    return frozenset(
        (key, identity(value)) for key, value in row.config.items() if not _is_seed(key) and key not in WORDS
    )


def _seeds(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, identity(value)) for key, value in row.config.items() if _is_seed(key)))


def _is_seed(key: str) -> bool:
    return key.startswith("seed.")


def _mean(group: Sequence[Row]) -> Row:
    """One row of a whole group; the epoch where all have the same."""
    first = group[0]
    measures: dict[str, float | Spread | None] = {}
    for name in dict.fromkeys(name for row in group for name in row.measures):
        values = [
            value for row in group if isinstance(value := row.measures.get(name), int | float) and isfinite(value)
        ]
        measures[name] = values[0] if name == "parameters" and len(set(values)) == 1 else _spread(values)
    epochs = [row.epochs for row in group if isinstance(row.epochs, int)]
    config = {
        key: value
        for key, value in first.config.items()
        if not _is_seed(key) or len({identity(row.config.get(key)) for row in group}) == 1
    }
    return replace(
        first,
        run_ids=tuple(run_id for row in group for run_id in row.run_ids),
        label=first.variant or first.label,
        repeat=None,
        epochs=first.epochs if len(set(epochs)) == 1 else _spread(epochs),
        epoch=first.epoch if len({row.epoch for row in group}) == 1 else None,
        config=config,
        measures=measures,
    )


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    return Spread(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0, len(values))
