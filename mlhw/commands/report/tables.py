"""The tables of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlhw.commands.report.sources import SPLITS, Member, Setting, Sources, number
from mlhw.commands.report.verdict import judged
from mlhw.reports.records import Dots, Table
from mlhw.reports.text import loss, percent, seconds, spread
from mlhw.runs.environment import read_environment

LANES: Final = (0, 1, -1, 2, -2)
DOT: Final = 0.025  # the width of a dot, as a share of the strip


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
    if by != "val_accuracy":  # never an order by test
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
    known = {
        setting.label: [
            value for member in setting.members if (value := number(member.row.measures.get(measure))) is not None
        ]
        for setting in sources.settings
    }
    everything = [value for values in known.values() for value in values]
    found = []
    for setting in sources.settings:
        values = known[setting.label]
        mean = setting.mean(measure)
        if values and mean is not None:
            found.append(Dots(setting.label, values, _lanes(values, everything), mean, setting.deviation(measure)))
    return (found if sum(len(each.values) for each in found) > 1 else []), split


def _lanes(values: Sequence[float], everything: Sequence[float]) -> list[int]:
    """A lane for each value, so that dots that nearly coincide lie beside each other; the last lanes take the rest."""
    near = DOT * max(max(everything) - min(everything), 1e-9)
    last: dict[int, float] = {}
    found = dict[int, int]()
    for place in sorted(range(len(values)), key=lambda place: values[place]):
        free = [lane for lane in LANES if values[place] - last.get(lane, -math.inf) >= near]
        found[place] = free[0] if free else LANES[len(found) % len(LANES)]
        last[found[place]] = values[place]
    return [found[place] for place in range(len(values))]


def runs(sources: Sources) -> Table | None:
    """A row a run; None for a single one."""
    if len(sources.rows) == 1:
        return None
    shown = [
        split for split in SPLITS if any(m.row.measures.get(f"{split}_accuracy") is not None for m in sources.members)
    ]
    settings = {member.run.id: setting.label for setting in sources.settings for member in setting.members}
    named = ["setting"] if len(sources.settings) > 1 else []
    told = any(member.row.status != "done" for member in sources.members)
    rows = []
    for member in sources.members:
        row = member.row
        rows.append(
            [
                member.run.id,
                *([settings[member.run.id]] if named else []),
                _seeds(row.config),
                *([row.status] if told else []),
                _epochs(member),
                *(percent(number(row.measures.get(f"{split}_accuracy"))) for split in shown),
                judged(member).verdict,
                seconds(number(row.measures.get("seconds"))),
            ]
        )
    headers = [
        "run",
        *named,
        "seed",
        *(["status"] if told else []),
        "epochs",
        *(f"{s} accuracy" for s in shown),
        "verdict",
        "training",
    ]
    right = frozenset(i for i, h in enumerate(headers) if h in ("seed", "epochs", "training") or h.endswith("accuracy"))
    return Table(headers, rows, right)


def _seeds(config: Mapping[str, Any]) -> str:
    found = [config.get("seed.init"), config.get("seed.data")]
    return str(found[0]) if found[0] == found[1] else " / ".join(map(str, found))


def _epochs(member: Member) -> str:
    last = max(row.epoch for row in member.rows)
    return f"{member.reported} of {last}" if member.reported is not None and member.reported != last else str(last)


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
    if len(members) == 1:
        found.append(("signature", [str(summaries[0].get("signature", ""))[:16]]))
    return found


def _rows(summary: Mapping[str, Any]) -> str:
    rows = _mapping(summary.get("rows"))
    return ", ".join(f"{count:,} {split}" for split, count in rows.items() if isinstance(count, int))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
