"""Train an experiment into a run folder, or go on with one."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from mlhw.commands import assemble, finish
from mlhw.commands.assemble import Job
from mlhw.commands.display import Display
from mlhw.commands.memory import Heap
from mlhw.commands.settings import Settings
from mlhw.commands.threads import use_threads
from mlhw.commands.tracking import NO_LOG, Log, check_live, live_log
from mlhw.config import load as config
from mlhw.config.schema import Experiment
from mlhw.errors import Interrupted, MlhwError, OutputError
from mlhw.files import make_folder, write_json
from mlhw.protocols import EpochRow
from mlhw.runs import checkpoint, store
from mlhw.runs.environment import differences, environment, read_environment
from mlhw.runs.recorder import Recorder, restore
from mlhw.training.fit import fit
from mlhw.training.state import LoopState, MemberEpoch


def train(
    experiment: Experiment,
    settings: Settings,
    display: Display,
    *,
    label: str | None = None,
    figures: bool = True,
    log: str | None = None,
) -> tuple[store.Run, dict[str, Any]]:
    """Train ``experiment`` in a new run folder named after ``label`` (or itself); returns the run and its summary.

    Without ``figures`` none are drawn: the members of a sweep share theirs. ``log`` names a tracker that is told of every epoch
    as it ends, and of those of a resume. The folder is made once data and model stand:
    what is wrong with those leaves nothing behind.

    Raises:
        ConfigError, DataError, OutputError: before training.
        TrainingDiverged, Interrupted: during it; the folder stays, and can be resumed.
    """
    began = perf_counter()
    if log is not None:
        check_live(log)
    if experiment.train.init_from:  # `latest` is another run tomorrow: the config keeps the whole id
        start = store.find(settings.outputs, experiment.train.init_from).id
        experiment = experiment.model_copy(update={"train": experiment.train.model_copy(update={"init_from": start})})
    threads = use_threads(experiment.threads or settings.threads, assemble.way(experiment))
    job = assemble.job(experiment, settings, display.progress)
    adopt_start(job, settings)
    run = store.create(settings.outputs, label or experiment.name, config.dump(experiment))
    with run.lock():
        if log is not None:
            make_folder(run.tensorboard)
        write_json(run.environment_file, environment(job.device, threads, job.splits.origin, settings.command))
        return run, _work(run, job, [], display, began, figures)


def resume(name: str, settings: Settings, display: Display) -> tuple[store.Run, dict[str, Any], bool]:
    """Go on with the run ``name`` from its last checkpoint; returns the run, its summary, and whether there was work.

    A finished run is left as it is.

    Raises:
        RunError: there is no such run, another process holds it, or its checkpoint is damaged.
    """
    run = store.find(settings.outputs, name)
    if (summary := run.whole_summary()) is not None:
        display.say(f"run {run.id} is finished: nothing to do")
        return run, summary, False
    return run, go_on(run, settings, display), True


def go_on(run: store.Run, settings: Settings, display: Display, *, figures: bool = True) -> dict[str, Any]:
    """Train in the folder ``run`` from its last checkpoint, or from the start where there is none; returns its summary.

    Raises:
        RunError: another process holds it, or its checkpoint is damaged.
    """
    began = perf_counter()
    with run.lock():
        experiment = config.load_file(run.config_file)
        before = read_environment(run.environment_file)
        # The recorded number of threads, so that the numbers are those of a run never interrupted.
        asked = before.get("threads") or experiment.threads or settings.threads
        threads = use_threads(settings.bounded(asked), assemble.way(experiment))
        job = assemble.job(experiment, settings, display.progress)
        states = restore(run.last_checkpoint, job.learner)
        if not states:
            adopt_start(job, settings)
        now = environment(job.device, threads, job.splits.origin, settings.command)
        tell_differences(run, before, now, display)
        run.error_file.unlink(missing_ok=True)
        if before:
            display.say(f"going on after epoch {states[0].epoch if states else 0} of {experiment.train.epochs}")
        # The seconds of earlier sittings count as well.
        return _work(run, job, states, display, began - (states[0].seconds if states else 0.0), figures)


def tell_differences(run: store.Run, before: dict[str, Any], now: dict[str, Any], display: Display) -> None:
    """Say where this environment is another than the run's own so far; a run that has none yet gets this one."""
    if not before:
        write_json(run.environment_file, now)
        return
    for difference in differences(before, now):
        display.warn(f"{difference}: the last digits may differ from those of a run never interrupted")
        run.log(f"resumed with a difference: {difference}")


