"""Train the trials of a sweep, each once, and say what came of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from mlhw.commands.display import Display
from mlhw.commands.settings import Settings
from mlhw.commands.sweep.answering import answer
from mlhw.commands.sweep.asking import Asked, How
from mlhw.commands.sweep.choosing import Choice, Question, available_cores, choose
from mlhw.commands.sweep.listening import Listening
from mlhw.commands.sweep.work import Outcome, Unit, work
from mlhw.config import load as config
from mlhw.errors import ConfigError, MlhwError, OutputError
from mlhw.runs import store
from mlhw.sweeps import folder as folders
from mlhw.sweeps import records
from mlhw.sweeps.executors import Done, serial
from mlhw.sweeps.folder import SweepFolder
from mlhw.sweeps.ray_connection import check
from mlhw.sweeps.records import Record

SHARE = 20.0  # writing sweep.csv takes at most one second in so many: a thousand trials write it often


@dataclass(frozen=True)
class Swept:
    """What came of a sweep: a record of each trial, in their order."""

    asked: Asked
    folder: SweepFolder
    records: list[Record]
    why: str  # the trials were run as they were


def sweep(asked: Asked, how: How, settings: Settings, display: Display) -> Swept:
    """Train what is not done yet of ``asked``; a sweep that was cut off goes on in its folder.

    A trial whose result is already among the runs (by signature) is not trained again, nor one that failed in this sweep
    unless ``how`` says so. One that fails is recorded, and the rest go on.

    Raises:
        ConfigError, RunError: before anything is trained.
        OutputError: a result cannot be written; no trial's fault, and the next one would fare no better.
        Interrupted: what is done stays done; the same command goes on with the rest.
    """
    if how.ray is not None:  # before a folder is made for what cannot be run
        check(how.ray)
    folder = None if how.again else folders.newest(settings.outputs, asked.signature)
    if folder is not None:
        display.say(f"going on with sweep {folder.id}")
        with folder.lock():
            return _Sweep(asked, how, settings, display, folder).run()
    known = {} if how.again else _finished(settings)
    rest = [place for place, mine in enumerate(asked.signatures) if mine not in known]
    with ExitStack() as held:

        def begin(chosen: Choice | None) -> _Sweep:
            groups = [[rest[place] for place in group] for group in chosen.groups] if chosen else []
            made = folders.create(
                settings.outputs, asked.base.name, config.dump(asked.base), _plan(asked, groups, chosen)
            )
            for place, mine in enumerate(asked.signatures):
                if mine in known:
                    made.begin(place, known[mine].id)
            held.enter_context(made.lock())
            return _Sweep(asked, how, settings, display, made)

        experiments = [asked.experiments[place] for place in rest]
        if how.executor == "auto" and how.ray is None and len(rest) > 1:
            return _measured_and_run(Question(tuple(experiments), settings, how), begin, display)
        return begin(choose(experiments, settings, how, display.progress) if rest else None).run()


def _measured_and_run(question: Question, begin: Callable[[Choice | None], _Sweep], display: Display) -> Swept:
    """Train the way that is found best, by a worker that then trains as well: so torch need not be loaded twice for it."""
    from mlhw.sweeps.processes import processes_after

    begun: list[_Sweep] = []

    def then(done: Done) -> tuple[list[Unit], int, int]:
        if done.kind == "ConfigError":
            raise ConfigError(done.error)
        # Where the measuring fails, each trial says for itself what is wrong.
        alone = Choice([[place] for place in range(len(question.experiments))], 1, None, "one after the other")
        begun.append(begin(done.result or alone))
        return begun[0].prepare()

    def hear(index: int, event: tuple[Any, ...]) -> None:
        if begun:
            begun[0].hear(index, event)
        else:
            getattr(display, event[0])(*event[1:])

    finished = processes_after(question, then, answer, hear, threads=available_cores())
    with closing(finished):
        next(finished)
        return begun[0].collect(finished)


def _plan(asked: Asked, groups: list[list[int]], chosen: Choice | None) -> dict[str, Any]:
    return {
        "version": 1,
        "kind": asked.kind,
        "signature": asked.signature,
        "groups": groups,
        "workers": chosen.workers if chosen else 1,
        "threads": chosen.threads if chosen else None,
        "why": chosen.why if chosen else "all were done before",
        "trials": [
            {"variant": trial.variant, "repeat": trial.repeat, "values": dict(trial.values), "signature": mine}
            for trial, mine in zip(asked.trials, asked.signatures, strict=True)
        ],
    }


def _finished(settings: Settings) -> dict[str, store.Run]:
    """The finished runs by signature, the newest of each."""
    summaries = ((run, run.summary()) for run in reversed(store.all_runs(settings.outputs)))
    return {summary["signature"]: run for run, summary in summaries if summary and "signature" in summary}


class _Sweep:
    """A sweep whose folder this process holds."""

    def __init__(self, asked: Asked, how: How, settings: Settings, display: Display, folder: SweepFolder) -> None:
        self.asked, self.how, self.settings, self.display, self.folder = asked, how, settings, display, folder
        self.plan = folder.plan() or {}
        self.found: dict[int, Record] = {}
        self.units: list[Unit] = []
        self._next_write = 0.0

    def run(self) -> Swept:
        """Train what is left, the way that the plan and what was asked say."""
        units, workers, threads = self.prepare()
        finished: Generator[Done, None, None]
        if self.how.ray is not None:
            from mlhw.commands.sweep.on_ray import on_ray

            finished = on_ray(units, self.hear, self.how)
        elif workers == 1:
            finished = serial(units, work, self.hear)
        else:
            from mlhw.sweeps.processes import processes

            finished = processes(units, work, self.hear, workers=workers, threads=threads)
        with closing(finished):
            return self.collect(finished)

    def prepare(self) -> tuple[list[Unit], int, int]:
        """The units that are left to train, with how many workers, and the threads of each."""
        self.units = self._units()
        workers = max(1, min(self.plan["workers"], len(self.units)))
        if self.units:
            runs = sum(len(unit.trials) for unit in self.units)
            where = "" if self.how.ray is None else f" (Ray: {self.how.ray})"
            self.display.say(f"{runs} of {len(self.asked.trials)} runs to train, {self.plan['why']}{where}")
        at_once = workers if self.how.ray is None else len(self.units)
        self._listening = Listening(self.units, self.display, at_once)
        return self.units, workers, self.plan["threads"] or available_cores()

    def hear(self, index: int, event: tuple[Any, ...]) -> None:
        """What unit ``index`` says while it is trained."""
        self._listening.hear(index, event)

    def collect(self, finished: Iterator[Done]) -> Swept:
        """What came of the sweep, once ``finished`` has brought what came of each unit."""
        try:
            for done in finished:
                self._listening.done(done.index)
                self._take(self.units[done.index], done)
        except BaseException:
            with suppress(OutputError):  # what ended it is what has to be told
                self._write()
            raise
        finally:
            self.display.end()
        self._write()
        records_ = [self.found[place] for place in sorted(self.found)]
        return Swept(self.asked, self.folder, records_, self.plan["why"])

    def _units(self) -> list[Unit]:
        """What is left to train, grouped as planned: a stack as a whole, since its checkpoint is of all."""
        begun = self.folder.begun()
        for place, name in begun.items():
            run = store.Run(self.settings.outputs / name)
            if (summary := run.summary()) is not None:
                self.found[place] = records.of_summary(self.asked.trials[place], summary)
            elif (error := run.error()) is not None and not self.how.retry_failed:
                self.found[place] = records.of_error(self.asked.trials[place], name, str(error.get("message", "")))
        units = []
        bound = replace(self.settings, most_threads=self.plan["threads"])
        for number, group in enumerate(self._groups(begun)):
            if all(place in self.found for place in group):
                continue
            units.append(
                Unit(
                    number=number,
                    trials=tuple(group),
                    labels=tuple(self._label(place) for place in group),
                    configs=tuple(config.dump(self.asked.experiments[place]) for place in group),
                    begun=tuple(begun.get(place, "") for place in group),
                    epochs=max(self.asked.experiments[place].train.epochs for place in group),
                    folder=self.folder.path,
                    settings=bound,
                )
            )
        return units

    def _groups(self, begun: dict[int, str]) -> list[list[int]]:
        """The planned groups, and alone those trials whose run was found done then and has been removed since."""
        groups: list[list[int]] = self.plan["groups"]
        planned = {place for group in groups for place in group}
        return [*groups, *([place] for place in range(len(self.asked.trials)) if place not in planned)]

    def _label(self, place: int) -> str:
        variant = self.asked.trials[place].variant
        plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in variant).strip("-")
        name = self.asked.base.name
        return name if variant == "base" or not plain else f"{name}-{plain}"[:80].rstrip("-")

    def _take(self, unit: Unit, done: Done) -> None:
        if done.kind == "OutputError":
            raise OutputError(done.error)
        outcomes: Sequence[Outcome] = done.result or [
            Outcome(trial, self.folder.begun().get(trial, ""), None, done.error) for trial in unit.trials
        ]
        for trial, run_id, summary, error in outcomes:
            asked = self.asked.trials[trial]
            if summary is not None:
                self.found[trial] = records.of_summary(asked, summary)
                continue
            self.found[trial] = records.of_error(asked, run_id, error)
            self.display.warn(f"{asked.variant}, seed {self.asked.experiments[trial].seed.init}: {error}")
            if done.trace:
                self.display.detail(done.trace)
        failed = any(outcome.summary is None for outcome in outcomes)
        if failed or monotonic() >= self._next_write:
            self._write()
        if failed and self.how.fail_fast:
            raise MlhwError(
                f"stopped at the first run that failed, as asked: {outcomes[0].error} The same command goes on with the "
                "others."
            )

    def _write(self) -> None:
        began = monotonic()
        records.write(self.folder.table, [self.found[place] for place in sorted(self.found)])
        self._next_write = monotonic() + SHARE * (monotonic() - began)
