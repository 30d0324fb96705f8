"""The top of a report: what was claimed, what came of it, and the numbers to remember."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from mlhw.commands.compare.rows import Row
from mlhw.commands.report.sources import Member, Setting, Sources
from mlhw.config import expectations
from mlhw.config.schema import Expect
from mlhw.reports.records import Fact, Finding, Sign
from mlhw.reports.text import NBSP, count, loss, percent, seconds, spread
from mlhw.runs import judge

_SIGNS: dict[str, Sign] = {"generalizing": "good", "overfitting": "bad", "underfitting": "bad", "undecided": "open"}


def findings(sources: Sources) -> list[Finding]:
    """The verdict in sentences: the state where it is not done, the expectations, and what the curves say."""
    found = _unfinished(sources)
    if len(sources.settings) > 1:
        found.append(_leader(sources))
    found += _expectations(sources)
    found += _judged(sources.members, mixed=len(sources.settings) > 1)
    if (member := sources.single) is not None:
        found += _dead(member.run.summary() or {})
    return found


def judged(member: Member) -> judge.Judgement:
    """What the curves of ``member`` say."""
    last = max(row.epoch for row in member.rows)
    return judge.judge(member.rows, member.reported or last)


def _unfinished(sources: Sources) -> list[Finding]:
    open_ = [row for row in sources.rows if row.status != "done"]
    if not open_:
        return []
    if len(sources.rows) > 1:
        said = ", ".join(f"{n} {status}" for status, n in Counter(row.status for row in open_).items())
        return [Finding("bad", f"{len(open_)} of {len(sources.rows)} runs are not done: {said}.")]
    row = open_[0]
    if row.epoch is None:
        return [Finding("bad", f"{row.status}: {row.error}")]
    planned = row.config.get("train.epochs")
    of = f" of {planned}" if planned else ""
    said = f"{row.status} after epoch {row.epoch}{of}; the numbers are of that epoch"
    return [Finding("bad", f"{said}: {row.error}" if row.error else f"{said}.")]


def _leader(sources: Sources) -> Finding:
    """Which setting is ahead on the held-out split, and by how much."""
    split = sources.held_out()
    measure = f"{split}_accuracy"
    ranked = sorted(
        (setting for setting in sources.settings if setting.mean(measure) is not None),
        key=lambda setting: -(setting.mean(measure) or 0.0),
    )
    if not ranked or split != "val":
        return Finding(
            "open", f"{len(sources.settings)} settings; none is called best, since there is no val to choose by."
        )
    first = ranked[0]
    text = f"Best on {split}: {first.label}, {_accuracy(first, measure)}"
    if len(ranked) > 1:
        lead = 100 * ((first.mean(measure) or 0.0) - (ranked[1].mean(measure) or 0.0))
        if not lead:
            return Finding(
                "open", f"Best on {split}: {first.label} and {ranked[1].label}, both with {_accuracy(first, measure)}."
            )
        text += f"; next {ranked[1].label}, {_accuracy(ranked[1], measure)}, {lead:.2f} points behind"
    return Finding("open", f"{text}.")


def _accuracy(setting: Setting, measure: str) -> str:
    n = f" (n = {setting.row.n})" if setting.row.n > 1 else ""
    return spread(setting.mean(measure), setting.deviation(measure)) + n


def _expectations(sources: Sources) -> list[Finding]:
    """What the runs' own ``expect:`` says: of one run with its number, of several how often it held."""
    lines: dict[tuple[str, str], list[expectations.Verdict]] = {}
    for member in sources.members:
        for verdict in _verdicts(member.row):
            lines.setdefault((verdict.key, verdict.threshold.strip()), []).append(verdict)
    found = []
    for (key, threshold), verdicts in lines.items():
        words = key.replace("_", " ")
        held = sum(verdict.holds is True for verdict in verdicts)
        known = sum(verdict.holds is not None for verdict in verdicts)
        if not known:
            found.append(Finding("open", f"Expected {words} {threshold}: not measured."))
        elif len(verdicts) == 1:
            got = verdicts[0].got
            shown = count(got) if key == "parameters" else percent(got)
            end = "held" if held else "fell short"
            found.append(Finding("good" if held else "bad", f"Expected {words} {threshold}: {end}, with {shown}."))
        else:
            sign: Sign = "good" if held == known else "bad"
            found.append(Finding(sign, f"Expected {words} {threshold}: held in {held} of {known} runs."))
    return found