def adopt_start(job: Job, settings: Settings) -> None:
    """Begin with the reported weights of the run that ``train.init_from`` names, where it names one."""
    if job.experiment.train.init_from:
        start = store.find(settings.outputs, job.experiment.train.init_from)
        job.learner.adopt(checkpoint.load_weights(start.best_checkpoint))


def _work(
    run: store.Run, job: Job, states: Sequence[LoopState], display: Display, began: float, figures: bool
) -> dict[str, Any]:
    """Train and finish in the folder ``run``, which this process holds; whatever ends it is on record."""
    display.say(f"run {run.path}")
    if "-generated-" in job.splits.origin:
        display.say("the rows are generated ones: the data set's own file is not in MLHW_DATA")
    display.detail(_facts(job))
    warn_of_absent_classes(job, display)
    run.log(f"start after epoch {states[0].epoch if states else 0} of {job.recipe.epochs}")
    log = live_log(run, display)
    try:
        (end,) = train_members([run], job, run.last_checkpoint, states, display, log)
        summary = finish.finish(run, job, end, began, figures, log)
    except KeyboardInterrupt:
        run.log("interrupted")
        raise Interrupted(f"interrupted. Go on with: mlhw resume {run.id}") from None
    except OutputError as error:
        run.log(f"{'done, but for a figure' if run.summary_file.exists() else 'interrupted'}: {error}")
        raise run.unfinished(error) from error
    except Exception as error:
        record_failure(run, error)
        raise
    finally:
        log.close()
    run.log("done")
    return summary


def record_failure(run: store.Run, error: Exception) -> None:
    """Put on record what ended ``run``; where not even that can be written, its own message is the one to show."""
    run.log(f"failed: {error}")
    if not isinstance(error, MlhwError):
        run.log(traceback.format_exc())
    with contextlib.suppress(OutputError):
        write_json(run.error_file, {"kind": type(error).__name__, "message": str(error)})


def _facts(job: Job) -> str:
    rows = ", ".join(f"{len(split):,} {name}" for name, split in job.splits.named().items())
    shape = "×".join(map(str, job.splits.train.input_shape))
    return f"{rows} rows of {shape}; {assemble.count_parameters(job.learner):,} parameters on {job.device}"


def warn_of_absent_classes(job: Job, display: Display) -> None:
    """Warn of classes that no training row is of: the model cannot learn them, and is scored on them all the same."""
    train = job.splits.train
    targets = np.asarray(train.targets) if train.own is None else np.asarray(train.targets)[train.own]
    counts = np.bincount(targets.ravel(), minlength=len(train.class_names))
    if absent := [name for name, count in zip(train.class_names, counts, strict=False) if not count]:
        some = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        display.warn(f"no training row is of {some}: what is of {'it' if len(absent) == 1 else 'them'} will be missed")


def train_members(
    runs: Sequence[store.Run],
    job: Job,
    last: Path,
    states: Sequence[LoopState],
    display: Display,
    log: Log = NO_LOG,
) -> list[LoopState]:
    """Train the members of ``job``'s learner, one for each of ``runs``, with their checkpoint in ``last``.

    ``log`` is told of the epochs of the first.

    Raises:
        TrainingDiverged: every one of them was lost.
    """
    has_val, tested = job.splits.val is not None, job.recipe.score_test_each_epoch

    def keep(row: EpochRow, state: LoopState) -> bool:
        return row.epoch <= state.epoch and (row.split != "test" or tested)

    recorder = Recorder(runs, job.learner, last, states, has_val=has_val, keep=keep)
    try:
        display.begin(job.recipe.epochs, states[0] if states else LoopState())
        end = fit(job.learner, job.placed, job.recipe, _Watchers(recorder, log, display), states)
        recorder.write()
        return end
    finally:
        recorder.close()
        display.end()


class _Watchers:
    """The files first, then who reads them, then the screen."""

    def __init__(self, recorder: Recorder, log: Log, display: Display) -> None:
        self.recorder, self.log, self.display, self.heap = recorder, log, display, Heap()

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        self.display.on_step(epoch, rows_done, rows_total)

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None:
        self.recorder.on_epoch(members)
        self.log.on_epoch(members[0].rows)
        self.display.on_epoch(members)
        self.heap()
