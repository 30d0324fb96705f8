"""Train an experiment into a run folder, or go on with one."""

from __future__ import annotations

import traceback
from time import perf_counter
from typing import Any

from mlhw.commands import assemble, finish
from mlhw.commands.assemble import Job
from mlhw.commands.display import Display
from mlhw.commands.memory import Trimmer
from mlhw.commands.settings import Settings
from mlhw.commands.threads import use_threads
from mlhw.config import load as config
from mlhw.config.schema import Experiment
from mlhw.errors import Interrupted, MlhwError
from mlhw.files import write_json
from mlhw.protocols import EpochRow
from mlhw.runs import checkpoint, store
from mlhw.runs.environment import differences, environment, read_environment
from mlhw.runs.recorder import Recorder, restore
from mlhw.training.fit import LoopState, fit


def train(
    experiment: Experiment, settings: Settings, display: Display, *, label: str | None = None, figures: bool = True
) -> tuple[store.Run, dict[str, Any]]:
    """Train ``experiment`` in a new run folder named after ``label`` (or itself); returns the run and its summary.

    Without ``figures`` none are drawn: the members of a sweep share theirs. The folder is made once data and model stand:
    what is wrong with those leaves nothing behind.

    Raises:
        ConfigError, DataError, OutputError: before training.
        TrainingDiverged, Interrupted: during it; the folder stays, and can be resumed.
    """
    began = perf_counter()
    if experiment.train.init_from:  # `latest` is another run tomorrow: the config keeps the whole id
        start = store.find(settings.outputs, experiment.train.init_from).id
        experiment = experiment.model_copy(update={"train": experiment.train.model_copy(update={"init_from": start})})
    threads = use_threads(experiment.threads or settings.threads, assemble.way(experiment))
    job = assemble.job(experiment, settings, display.progress)
    _adopt_start(job, settings)
    run = store.create(settings.outputs, label or experiment.name, config.dump(experiment))
    with run.lock():
        write_json(run.environment_file, environment(job.device, threads, job.splits.origin))
        return run, _work(run, job, None, display, began, figures)


def resume(name: str, settings: Settings, display: Display) -> tuple[store.Run, dict[str, Any], bool]:
    """Go on with the run ``name`` from its last checkpoint; returns the run, its summary, and whether there was work.

    A finished run is left as it is.

    Raises:
        RunError: there is no such run, another process holds it, or its checkpoint is damaged.
    """
    began = perf_counter()
    run = store.find(settings.outputs, name)
    if (summary := run.summary()) is not None:
        display.say(f"run {run.id} is finished: nothing to do")
        return run, summary, False
    with run.lock():
        experiment = config.load_file(run.config_file)
        before = read_environment(run.environment_file)
        # The recorded number of threads, so that the numbers are those of a run never interrupted.
        threads = use_threads(before.get("threads") or experiment.threads or settings.threads, assemble.way(experiment))
        job = assemble.job(experiment, settings, display.progress)
        state = restore(run, job.learner)
        if state is None:
            _adopt_start(job, settings)
        now = environment(job.device, threads, job.splits.origin)
        for difference in differences(before, now):
            display.warn(f"{difference}: the last digits may differ from those of a run never interrupted")
            run.log(f"resumed with a difference: {difference}")
        if not before:
            write_json(run.environment_file, now)
        run.error_file.unlink(missing_ok=True)
        display.say(f"going on after epoch {state.epoch if state else 0} of {experiment.train.epochs}")
        # The seconds of earlier sittings count as well.
        return run, _work(run, job, state, display, began - (state.seconds if state else 0.0)), True


def _adopt_start(job: Job, settings: Settings) -> None:
    """Begin with the reported weights of the run that ``train.init_from`` names, where it names one."""
    if job.experiment.train.init_from:
        start = store.find(settings.outputs, job.experiment.train.init_from)
        job.learner.adopt(checkpoint.to_arrays(checkpoint.load(start.best_checkpoint)))


def _work(
    run: store.Run, job: Job, state: LoopState | None, display: Display, began: float, figures: bool = True
) -> dict[str, Any]:
    """Train and finish in the folder ``run``, which this process holds; whatever ends it is on record."""
    display.say(f"run {run.path}")
    if "-generated-" in job.splits.origin:
        display.say("the rows are generated ones: the data set's own file is not in MLHW_DATA")
    display.detail(_facts(job))
    run.log(f"start after epoch {state.epoch if state else 0} of {job.recipe.epochs}")
    try:
        end = _fit(run, job, state, display)
        summary = finish.finish(run, job, end, began, figures)
    except KeyboardInterrupt:
        run.log("interrupted")
        raise Interrupted(f"interrupted. Go on with: mlhw resume {run.id}") from None
    except Exception as error:
        run.log(f"failed: {error}")
        if not isinstance(error, MlhwError):
            run.log(traceback.format_exc())
        write_json(run.error_file, {"kind": type(error).__name__, "message": str(error)})
        raise
    run.log("done")
    return summary


def _facts(job: Job) -> str:
    rows = ", ".join(f"{len(split):,} {name}" for name, split in job.splits.named().items())
    shape = "×".join(map(str, job.splits.train.input_shape))
    return f"{rows} rows of {shape}; {assemble.count_parameters(job.learner):,} parameters on {job.device}"


def _fit(run: store.Run, job: Job, state: LoopState | None, display: Display) -> LoopState:
    done = state.epoch if state else 0
    per_epoch_test = job.recipe.score_test_each_epoch

    def keep(row: EpochRow) -> bool:
        return row.epoch <= done and (row.split != "test" or per_epoch_test)

    recorder = Recorder(run, job.learner, has_val=job.splits.val is not None, keep=keep)
    try:
        display.begin(job.recipe.epochs, state or LoopState())
        end = fit(job.learner, job.placed, job.recipe, _Both(recorder, display), state)
        recorder.write()
        return end
    finally:
        recorder.close()
        display.end()


class _Both:
    """The files first, then the screen."""

    def __init__(self, recorder: Recorder, display: Display) -> None:
        self.recorder, self.display, self.trim = recorder, display, Trimmer()

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        self.display.on_step(epoch, rows_done, rows_total)

    def on_epoch(self, state: LoopState, rows: list[EpochRow], improved: bool) -> None:
        self.recorder.on_epoch(state, rows, improved)
        self.display.on_epoch(state, rows, improved)
        self.trim()
