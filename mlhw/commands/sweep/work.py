"""What a worker does: the trials of one unit, in run folders of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mlhw.commands import stack
from mlhw.commands.display import Display
from mlhw.commands.settings import Settings
from mlhw.commands.train import go_on, record_failure
from mlhw.errors import Interrupted, MlhwError, OutputError
from mlhw.runs import store
from mlhw.sweeps.folder import SweepFolder
from mlhw.sweeps.folders import mend
from mlhw.training.state import LoopState, MemberEpoch


@dataclass(frozen=True)
class Unit:
    """Trials that one worker trains, as one model where there are several. Plain data: it goes to other processes."""

    number: int
    trials: tuple[int, ...]
    labels: tuple[str, ...]  # what their run folders are named after
    configs: tuple[str, ...]  # whole experiments, as YAML
    begun: tuple[str, ...]  # the runs that were begun before, "" where there is none
    epochs: int
    folder: Path
    settings: Settings


class Outcome(NamedTuple):
    """What came of one trial: its summary, or the error."""

    trial: int
    run_id: str
    summary: dict[str, Any] | None
    error: str = ""


def work(unit: Unit, tell: Callable[[Any], None]) -> list[Outcome]:
    """Train the trials of ``unit``, going on with what was begun.

    Raises:
        OutputError: nothing can be written: no trial's fault, and the next one would fare no better.
        Interrupted: what there is can be gone on with.
    """
    folder, display = SweepFolder(unit.folder), Telling(tell)
    runs = [run_of(unit, place, folder) for place in range(len(unit.trials))]
    if len(runs) == 1:
        return [Outcome(unit.trials[0], runs[0].id, *_single(runs[0], unit.settings, display))]
    last = folder.stack(unit.number)
    stack.note(runs, last.relative_to(unit.settings.outputs).as_posix())
    try:
        outcomes: Sequence[stack.Outcome] = stack.go_on(runs, last, unit.settings, display)
    except (OutputError, Interrupted):
        raise
    except MlhwError as error:
        outcomes = [str(error)] * len(runs)
    return [
        Outcome(trial, run.id, None, came) if isinstance(came, str) else Outcome(trial, run.id, came)
        for trial, run, came in zip(unit.trials, runs, outcomes, strict=True)
    ]


def run_of(unit: Unit, place: int, folder: SweepFolder) -> store.Run:
    """The folder of the trial at ``place``: the one begun before, where it still stands, else a new one."""
    outputs = unit.settings.outputs
    if unit.begun[place]:
        mend(outputs / unit.begun[place])
    if unit.begun[place] and (outputs / unit.begun[place] / "config.yaml").is_file():
        return store.Run(outputs / unit.begun[place])
    run = store.create(outputs, unit.labels[place], unit.configs[place])
    folder.begin(unit.trials[place], run.id)
    return run


def _single(run: store.Run, settings: Settings, display: Display) -> tuple[dict[str, Any] | None, str]:
    if (summary := run.summary()) is not None:
        return summary, ""
    try:
        return go_on(run, settings, display, figures=False), ""
    except (OutputError, Interrupted):
        raise
    except MlhwError as error:
        if run.error() is None:
            record_failure(run, error)
        return None, str(error)


class Telling:
    """A display that passes on what it is shown: to a bar of the sweep, in this process or another."""

    def __init__(self, tell: Callable[[Any], None]) -> None:
        self.tell = tell

    def say(self, text: str) -> None:
        self.tell(("say", text))

    def detail(self, text: str) -> None:
        self.tell(("detail", text))

    def warn(self, text: str) -> None:
        self.tell(("warn", text))

    def progress(self, what: str, done: int, total: int) -> None:
        self.tell(("progress", what, done, total))

    def begin(self, epochs: int, state: LoopState) -> None:
        self.tell(("begin", epochs, state))

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        self.tell(("on_step", epoch, rows_done, rows_total))

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None:
        self.tell(("on_epoch", list(members)))

    def end(self) -> None:
        self.tell(("end",))
