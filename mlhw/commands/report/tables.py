"""The tables of a report."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlhw.commands.report.sources import Member, Setting, Sources
from mlhw.commands.report.verdict import judged
from mlhw.protocols import EpochRow
from mlhw.reports.curves import MOST_ROWS, kept
from mlhw.reports.records import Dots, Line, RunCurves, SplitRows, Table
from mlhw.reports.text import DASH, loss, percent, seconds, spread
from mlhw.runs.environment import read_environment

SPLITS: Final = ("train", "val", "test")
MOST_LINES: Final = 24  # settings in one chart


def results(sources: Sources) -> Table:
    """The final metrics: a row a split of one setting, or a row a setting; mean ± sd and n where there are several runs."""
    several = sources.settings[0].row.n > 1
    if len(sources.settings) == 1:
        setting = sources.settings[0]
        shown = [split for split in SPLITS if setting.mean(f"{split}_accuracy") is not None]
        rows = [
            [split, _accuracy(setting, split), _loss(setting, split), *([str(setting.row.n)] if several else [])]
            for split in shown
        ]
        headers = ["split", "accuracy", "loss", *(["n"] if several else [])]
        return Table(headers, rows, frozenset(range(1, len(headers))))
    shown = [split for split in SPLITS if any(s.mean(f"{split}_accuracy") is not None for s in sources.settings)]
    by = f"{sources.held_out()}_accuracy"
    ordered = sorted(sources.settings, key=lambda setting: -(setting.mean(by) or -1.0))
    if by == "test_accuracy":  # never an order by test
        ordered = list(sources.settings)
    rows = [
        [
            setting.label,
            str(setting.row.n),
            *(_accuracy(setting, split) for split in shown),
            *(_loss(setting, split) for split in shown),
            seconds(setting.mean("seconds")),
        ]
        for setting in ordered
    ]
    headers = ["setting", "n", *(f"{s} accuracy" for s in shown), *(f"{s} loss" for s in shown), "training"]
    return Table(headers, rows, frozenset(range(1, len(headers))))


def _accuracy(setting: Setting, split: str) -> str:
    return spread(setting.mean(f"{split}_accuracy"), setting.deviation(f"{split}_accuracy"))


def _loss(setting: Setting, split: str) -> str:
    return loss(setting.mean(f"{split}_loss"), setting.deviation(f"{split}_loss"))


def dots(sources: Sources) -> tuple[list[Dots], str]:
    """The held-out accuracy of every run, a row a setting, and of which split; nothing for a single run."""
    split = sources.held_out()
    measure = f"{split}_accuracy"
    found = []
    for setting in sources.settings:
        each = [member.row.measures.get(measure) for member in setting.members]
        values = [value for value in each if isinstance(value, int | float) and math.isfinite(value)]
        mean = setting.mean(measure)
        if values and mean is not None:
            found.append(Dots(setting.label, values, mean, setting.deviation(measure)))
    return (found if sum(len(each.values) for each in found) > 1 else []), split


def runs(sources: Sources) -> Table | None:
    """A row a run; None for a single one."""
    if len(sources.rows) == 1:
        return None
    shown = [split for split in SPLITS if any(m.row.measures.get(f"{split}_accuracy") is not None for m in sources.members)]
    settings = {member.run.id: setting.label for setting in sources.settings for member in setting.members}
    named = ["setting"] if len(sources.settings) > 1 else []
    rows = []
    for member in sources.members:
        row = member.row
        rows.append(
            [
                member.run.id,
                *([settings[member.run.id]] if named else []),
                _seeds(row.config),
                row.status,
                _epochs(member),
                *(percent(_number(row.measures.get(f"{split}_accuracy"))) for split in shown),
                judged(member).verdict,
                seconds(_number(row.measures.get("seconds"))),
            ]
        )
    headers = ["run", *named, "seed", "status", "epochs", *(f"{s} accuracy" for s in shown), "verdict", "training"]
    right = frozenset(i for i, h in enumerate(headers) if h in ("seed", "epochs", "training") or h.endswith("accuracy"))
    return Table(headers, rows, right)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _seeds(config: Mapping[str, Any]) -> str:
    found = [config.get("seed.init"), config.get("seed.data")]
    return str(found[0]) if found[0] == found[1] else " / ".join(map(str, found))


def _epochs(member: Member) -> str:
    last = max(row.epoch for row in member.rows)
    return f"{member.reported} of {last}" if member.reported is not None and member.reported != last else str(last)


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
        [_number(row.loss) for row in rows],
        [_number(row.accuracy) for row in rows],
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


def environment(members: Sequence[Member]) -> Table | None:
    """What the runs were computed with, a row a fact; where they differ, all of its values."""
    records = [found for member in members if (found := read_environment(member.run.environment_file))]
    if not records:
        return None
    rows = []
    for name, values in _facts(records, members):
        texts = list(dict.fromkeys(str(value) for value in values if value not in (None, "")))
        if texts:
            rows.append([name, " · ".join(texts[:6]) + (" · …" if len(texts) > 6 else "")])
    return Table(["", ""], rows)


def _facts(records: Sequence[Mapping[str, Any]], members: Sequence[Member]) -> list[tuple[str, list[Any]]]:
    named = ("processor", "cores", "device", "threads", "platform", "python")
    found = [(name, [record.get(name) for record in records]) for name in named]
    packages = [_mapping(record.get("packages")) for record in records]
    names = dict.fromkeys(name for each in packages for name in each)
    found += [(name, [each.get(name) for each in packages]) for name in names]
    found.append(("data", [record.get("data") for record in records]))
    summaries = [member.run.summary() or {} for member in members]
    found.append(("rows", [_rows(summary) for summary in summaries]))
    peaks = [summary.get("peak_memory_mb") for summary in summaries]
    found.append(("peak memory", [f"{peak:,.0f} MB" for peak in peaks if isinstance(peak, int | float)]))
    found.append(("signature", [str(summary.get("signature", ""))[:16] for summary in summaries]))
    return found


def _rows(summary: Mapping[str, Any]) -> str:
    rows = _mapping(summary.get("rows"))
    return ", ".join(f"{count:,} {split}" for split, count in rows.items() if isinstance(count, int))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
