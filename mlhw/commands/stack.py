"""Runs that train as one model: each with a folder of its own, and one checkpoint for all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from mlhw.commands import assemble, finish
from mlhw.commands.assemble import Job
from mlhw.commands.display import Display
from mlhw.commands.settings import Settings
from mlhw.commands.threads import use_threads
from mlhw.commands.train import record_failure, tell_differences, train_members, warn_of_absent_classes
from mlhw.config import load as config
from mlhw.config.schema import Experiment
from mlhw.errors import Interrupted, MlhwError, OutputError, RunError
from mlhw.files import read_json, remove_leftovers, write_json
from mlhw.runs.environment import environment, read_environment
from mlhw.runs.recorder import restore
from mlhw.runs.store import RUN_ID, Run
from mlhw.training.state import LoopState

_CHECKPOINT = re.compile(r"sweeps/[A-Za-z0-9][A-Za-z0-9-]*/stacks/[0-9]+\.pt")  # where in outputs it may be

Outcome = dict[str, Any] | str  # a run's summary, or why it has none


def note(runs: Sequence[Run], checkpoint: str) -> None:
    """Write down in each of ``runs`` with which others it trains, and where in outputs their checkpoint is."""
    for place, run in enumerate(runs):
        members = [each.id for each in runs]
        write_json(run.stack_file, {"members": members, "place": place, "checkpoint": checkpoint})


def resume(run: Run, settings: Settings, display: Display) -> dict[str, Any]:
    """Go on with the stack that ``run`` is a member of; returns the summary of ``run``.

    Raises:
        RunError: another member is gone, or another process holds one.
        MlhwError: this member failed; the others are done.
    """
    members, place, last = _noted(run, settings.outputs)
    if gone := [member.id for member in members if not member.config_file.is_file()]:
        raise RunError(f"run {run.id} trains as one with {', '.join(gone)}, which is gone. Train it again by itself.")
    display.say(f"run {run.id} is one of {len(members)} that train as one model: going on with all of them")
    outcome = go_on(members, last, settings, display)[place]
    if isinstance(outcome, str):
        raise MlhwError(outcome)
    return outcome


def _noted(run: Run, outputs: Path) -> tuple[list[Run], int, Path]:
    """The members, the place of ``run`` among them, and their checkpoint: all in ``outputs``, whatever the note says.

    Raises:
        RunError: the note is damaged, or leads elsewhere.
    """
    value = read_json(run.stack_file) or {}
    names, place, last = value.get("members"), value.get("place"), value.get("checkpoint")
    if (
        isinstance(names, list)
        and all(isinstance(name, str) and RUN_ID.fullmatch(name) for name in names)
        and len(set(names)) == len(names)
        and isinstance(place, int)
        and place in range(len(names))
        and names[place] == run.id
        and isinstance(last, str)
        and _CHECKPOINT.fullmatch(last)
    ):
        return [Run(outputs / name) for name in names], place, outputs / last
    raise RunError(f"{run.stack_file}: should name the runs that train as one, and their checkpoint, and does not.")


def go_on(runs: Sequence[Run], last: Path, settings: Settings, display: Display) -> list[Outcome]:
    """Train ``runs`` as one from the checkpoint ``last``, or from the start; what came of each, in their order.

    A member whose loss is not finite is lost, and the others go on.

    Raises:
        RunError: another process holds one of them, or the checkpoint is damaged.
        Interrupted: by Ctrl+C; the checkpoint is written.
    """
    began = perf_counter()
    with ExitStack() as held:
        for run in runs:
            held.enter_context(run.lock())
        remove_leftovers(last.parent, last.name)  # who holds the members is the only one to write their checkpoint
        experiments = [config.load_file(run.config_file) for run in runs]
        before = read_environment(runs[0].environment_file)
        asked = before.get("threads") or experiments[0].threads or settings.threads
        threads = use_threads(settings.bounded(asked), assemble.way(experiments[0]))
        job = assemble.stack_job(experiments, settings, display.progress)
        states = restore(last, job.learner)
        now = environment(job.device, threads, job.splits.origin, settings.command)
        for run in runs:
            tell_differences(run, read_environment(run.environment_file), now, display)
            run.error_file.unlink(missing_ok=True)
            run.log(f"start after epoch {states[0].epoch if states else 0} of {job.recipe.epochs}, one of {len(runs)}")
        warn_of_absent_classes(job, display)
        startup = perf_counter() - began
        try:
            states = train_members(runs, job, last, states, display)
            return [
                _outcome(run, experiment, job, state, startup / len(runs), settings)
                for run, experiment, state in zip(runs, experiments, states, strict=True)
            ]
        except KeyboardInterrupt:
            for run in runs:
                run.log("interrupted")
            raise Interrupted(f"interrupted. Go on with: mlhw resume {runs[0].id}") from None
        except OutputError as error:
            for run in runs:
                run.log(f"interrupted: {error}")
            raise runs[0].unfinished(error) from error
        except Exception as error:
            for run in runs:
                if run.summary() is None:
                    record_failure(run, error)
            raise


def _outcome(
    run: Run, experiment: Experiment, job: Job, state: LoopState, startup: float, settings: Settings
) -> Outcome:
    """Finish one member as the single model that it is."""
    if (summary := run.whole_summary()) is not None:
        return summary
    try:
        if state.lost:
            raise MlhwError(state.lost)
        if job.recipe.own_seeds:
            alone = assemble.job(experiment, settings, lambda what, done, total: None)
        else:
            learner = assemble.build_learner(experiment, job.splits.train, job.device)
            alone = replace(job, experiment=experiment, learner=learner)
        summary = finish.finish(run, alone, state, perf_counter() - state.seconds - startup, figures=False)
    except OutputError:
        raise
    except MlhwError as error:
        record_failure(run, error)
        return str(error)
    run.log("done")
    return summary
