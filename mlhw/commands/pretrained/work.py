"""A classification or comparison in its run folder: begun, gone on with, and brought to its end."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from time import perf_counter
from typing import Any, Final

from mlhw.commands.display import Display
from mlhw.commands.pretrained import finish, inputs, pipeline
from mlhw.commands.pretrained.prepare import Job, asked_of, prepare
from mlhw.commands.pretrained.tables import Tables
from mlhw.commands.settings import Settings
from mlhw.commands.threads import use_threads
from mlhw.config import load as config
from mlhw.config.pretrained import PretrainedExperiment
from mlhw.datasets.names import escape_name, name_from_csv
from mlhw.datasets.walking import find
from mlhw.errors import Interrupted, MlhwError, OutputError
from mlhw.files import write_json
from mlhw.models.folding import folded
from mlhw.runs import store
from mlhw.runs.environment import differences, environment, read_environment

FOLD_FROM: Final = 200  # pictures; folding takes a few tenths of a second, and saves a twentieth of each picture's time


def start(
    experiment: PretrainedExperiment, named: Sequence[str], settings: Settings, display: Display
) -> tuple[store.Run, dict[str, Any]]:
    """Do ``experiment`` in a new run folder; returns the run and its summary.

    The folder is made once pictures and networks are found: what is wrong with those leaves nothing behind.

    Args:
        experiment: with absolute paths (see ``asking.resolve``).
        named: the pictures as typed, for names that the user knows; none: those of the experiment.
        settings: folders and switches.
        display: is told of the progress.

    Raises:
        ConfigError, DataError, OutputError: before the work.
        MlhwError: with ``strict``, at the first picture that cannot be used.
        Interrupted: the folder stays, and can be resumed.
    """
    began = perf_counter()
    paths = list(named) or [name_from_csv(path) for path in experiment.paths]
    pictures = find(paths, asked_of(experiment).recursive)
    threads = use_threads(experiment.threads or settings.threads, "module")
    job = prepare(experiment, pictures, threads, settings, display)
    run = store.create(settings.outputs, experiment.name, config.dump(experiment))
    with run.lock():
        (run.path / "checkpoints").rmdir()  # there will be none
        inputs.write(run, pictures)
        write_json(run.environment_file, recorded(job, threads))
        return run, _work(run, job, display, began)


def resume(run: store.Run, settings: Settings, display: Display) -> dict[str, Any]:
    """Go on with ``run``, which is not finished, after the pictures that are done; returns its summary.

    Raises:
        RunError: another process holds it, or its files are damaged.
    """
    began = perf_counter()
    with run.lock():
        experiment = config.load_pretrained_file(run.config_file)
        before = read_environment(run.environment_file)
        threads = use_threads(before.get("threads") or experiment.threads or settings.threads, "module")
        pictures = inputs.read(run)
        if pictures is None:  # killed before it had its list: nothing was done yet
            pictures = find([name_from_csv(path) for path in experiment.paths], asked_of(experiment).recursive)
            inputs.write(run, pictures)
        job = prepare(experiment, pictures, threads, settings, display)
        now = recorded(job, threads)
        for difference in differences(before, now):
            display.warn(f"{difference}: the last digits may differ from those of a run never interrupted")
            run.log(f"resumed with a difference: {difference}")
        if not before:
            write_json(run.environment_file, now)
        run.error_file.unlink(missing_ok=True)
        return _work(run, job, display, began)


def recorded(job: Job, threads: int) -> dict[str, Any]:
    """The environment of ``job`` for its run folder, whose UTF-8 files hold no names that are not: those are escaped."""
    found = environment(job.device, threads, escape_name(job.sources))
    return found | {"command": [escape_name(word) for word in found["command"]]}


def _work(run: store.Run, job: Job, display: Display, began: float) -> dict[str, Any]:
    """Classify what is not done yet and finish in the folder ``run``, which this process holds."""
    display.say(f"run {run.path}")
    for network in job.networks:
        display.detail(f"{network.name}: {network.parameters:,} parameters on {job.device}, {network.source}")
    with _on_record(run):
        tables = Tables(run, job.networks, job.depth, job.pictures, with_entropies=job.compares)
        first, timer = tables.done, perf_counter()
        run.log(f"start after {first} of {len(job.pictures)} pictures")
        if first:
            display.say(f"going on after {first:,} of {len(job.pictures):,} pictures")
        with closing(tables):
            try:
                classify(job, tables, display)
            except KeyboardInterrupt:
                count = f"after {tables.done:,} of {len(job.pictures):,} pictures"
                raise Interrupted(f"interrupted {count}. Go on with: mlhw resume {run.id}") from None
        seconds = perf_counter() - timer
        facts = {"pictures_this_sitting": tables.done - first, "seconds_classifying": round(seconds, 3)}
        return finish.finish(run, job, facts, began, display)


@contextmanager
def _on_record(run: store.Run) -> Iterator[None]:
    """A block whose end, whatever it is, stands in the run's log, a failure in its error.json."""
    try:
        yield
    except KeyboardInterrupt:
        run.log("interrupted")
        raise Interrupted(f"interrupted. Go on with: mlhw resume {run.id}") from None
    except Interrupted as interrupted:
        run.log(str(interrupted))
        raise
    except OutputError as error:
        run.log(f"interrupted: {error}")
        raise run.unfinished(error) from error
    except Exception as error:
        run.log(f"failed: {error}")
        if not isinstance(error, MlhwError):
            run.log(traceback.format_exc())
        with suppress(OutputError):  # its own message is the one to show
            write_json(run.error_file, {"kind": type(error).__name__, "message": str(error)})
        raise
    run.log("done")


def classify(job: Job, tables: Tables, display: Display) -> None:
    """Write the rows of all pictures that are not done yet. Raises MlhwError for a bad one where the job is ``strict``."""
    rest, total = job.pictures[tables.done :], len(job.pictures)
    networks = job.networks
    if total >= FOLD_FROM and job.device == "cpu":
        networks = tuple(replace(network, module=folded(network.module)) for network in networks)
    lanes = pipeline.share(job.threads, job.asked.batch_size, job.device)
    what = f"{', '.join(network.name for network in networks)[:40]}: {total:,} picture{'s' if total != 1 else ''}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's of odd pictures, from many threads
        with closing(pipeline.outcomes(rest, networks, job.asked.preprocess, job.depth, lanes)) as batches:
            for batch in batches:
                bad = (
                    next((outcome for outcome in batch if not outcome.predictions), None) if job.asked.strict else None
                )
                tables.append(batch if bad is None else batch[: batch.index(bad)])
                if bad is not None:
                    name = escape_name(bad.picture.name)
                    raise MlhwError(
                        f"{name}: {bad.reason}. Repair or remove it, or leave out --strict to skip such files."
                    )
                display.progress(what, tables.done, total)
