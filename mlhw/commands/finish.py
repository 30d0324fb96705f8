"""What follows training: the reported checkpoint scored on test, its predictions, the plots, and the summary, written last."""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any

import numpy as np

from mlhw.arrays import Split
from mlhw.commands import draw
from mlhw.commands.assemble import Job, count_parameters
from mlhw.commands.dead_units import dead_units
from mlhw.commands.tracking import NO_LOG, Log
from mlhw.config.expectations import verdicts
from mlhw.errors import OutputError, TrainingDiverged
from mlhw.files import write_json
from mlhw.protocols import EpochRow, Learner
from mlhw.runs import checkpoint, predictions, preparation, regions
from mlhw.runs.environment import peak_memory_mb
from mlhw.runs.metrics import MetricsFile, read_metrics, row_of
from mlhw.runs.signature import signature
from mlhw.runs.store import Run
from mlhw.training.batches import score_rows
from mlhw.training.epoch import score_split
from mlhw.training.state import LoopState, stop_reason


def finish(
    run: Run, job: Job, state: LoopState, began: float, figures: bool = True, log: Log = NO_LOG
) -> dict[str, Any]:
    """Complete the files of ``run`` after training and return its summary.

    The learner takes over the reported weights (best on val where there is val, else the last): its training is over.
    A figure that cannot be written costs no more than itself: the summary is written first.

    Raises:
        OutputError: a file cannot be written; where it is a figure, the run is done all the same.
    """
    timer = perf_counter()
    preparation.write(run.preparation_file, job.preparation)
    job.learner.adopt(checkpoint.load_weights(run.best_checkpoint, finite=False))
    _check_finite(job, state)
    rows = _score_test(run, job, state)
    seconds_training = state.seconds + perf_counter() - timer
    if job.placed.test is not None and job.splits.test is not None:
        probabilities = predict(job.learner, job.placed.test)
        predictions.write(run.predictions_file, np.asarray(job.splits.test.targets), probabilities)
    if job.splits.train.input_shape == (2,):
        regions.write(run.regions_file, _regions(job))
    undrawn = _draw(run, job, state) if figures else None
    summary = _summary(run, job, state, rows)
    summary |= {
        "dead_units": dead_units(job.learner, job.placed.train),
        "seconds_training": round(seconds_training, 3),
        "seconds_total": round(perf_counter() - began, 3),
        "peak_memory_mb": round(peak, 1) if (peak := peak_memory_mb()) is not None else None,
        "path": str(run.path),
    }
    summary["expectations"] = [verdict.sentence() for verdict in verdicts(job.experiment.expect, summary)]
    log.finish()
    write_json(run.summary_file, summary)
    if undrawn is not None:
        raise undrawn
    return summary


def _check_finite(job: Job, state: LoopState) -> None:
    """Raise TrainingDiverged where the reported weights are not finite: without val and test no loss would tell."""
    if job.splits.val is None and job.splits.test is None:
        for array in job.learner.parameters(0).values():
            if not np.isfinite(array).all():
                raise TrainingDiverged(state.best_epoch, _steps(job), math.nan)


def _steps(job: Job) -> int:
    return math.ceil(len(job.placed.train) / job.recipe.batch_rows)


def _draw(run: Run, job: Job, state: LoopState) -> OutputError | None:
    """Draw the run's figures; what kept one from being written, or None."""
    try:
        draw.draw_run(run, job.splits.test, best_epoch=state.best_epoch)
    except OutputError as error:
        return error
    return None


def _regions(job: Job) -> regions.Regions:
    """What the model says of the plane, and of up to 2,000 rows that it did not learn from (of train where all were)."""
    held_out = next(name for name in ("val", "test", "train") if name in job.splits.named())
    split = job.splits.named()[held_out]
    rows = regions.pick(len(split))
    points, targets = np.asarray(split.inputs[rows], dtype=np.float64), np.asarray(split.targets[rows])
    x, y, inputs = regions.grid(points)

    def said_of(inputs: np.ndarray) -> np.ndarray:
        stand_in = Split(inputs, np.zeros(len(inputs), dtype=np.int64), split.class_names)
        return predict(job.learner, job.learner.place(stand_in))

    cells = said_of(inputs)
    predicted, confidence = (values.reshape(len(y), len(x)) for values in (cells.argmax(axis=1), cells.max(axis=1)))
    guesses, data = said_of(points).argmax(axis=1), job.splits.origin.rpartition("-")[0]
    return regions.Regions(x, y, predicted, confidence, points, targets, guesses, split.class_names, held_out, data)


def predict(learner: Learner, split: Split) -> np.ndarray:
    """Class probabilities (rows, classes) of a placed split, a bounded number of rows at a time."""
    step = score_rows(split)
    return np.concatenate([learner.probabilities(split.model_inputs(i, i + step)) for i in range(0, len(split), step)])


def _score_test(run: Run, job: Job, state: LoopState) -> list[EpochRow]:
    """The run's rows, with the test row of the reported epoch added where the loop did not score it."""
    if job.placed.test is not None and not job.recipe.score_test_each_epoch:
        row = row_of(read_metrics(run.metrics_file), state.best_epoch, "train")
        with np.errstate(over="ignore", invalid="ignore"):
            rate = row.lr if row else job.learner.lr
            test = score_split(job.learner, job.placed.test, "test", state.best_epoch, [rate])[0]
        if not math.isfinite(test.loss):
            raise TrainingDiverged(state.best_epoch, _steps(job), test.loss, "test")
        metrics = MetricsFile(run.metrics_file, keep=lambda row: row.split != "test")
        metrics.append([test])
        metrics.sync()
        metrics.close()
    return read_metrics(run.metrics_file)


def _summary(run: Run, job: Job, state: LoopState, rows: list[EpochRow]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "run_id": run.id,
        "experiment": job.experiment.name,
        "status": "done",
        "epochs": state.epoch,
        "stopped_by": stop_reason(state, job.recipe, has_val=job.splits.val is not None),
        "parameters": count_parameters(job.learner),
    }
    for split in ("train", "val", "test"):
        row = row_of(rows, state.best_epoch, split)
        summary |= {f"{split}_loss": row.loss if row else None, f"{split}_accuracy": row.accuracy if row else None}
    return summary | {
        "best_epoch": state.best_epoch,
        "device": job.device,
        "signature": signature(job.experiment.model_dump(mode="json")),
        "data": job.splits.origin.rpartition("-")[0],
        "rows": {name: len(split) for name, split in job.splits.named().items()},
        "class_names": list(job.splits.train.class_names),
        "skipped": list(job.splits.skipped),
    }
