"""A run on two features leaves its decision regions, as its reported weights see them, and their picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlhw.commands.display import Silent
from mlhw.commands.settings import from_environment
from mlhw.commands.train import train
from mlhw.config.load import load
from mlhw.runs import regions, store

NETWORK = ["model={kind: numpy-mlp, hidden_sizes: [16], activation: tanh}", "train.augment=null", "train.batch_size=64"]
TRAINING = ["train.optimizer={kind: sgd, momentum: 0.9}", "train.average_decay=null", "train.lr=0.1"]


def trained(data: str, *overrides: str, epochs: int = 3) -> tuple[store.Run, dict[str, object]]:
    experiment = load("digits-cnn", [f"data={data}", *NETWORK, *TRAINING, f"train.epochs={epochs}", *overrides])
    return train(experiment, from_environment(), Silent())


def test_the_grid_and_the_rows_are_seen_alike() -> None:
    """A grid that is scaled otherwise than the rows, or has its axes swapped, would say other classes at their places."""
    run, _ = trained("{kind: peaks, source: generated, normalize: standard, train_rows: 5000}", epochs=12)
    found = regions.read(run.regions_file)
    assert (found.split, found.data, len(found.points)) == ("val", "peaks-generated", 2000)
    column = np.abs(found.points[:, :1] - found.grid_x).argmin(axis=1)
    row = np.abs(found.points[:, 1:] - found.grid_y).argmin(axis=1)
    assert (found.predicted[row, column] == found.guesses).mean() > 0.97
    assert len(np.unique(found.predicted)) == 5
    assert found.confidence.min() >= 0.2
    assert {path.name for path in run.plots.iterdir()} >= {"regions.png", "regions.svg", "curves.png"}


@pytest.mark.parametrize("split", ["val", "test", "train"])
def test_the_rows_are_those_of_val_else_of_test_else_of_train(split: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, rows in (("train", 90), (split, 40)):
        values = rng.integers(0, 100, (rows, 2))
        lines = [f"{int(y > 60)},{x},{y}" for x, y in values.tolist()]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    data = f"{{kind: pixel-csv, train: {tmp_path}/train.csv, normalize: standard"
    data += "}" if split == "train" else f", {split}: {tmp_path}/{split}.csv}}"
    run, summary = trained(data, "train.batch_size=20")
    found = regions.read(run.regions_file)
    assert (found.split, found.class_names) == (split, ("0", "1"))
    right = float((found.targets == found.guesses).mean())
    if split != "train":  # whose accuracy is the running mean over the epoch
        assert right == pytest.approx(summary[f"{split}_accuracy"])


def test_runs_on_other_inputs_have_none() -> None:
    run, _ = trained("{kind: gmm, source: generated, train_rows: 500}")
    assert not run.regions_file.exists()
    assert not list(run.plots.glob("regions*"))
