"""``data.report: coarse``: the model learns the fine classes, and everything that is told is told in coarse ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mlhw.commands import assemble
from mlhw.commands.settings import from_environment
from mlhw.config.load import load
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError, DataError
from tests.datasets.made import write_grocery

FINE = ("data.labels=fine", "data.report=coarse", "data.image_size_pixels=16", "train.batch_size=3")


@pytest.fixture(autouse=True)
def groceries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MLHW_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MLHW_CACHE", str(tmp_path / "cache"))
    return write_grocery(tmp_path / "data" / "GroceryStoreDataset" / "dataset")


def job(*overrides: str) -> assemble.Job:
    return assemble.job(experiment(*overrides), from_environment(), lambda what, done, total: None)


def experiment(*overrides: str) -> Experiment:
    return load("grocery-cnn", [*FINE, *overrides])


def test_training_targets_are_fine_and_all_that_is_told_is_coarse() -> None:
    made = job()
    assert made.placed.train.targets.tolist() == [0, 2, 1]
    assert made.splits.train.targets.tolist() == [0, 1, 0]
    for split in (*made.splits.named().values(), made.placed.val, made.placed.test):
        assert split is not None
        assert split.class_names == ("Apple", "Lime")
    assert made.placed.test is not None
    assert made.placed.test.targets.tolist() == [0, 1]
    assert made.learner.probabilities(made.placed.test.model_inputs()).shape == (2, 2)
    assert made.learner.parameters()["13.bias"].shape == (3,)


def test_mixed_targets_have_the_fine_classes() -> None:
    made = job("train.augment.mix_fraction=1.0")  # else by lot
    assert made.recipe.augment is not None
    batch = next(iter(assemble_batches(made)))
    assert made.recipe.augment(batch, np.random.default_rng(0), 0.0).targets.shape == (3, 3)


def assemble_batches(made: assemble.Job):
    from mlhw.training.batches import in_order

    return in_order(made.placed.train, 3)


def test_coarse_labels_report_themselves() -> None:
    assert job("data.labels=coarse").learner.parameters()["13.bias"].shape == (2,)


def test_a_fine_class_of_two_coarse_ones_is_named_with_its_line(groceries: Path) -> None:
    path = groceries / "val.txt"
    path.write_text(path.read_text(encoding="utf-8").replace(", 2, 1", ", 2, 0"), encoding="utf-8")
    with pytest.raises(DataError, match=r"val.txt, line 1: fine class 2 belongs to coarse class 0 here, to 1 above"):
        job()


def test_what_cannot_report_coarser_classes_says_so() -> None:
    with pytest.raises(ConfigError, match=r"data.report does not fit model.kind 'numpy-mlp'"):
        job("model={kind: numpy-mlp}", "train.augment=null", "train.label_smoothing=0")
    with pytest.raises(ConfigError, match=r"data.report: the members of a stack"):
        assemble.stack_job([experiment()], from_environment(), lambda what, done, total: None)


def test_a_run_writes_coarse_predictions_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from mlhw.cli.app import app
    from mlhw.runs.store import Run

    monkeypatch.setenv("MLHW_OUTPUTS", str(tmp_path / "outputs"))
    overrides = [part for text in (*FINE, "train.epochs=1") for part in ("-s", text)]
    with pytest.raises(SystemExit) as ended:
        app(["train", "grocery-cnn", *overrides, "--json"])
    assert not ended.value.code
    summary = json.loads(capsys.readouterr().out)
    assert summary["class_names"] == ["Apple", "Lime"]
    lines = Run(Path(summary["path"])).predictions_file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
