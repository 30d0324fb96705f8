"""``mlhw grade [EXPERIMENT…]``: each line of ``expect:`` held against a finished run, which is trained where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from mlhw.commands.display import Display
from mlhw.commands.grade.expected import Graded, entry
from mlhw.commands.settings import Settings
from mlhw.config import load as config
from mlhw.config.find import available
from mlhw.errors import ConfigError
from mlhw.grading.apart import run_apart
from mlhw.grading.lines import Grade
from mlhw.runs import store
from mlhw.runs.signature import signature


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
    entries = [entry(one, references) for one in asked]
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
        found = runs.get(_signature(one))
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
    from mlhw.commands.grade.work import Task, work  # imports what trains: seconds, for whoever only looks

    first: dict[str, Graded] = {}  # of each signature that has no run
    for one in [*asked, *references.values()]:
        wanted_of = one.experiment and (one.experiment.expect.lines() or one in references.values())
        if train and wanted_of and one.run is None:
            first.setdefault(_signature(one), one)
    wanted: list[tuple[Graded, Literal["train", "gradients"]]] = [(one, "train") for one in first.values()]
    wanted += [(one, "gradients") for one in asked if one.experiment and one.experiment.expect.gradients]
    tasks = [
        Task(what, one.name, config.dump(one.experiment), settings, seconds) for one, what in wanted if one.experiment
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
    for one in [*asked, *references.values()]:
        if one.experiment and one.run is None and (same := first.get(_signature(one))):
            one.run, one.summary, one.errors, one.lacks_data = same.run, same.summary, same.errors, same.lacks_data


def _signature(one: Graded) -> str:
    assert one.experiment is not None
    return signature(one.experiment.model_dump(mode="json"))
