"""What an experiment expects, held against its finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mlhw.config.expectations import MEASURED, holds
from mlhw.config.schema import Expect, Experiment
from mlhw.files import read_json
from mlhw.grading.lines import Entry, Line, Outcome
from mlhw.runs import store

NOTHING: Final = "nothing to hold it to: its YAML has no `expect:`"


@dataclass
class Graded:
    """An experiment, and what there is to hold it by: its newest finished run, its gradient check, or why not."""

    name: str
    experiment: Experiment | None
    fault: str = ""  # of the config
    run: store.Run | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    check: dict[str, Any] | None = None
    errors: dict[str, str] = field(default_factory=dict)  # by task
    lacks_data: bool = False
    seconds: float = 0.0


def entry(one: Graded, references: Mapping[str, Graded]) -> Entry:
    """The lines of an experiment, none of one that expects nothing.

    ``references`` are those whose seconds are a measure for others, by name.
    """
    if one.experiment is None:
        return Entry(one.name, [Line("config", "fail", reason=one.fault)], one.name)
    keys = one.experiment.expect.lines()
    if not keys:
        return Entry(one.experiment.name, [], one.experiment.name, [NOTHING])
    lines = [_run_line(one), *(_line(key, one, references) for key in keys)]
    return Entry(one.experiment.name, lines, one.experiment.name, [], one.seconds)


def _run_line(one: Graded) -> Line:
    if one.run is not None:
        return Line("run", "pass", got=one.run.id)
    if "train" in one.errors:
        return Line("run", "not run" if one.lacks_data else "fail", reason=one.errors["train"])
    return Line("run", "not run", reason=f"there is no finished run: mlhw train {one.name}")


def _line(key: str, one: Graded, references: Mapping[str, Graded]) -> Line:
    assert one.experiment is not None
    expect = one.experiment.expect
    worth = (expect.points or {}).get(key)
    if key == "gradients":
        return _gradients(one, worth)
    expected = _expected(expect, key)
    if one.run is None:
        return Line(key, "not run", expected, points=worth, reason="there is no finished run")
    if key == "files":
        return _files(one.run, expect, worth)
    if key == "seconds_ratio":
        return _seconds(one, references, expected, worth)
    value = one.summary.get(key)
    if not isinstance(value, int | float):
        return Line(key, "fail", expected, points=worth, reason="the run has no such number")
    return Line(key, _outcome(holds(expected, value)), expected, value, points=worth)


def _expected(expect: Expect, key: str) -> str:
    if key in MEASURED:
        return str(getattr(expect, key)).strip()
    if key == "seconds_ratio":
        assert expect.seconds_ratio is not None
        return f"{expect.seconds_ratio.limit.strip()}"
    return ", ".join(expect.files or ())


def _outcome(passed: bool) -> Outcome:
    return "pass" if passed else "fail"


def _gradients(one: Graded, worth: float | None) -> Line:
    if one.check is None:
        return Line("gradients", "fail", points=worth, reason=one.errors.get("gradients", "not checked"))
    checks = one.check["checks"]
    failed = [check for check in checks if not check["passed"]]
    words = "; ".join(dict.fromkeys(check["diagnosis"] or f"fails the test {check['test']}" for check in failed[:3]))
    got = f"{len(checks) - len(failed)} of {len(checks)} checks passed"
    return Line("gradients", _outcome(not failed), "", got, points=worth, reason=words)


def _files(run: store.Run, expect: Expect, worth: float | None) -> Line:
    missing = [name for name in expect.files or () if not _has(run.path / name)]
    reason = f"missing or empty: {', '.join(missing)}" if missing else ""
    got = f"{len(expect.files or ()) - len(missing)} of {len(expect.files or ())}"
    return Line("files", _outcome(not missing), ", ".join(expect.files or ()), got, points=worth, reason=reason)


def _has(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def _seconds(one: Graded, references: Mapping[str, Graded], expected: str, worth: float | None) -> Line:
    assert one.experiment is not None
    assert one.experiment.expect.seconds_ratio is not None
    assert one.run is not None
    to = references[one.experiment.expect.seconds_ratio.to]
    expected = f"{expected} × {to.name}"
    if to.run is None:
        reason = to.fault or to.errors.get("train") or f"{to.name} has no finished run to compare with"
        return Line("seconds_ratio", "not run", expected, points=worth, reason=reason)
    mine, its = (each.summary.get("seconds_training") for each in (one, to))
    if not mine or not its:
        return Line("seconds_ratio", "fail", expected, points=worth, reason="a run has no seconds_training")
    if differing := _elsewhere(one.run, to.run):
        reason = f"the runs were timed on different {' and '.join(differing)}: train both here"
        return Line("seconds_ratio", "not run", expected, points=worth, reason=reason)
    limit = one.experiment.expect.seconds_ratio.limit
    reason = f"{mine:.3g} s against {its:.3g} s"
    return Line("seconds_ratio", _outcome(holds(limit, mine / its)), expected, mine / its, points=worth, reason=reason)


def _elsewhere(one: store.Run, other: store.Run) -> list[str]:
    """Of what makes one run slower than another, that in which their environments differ."""
    mine, its = (read_json(run.environment_file) or {} for run in (one, other))
    words = {"processor": "processors", "device": "devices"}
    return [word for key, word in words.items() if mine.get(key) != its.get(key)]
