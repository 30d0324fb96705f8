"""``mlhw grade [EXPERIMENT…]``: each line of ``expect:`` held against a finished run, which is trained where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from mlhw.commands.display import Display
from mlhw.commands.grade.work import Task, work
from mlhw.commands.settings import Settings
from mlhw.config import load as config
from mlhw.config.expectations import MEASURED, holds
from mlhw.config.find import available
from mlhw.config.schema import Expect, Experiment
from mlhw.errors import ConfigError
from mlhw.files import read_json
from mlhw.grading.apart import run_apart
from mlhw.grading.lines import Entry, Grade, Line, Outcome
from mlhw.runs import store
from mlhw.runs.signature import signature


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


def grade_experiments(
    names: Sequence[str],
    overrides: Sequence[str],
    settings: Settings,
    display: Display,
    *,
    train: bool,
    seconds: float | None = None,
) -> Grade:
    """What each experiment came to: those of ``names``, or without any all that expect something.

    Args:
        names: of experiments, or paths of YAML files.
        overrides: ``key=value``, for each of ``names``.
        settings: where runs and data are.
        display: is shown what trains.
        train: those that have no finished run of the same signature; else their lines are ``not run``.
        seconds: each may train, and each check of gradients may take.

    Raises:
        ConfigError: one of ``names`` is no experiment, or has a fault.
    """
    began = perf_counter()
    asked = [Graded(name, config.load(name, overrides)) for name in dict.fromkeys(names)] if names else _all()
    runs = _finished(settings)
    references = _references(asked)
    for one in [*asked, *references.values()]:
        _adopt(one, runs)
    _do(asked, references, settings, display, train, seconds)
    entries = [_entry(one, references, settings) for one in asked]
    return Grade("experiments" if len(entries) != 1 else entries[0].name, entries, [], perf_counter() - began)


def _all() -> list[Graded]:
    """Every experiment that expects something; one whose file has a fault is there with the fault."""
    found = []
    for name, path in sorted(available().items()):
        try:
            if config.is_pretrained(path):
                continue
            experiment = config.load_file(path)
        except ConfigError as error:
            found.append(Graded(name, None, str(error)))
            continue
        if experiment.expect.lines():
            found.append(Graded(name, experiment))
    return found


def _references(asked: Sequence[Graded]) -> dict[str, Graded]:
    """The experiments whose seconds are a measure for others, by name; those that are graded too are the same object."""
    known = {one.name: one for one in asked}
    found: dict[str, Graded] = {}
    for one in asked:
        ratio = one.experiment.expect.seconds_ratio if one.experiment else None
        if ratio is None or ratio.to in found:
            continue
        try:
            found[ratio.to] = known.get(ratio.to) or Graded(ratio.to, config.load(ratio.to))
        except ConfigError as error:
            found[ratio.to] = Graded(ratio.to, None, str(error))
    return found


def _finished(settings: Settings) -> dict[str, tuple[store.Run, dict[str, Any]]]:
    """The newest finished run of each signature, with its summary."""
    found: dict[str, tuple[store.Run, dict[str, Any]]] = {}
    for run in store.all_runs(settings.outputs):
        summary = run.summary()
        if summary and isinstance(summary.get("signature"), str):
            found.setdefault(summary["signature"], (run, summary))
    return found


def _adopt(one: Graded, runs: dict[str, tuple[store.Run, dict[str, Any]]]) -> None:
    if one.experiment is not None:
        found = runs.get(signature(one.experiment.model_dump(mode="json")))
        if found:
            one.run, one.summary = found


def _do(
    asked: Sequence[Graded],
    references: dict[str, Graded],
    settings: Settings,
    display: Display,
    train: bool,
    seconds: float | None,
) -> None:
    """Train what has no run, and check gradients where they are expected; one after another, in a process of its own."""
    every = {id(one): one for one in [*asked, *references.values()] if one.experiment}
    wanted = [(one, "train") for one in every.values() if train and one.run is None]
    wanted += [(one, "gradients") for one in asked if one.experiment and one.experiment.expect.gradients]
    tasks = [
        Task(what, one.name, config.dump(one.experiment), settings, seconds)  # type: ignore[arg-type]
        for one, what in wanted
    ]

    def hear(index: int, event: Any) -> None:
        getattr(display, event[0])(*event[1:])

    if not tasks:
        return
    for came in run_apart(tasks, work, workers=1, seconds=seconds, hear=hear):
        one, what = wanted[came.place]
        one.seconds += came.seconds
        display.end()
        if came.reason:
            one.errors[what] = came.reason
            one.lacks_data |= came.kind == "DataMissing"
        elif what == "train":
            one.run, one.summary = store.Run(Path(came.result["path"])), came.result
        else:
            one.check = came.result


def _entry(one: Graded, references: dict[str, Graded], settings: Settings) -> Entry:
    if one.experiment is None:
        return Entry(one.name, [Line("config", "fail", reason=one.fault)], one.name)
    lines = [_run_line(one)]
    for key in one.experiment.expect.lines():
        line = _line(key, one, references)
        lines.append(line)
    return Entry(one.name, lines, one.experiment.name, [], one.seconds)


def _run_line(one: Graded) -> Line:
    if one.run is not None:
        return Line("run", "pass", got=one.run.id)
    if "train" in one.errors:
        return Line("run", "not run" if one.lacks_data else "fail", reason=one.errors["train"])
    return Line("run", "not run", reason=f"there is no finished run: mlhw train {one.name}")


def _line(key: str, one: Graded, references: dict[str, Graded]) -> Line:
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
        return Line("gradients", "fail", "right", points=worth, reason=one.errors.get("gradients", "not checked"))
    checks = one.check["checks"]
    failed = [check for check in checks if not check["passed"]]
    words = "; ".join(dict.fromkeys(check["diagnosis"] or f"fails the test {check['test']}" for check in failed[:3]))
    got = f"{len(checks) - len(failed)} of {len(checks)} checks passed"
    return Line("gradients", _outcome(not failed), "right", got, points=worth, reason=words)


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


def _seconds(one: Graded, references: dict[str, Graded], expected: str, worth: float | None) -> Line:
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