def _verdicts(row: Row) -> list[expectations.Verdict]:
    asked = {
        key.removeprefix("expect."): value for key, value in row.config.items() if key.startswith("expect.") and value
    }
    try:
        expect = Expect.model_validate(asked)
    except ValidationError:  # another version's, or edited by hand
        return []
    measured: dict[str, Any] = (
        dict(row.measures) if row.status == "done" else {"parameters": row.measures.get("parameters")}
    )
    return expectations.verdicts(expect, measured)


def _judged(members: Sequence[Member], mixed: bool) -> list[Finding]:
    """What the curves say; of ``mixed`` settings a bad one among them is no fault of the whole."""
    if len(members) == 1:
        found = judged(members[0])
        return [Finding(_SIGNS[found.verdict], found.reason[:1].upper() + found.reason[1:])]
    counts = Counter(judged(member).verdict for member in members)
    said = ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common())
    if len(counts) == 1:
        (verdict,) = counts
        return [Finding(_SIGNS[verdict], f"All {len(members)} runs: {verdict}, by their curves.")]
    sign: Sign = "bad" if not mixed and any(_SIGNS[verdict] == "bad" for verdict in counts) else "open"
    return [Finding(sign, f"Of {len(members)} runs: {said}, by their curves.")]


def _dead(summary: dict[str, Any]) -> list[Finding]:
    layers = summary.get("dead_units") or []
    if not (dead := sum(layer["dead"] for layer in layers)):
        return []
    units = sum(layer["units"] for layer in layers)
    most = max(layers, key=lambda layer: layer["dead"] / max(1, layer["units"]))
    where = f", most in {most['layer']}: {most['dead']} of {most['units']}" if len(layers) > 1 else ""
    return [Finding("open", f"{dead:,} of {units:,} ReLU units are dead: never above 0 on any training row{where}.")]


def facts(sources: Sources) -> list[Fact]:
    """The numbers to remember: of the run, or of the best setting as mean ± sd with n."""
    setting = sources.best()
    n = setting.row.n
    several = len(sources.settings) > 1
    of = f"{setting.label}; " if several else ""
    found = []
    for split in ("test", "val", "train"):
        measure = f"{split}_accuracy"
        if setting.mean(measure) is None:
            continue
        note = f"mean ± sd, n = {n}" if n > 1 else f"loss {loss(setting.mean(f'{split}_loss'))}"
        deviation = setting.deviation(measure)
        plus = f"±{NBSP}{100 * deviation:.2f}" if deviation is not None else ""
        found.append(Fact(f"{split} accuracy", percent(setting.mean(measure)), of + note, plus))
    found = found[:2]
    parameters = setting.mean("parameters")
    if parameters is not None:
        found.append(Fact("parameters", count(parameters), str(setting.row.config.get("model.kind", ""))))
    epochs = _epochs(setting.members)
    found.append(
        Fact("training time", seconds(setting.mean("seconds")), f"mean of {n} runs; {epochs}" if n > 1 else epochs)
    )
    return found


def _epochs(members: Sequence[Member]) -> str:
    done = {max(row.epoch for row in member.rows) for member in members}
    low, high = min(done), max(done)
    total = f"{low} epochs" if low == high else f"{low} to {high} epochs"
    reported = {member.reported for member in members}
    only = reported.pop() if len(reported) == 1 else None
    return f"epoch {only} of {high} reported" if only is not None and only != high else total
