"""Runs to predict with, and what their predictions.csv holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlhw.commands.display import Silent
from mlhw.commands.predict.work import predict
from mlhw.commands.settings import from_environment
from mlhw.commands.train import train
from mlhw.config.load import parse
from mlhw.config.schema import Experiment
from mlhw.runs.store import Run
from tests.datasets.made import GROCERY_LISTS

GROCERY = ("data.image_size_pixels=16", "train.batch_size=3", "train.epochs=2", "threads=1")


def trained_on(experiment: Experiment) -> Run:
    return train(experiment, from_environment(), Silent(), figures=False)[0]


def described(data: str, model: str = "{kind: numpy-mlp, hidden_sizes: [9]}", batch: int = 20) -> Experiment:
    text = f"name: mine\ndata: {data}\nmodel: {model}\ntrain: {{epochs: 2, batch_size: {batch}, lr: 0.1}}\nthreads: 1\n"
    return parse(text.encode(), "mine.yaml")


def say(run: Run, paths: Sequence[Path | str], **how: Any) -> dict[str, Any]:
    return predict(from_environment(), run.id, [str(path) for path in paths], Silent(), **how)


def photos(folder: Path) -> list[Path]:
    """Its test photos, in the order of the list."""
    return [folder / line[0] for line in GROCERY_LISTS["test"]]
