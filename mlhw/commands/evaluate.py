"""``mlhw evaluate``: the reported weights of a run, scored on one of its splits."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from mlhw.arrays import Array, Split
from mlhw.commands import assemble, trained
from mlhw.commands.display import Display
from mlhw.commands.finish import predict
from mlhw.commands.settings import Settings
from mlhw.errors import ConfigError
from mlhw.protocols import Learner
from mlhw.runs.environment import differences, environment, read_environment
from mlhw.training.batches import score_rows
from mlhw.training.epoch import score_split

SPLITS = ("train", "val", "test")


def evaluate(
    settings: Settings,
    name: str,
    display: Display,
    *,
    split: str = "test",
    by_class: bool = False,
    mirrored: bool = False,
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
        mirrored: the mean of the probabilities of each image and of its mirror image counts: what the model scores with
            such help at test time, to be told apart from what it scores by itself.

    Returns:
        The record that ``--json`` prints; ``recorded_loss`` and ``recorded_accuracy`` are the summary's, None where it has none
        and for train.

    Raises:
        ConfigError: the run has no such split, or its inputs are no images and have no mirror image.
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
    rows = named[split]
    if mirrored and len(rows.input_shape) != 3:
        raise ConfigError(
            f"--mirrored: the inputs of run {run.id} are rows of {rows.input_shape[0]:,} numbers, not images."
        )
    for difference in differences(read_environment(run.environment_file), environment(device, threads, splits.origin)):
        display.warn(f"{difference}: the last digits may differ from the run's own")
    prepared = trained.preparation(run, experiment, settings, display.progress)
    learner = trained.reported(run, experiment, prepared, device)
    timer = perf_counter()
    placed, targets = learner.place(rows), np.asarray(rows.targets)
    probabilities = predict(learner, placed) if by_class or mirrored else None
    if mirrored:
        probabilities = (probabilities + _of_mirror_images(learner, rows)) / 2
        loss, accuracy = _scored(probabilities, targets)
    else:
        row = score_split(learner, placed, split, 0, [0.0])[0]
        loss, accuracy = row.loss, row.accuracy
    classes = _by_class(probabilities, rows) if by_class and probabilities is not None else None
    summary = run.summary() or {}
    recorded = {} if split == "train" else summary
    return {
        "run_id": run.id,
        "experiment": experiment.name,
        "split": split,
        "mirrored": mirrored,
        "rows": len(placed),
        "loss": loss,
        "accuracy": accuracy,
        "epoch": summary.get("best_epoch"),
        "recorded_loss": recorded.get(f"{split}_loss"),
        "recorded_accuracy": recorded.get(f"{split}_accuracy"),
        "classes": classes,
        "device": device,
        "threads": threads,
        "seconds": round(perf_counter() - timer, 3),
    }


def _of_mirror_images(learner: Learner, rows: Split) -> np.ndarray:
    """Class probabilities (rows, classes) of the mirror images, a bounded number at a time."""
    step = score_rows(rows)
    parts = []
    for i in range(0, len(rows), step):
        inputs, targets = mirror_images(rows.inputs[i : i + step]), rows.targets[i : i + step]
        parts.append(predict(learner, learner.place(replace(rows, inputs=inputs, targets=targets))))
    return np.concatenate(parts)


def mirror_images(images: Array) -> np.ndarray:
    """Images (rows, height, width, channels), left and right exchanged: a copy."""
    return np.ascontiguousarray(images[:, :, ::-1])


def _scored(probabilities: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy."""
    own = np.maximum(probabilities[np.arange(len(targets)), targets], np.finfo(probabilities.dtype).tiny)
    return float(-np.log(own.astype(np.float64)).mean()), float((probabilities.argmax(axis=1) == targets).mean())


def _by_class(probabilities: np.ndarray, split: Split) -> list[dict[str, Any]]:
    """Rows, hits and accuracy (None without rows) of each class, in the order of the classes."""
    targets = np.asarray(split.targets)
    hit = probabilities.argmax(axis=1) == targets
    classes = len(split.class_names)
    rows, correct = np.bincount(targets, minlength=classes), np.bincount(targets[hit], minlength=classes)
    return [
        {"class_name": name, "rows": of, "correct": right, "accuracy": right / of if of else None}
        for name, of, right in zip(split.class_names, rows.tolist(), correct.tolist(), strict=True)
    ]
