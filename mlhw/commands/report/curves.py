"""The curves of a report, and the table of numbers behind them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from mlhw.commands.report.sources import SPLITS, Member, Sources, number
from mlhw.protocols import EpochRow
from mlhw.reports.curves import MOST_ROWS, kept
from mlhw.reports.records import Line, RunCurves, SplitRows, Table
from mlhw.reports.text import DASH, loss, spread

MOST_LINES: Final = 24  # settings in one chart


def lines(sources: Sources) -> list[Line]:
    """The curves by setting; of very many the best on the held-out split (of no val the first)."""
    chosen = list(sources.settings)
    if len(chosen) > MOST_LINES:
        ranked = sorted(chosen, key=lambda setting: -(setting.mean("val_accuracy") or -1.0))[:MOST_LINES]
        chosen = [setting for setting in chosen if setting in ranked]
    return [Line(setting.label, [_curves(member) for member in setting.members]) for setting in chosen]


def _curves(member: Member) -> RunCurves:
    splits = {}
    for split in SPLITS:
        by_epoch = {row.epoch: row for row in member.rows if row.split == split}
        if by_epoch:
            splits[split] = _split([by_epoch[epoch] for epoch in sorted(by_epoch)])
    return RunCurves(member.run.id, splits, member.reported)


def _split(rows: Sequence[EpochRow]) -> SplitRows:
    return SplitRows(
        [row.epoch for row in rows],
        [number(row.loss) for row in rows],
        [number(row.accuracy) for row in rows],
    )


def epochs(found: Sequence[Line], held_out: str) -> tuple[Table, str]:
    """The numbers behind the charts, and a caption: of one line every split, of several the held-out one of each."""
    alone = len(found) == 1
    columns: list[tuple[str, list[SplitRows], str]] = []
    for line in found:
        there = [split for split in SPLITS if any(split in run.splits for run in line.runs)]
        for split in there if alone else [held_out if held_out in there else there[0]]:
            rows = [run.splits[split] for run in line.runs if split in run.splits]
            name = split if alone else f"{line.label}, {split}"
            columns += [(f"{name} {quantity}", rows, quantity) for quantity in ("loss", "accuracy")]
    known = sorted({epoch for _, rows, _ in columns for each in rows for epoch in each.epochs})
    reported = found[0].runs[0].reported if alone and len(found[0].runs) == 1 else None
    shown = [known[place] for place in kept(known, MOST_ROWS, reported)]
    tables = [_by_epoch(rows, quantity) for _, rows, quantity in columns]
    body = [[str(epoch), *(table.get(epoch, DASH) for table in tables)] for epoch in shown]
    several = any(len(line.runs) > 1 for line in found)
    said = ["mean ± sd over the runs"] * several
    said += [f"{len(shown)} of {len(known)} epochs"] * (len(shown) < len(known))
    headers = ["epoch", *(name for name, _, _ in columns)]
    return Table(headers, body, frozenset(range(len(headers)))), "; ".join(said)


def _by_epoch(rows: Sequence[SplitRows], quantity: str) -> dict[int, str]:
    values: dict[int, list[float]] = {}
    for each in rows:
        for epoch, value in zip(each.epochs, getattr(each, quantity), strict=True):
            if value is not None:
                values.setdefault(epoch, []).append(value)
    write = spread if quantity == "accuracy" else loss
    return {
        epoch: write(statistics.fmean(found), statistics.stdev(found) if len(found) > 1 else None)
        for epoch, found in values.items()
    }
