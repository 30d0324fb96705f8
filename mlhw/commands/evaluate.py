"""``mlhw evaluate``: the reported weights of a run, scored on one of its splits."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from mlhw.arrays import Split
from mlhw.commands import assemble, trained
from mlhw.commands.display import Display
from mlhw.commands.finish import predict
from mlhw.commands.settings import Settings
from mlhw.errors import ConfigError
from mlhw.protocols import Learner
from mlhw.runs.environment import differences, environment, read_environment
from mlhw.training.epoch import score_split

SPLITS = ("train", "val", "test")


def evaluate(
    settings: Settings, name: str, display: Display, *, split: str = "test", by_class: bool = False
) -> dict[str, Any]:
    """Loss and accuracy of the run ``name`` on its rows ``split``: train, val or test.

    They are computed as the run itself did, with its number of threads, so for val and test they are the summary's to the last
    digit. The summary's own train numbers are means over the batches of an epoch, of weights that still changed and rows that
    were augmented; here all train rows are scored with the reported weights.

    Args:
        settings: folders and switches.
        name: of a run.
        display: is told of differences in data, versions and machine.
        split: which rows.
        by_class: also the accuracy of each class.

    Returns:
        The record that ``--json`` prints; ``recorded_loss`` and ``recorded_accuracy`` are the summary's, None where it has none
        and for train.

    Raises:
        ConfigError: the run has no such split.
        RunError: there is no such run, or it has no checkpoint.
        DataError: its data is missing or bad.
    """
    if split not in SPLITS:
        raise ConfigError(f"--split {split}: should be {', '.join(SPLITS[:-1])} or {SPLITS[-1]}.")
    run, experiment = trained.find(settings, name)
    threads, device = trained.threads_of(run, experiment, settings), assemble.pick_device(experiment)
    splits = assemble.load_splits(experiment, settings, display.progress)
    coarser = assemble.coarser_classes(experiment, settings)
    named = (splits if coarser is None else splits.map(coarser.relabel)).named()
    if split not in named:
        raise ConfigError(f"run {run.id} has no {split} rows, but {' and '.join(named)}. Name one with --split.")
    for difference in differences(read_environment(run.environment_file), environment(device, threads, splits.origin)):
        display.warn(f"{difference}: the last digits may differ from the run's own")
    prepared = trained.preparation(run, experiment, settings, display.progress)
    learner = trained.reported(run, experiment, prepared, device)
    timer = perf_counter()
    placed = learner.place(named[split])
    row = score_split(learner, placed, split, 0, [0.0])[0]
    classes = _by_class(learner, placed, np.asarray(named[split].targets)) if by_class else None
    summary = run.summary() or {}
    recorded = {} if split == "train" else summary
    return {
        "run_id": run.id,
        "experiment": experiment.name,
        "split": split,
        "rows": len(placed),
        "loss": row.loss,
        "accuracy": row.accuracy,
        "epoch": summary.get("best_epoch"),
        "recorded_loss": recorded.get(f"{split}_loss"),
        "recorded_accuracy": recorded.get(f"{split}_accuracy"),
        "classes": classes,
        "device": device,
        "threads": threads,
        "seconds": round(perf_counter() - timer, 3),
    }


def _by_class(learner: Learner, placed: Split, targets: np.ndarray) -> list[dict[str, Any]]:
    """Rows, hits and accuracy (None without rows) of each class, in the order of the classes."""
    hit = predict(learner, placed).argmax(axis=1) == targets
    classes = len(placed.class_names)
    rows, correct = np.bincount(targets, minlength=classes), np.bincount(targets[hit], minlength=classes)
    return [
        {"class_name": name, "rows": of, "correct": right, "accuracy": right / of if of else None}
        for name, of, right in zip(placed.class_names, rows.tolist(), correct.tolist(), strict=True)
    ]
