"""Train an experiment, or go on with a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlhw.api.asking import SEEDS, overrides
from mlhw.api.progress import display
from mlhw.api.reading import name_of
from mlhw.api.run import Run


def train(
    experiment: str | Path,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    weight_decay: float | None = None,
    seed: int | None = None,
    device: str | None = None,
    settings: Mapping[str, Any] | None = None,
    name: str | None = None,
    quiet: bool = False,
) -> Run:
    """Train ``experiment`` in a new run folder, as ``mlhw train`` does, and return the finished run.

    Threads, random generators and matplotlib's settings are left as found.

    Args:
        experiment: name of an experiment, or path of a YAML file.
        epochs, batch_size, lr, weight_decay: instead of the experiment's own.
        seed: of the weights and of the data's order, both.
        device: auto, cpu, cuda, cuda:N or mps.
        settings: any other keys, dotted, with their values: ``{"model.hidden_sizes": [64], "train.optimizer": "adam"}``.
        name: what the run's folder is called, instead of the experiment's name.
        quiet: no progress line in a notebook either.

    Raises:
        ConfigError, DataError, OutputError: before training.
        TrainingDiverged, Interrupted: during it; the folder stays, and can be resumed.
    """
    from mlhw.commands.settings import from_environment
    from mlhw.commands.threads import as_found
    from mlhw.commands.train import train as train_experiment
    from mlhw.config.fields import checked_name
    from mlhw.config.load import load

    keywords = {
        "train.epochs": epochs,
        "train.batch_size": batch_size,
        "train.lr": lr,
        "train.weight_decay": weight_decay,
        **dict.fromkeys(SEEDS, seed),
        "device": device,
    }
    asked = overrides(keywords, settings)
    found = load(str(experiment), asked)
    label = checked_name(name, "name") if name is not None else None
    command = ["mlhw", "train", str(experiment), *(word for each in asked for word in ("-s", each))]
    where = replace(from_environment(), command=(*command, *(["--name", label] if label else [])))
    shown = display(quiet)
    try:
        with as_found():
            run, summary = train_experiment(found, where, shown, label=label)
    finally:
        shown.end()
    if skipped := summary["skipped"]:
        shown.warn(f"trained without {len(skipped)} files that could not be read; first: {skipped[0]}")
    return Run(run.path.resolve())


def resume(run: str | Run, *, quiet: bool = False) -> Run:
    """Go on with ``run`` from its last checkpoint, exactly as if it had never stopped; a finished one is left as it is.

    Args:
        run: a run, its id, a unique beginning of it, or ``latest``.
        quiet: no progress line in a notebook either.

    Raises:
        RunError: there is no such run, another process holds it, or its files are damaged.
        TrainingDiverged, Interrupted, OutputError: during training.
    """
    from mlhw.commands.resume import resume as resume_run
    from mlhw.commands.settings import from_environment
    from mlhw.commands.threads import as_found

    shown = display(quiet)
    name = name_of(run)
    try:
        with as_found():
            where = replace(from_environment(), command=("mlhw", "resume", name))
            found, _, _ = resume_run(name, where, shown)
    finally:
        shown.end()
    return Run(found.path.resolve())
