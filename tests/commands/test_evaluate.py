"""`mlhw evaluate`: the numbers of the summary to the last digit, whatever kind of model, and none of another's weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlhw.commands import evaluate as module
from mlhw.commands import stack, trained
from mlhw.commands.display import Silent
from mlhw.commands.evaluate import evaluate, mirror_images
from mlhw.commands.settings import from_environment
from mlhw.commands.train import train
from mlhw.config.load import dump, load, parse
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError, RunError
from mlhw.runs import checkpoint, preparation, store
from mlhw.runs.store import Run
from tests.datasets.made import write_grocery

MODELS = {
    "numpy": "model: {kind: numpy-mlp, hidden_sizes: [12]}\ntrain: {epochs: 3, batch_size: 50, lr: 0.5}",
    "tensor, averaged": "model: {kind: tensor-mlp, hidden_sizes: [12]}\n"
    "train: {epochs: 3, batch_size: 50, lr: 0.01, optimizer: {kind: adamw}, average_decay: 0.9}",
    "residual with dropout": "model: {kind: numpy-resnet, layers: [{kind: dense, units: 9}], dropout: 0.2}\n"
    "train: {epochs: 2, batch_size: 50, lr: 0.1, best_by: loss}",
    "autograd": "model: {kind: digits-cnn, channels: [4, 6]}\ntrain: {epochs: 2, batch_size: 50, lr: 0.05}",
    "batch norm, averaged": "model: {kind: grocery-cnn, stages: [[8, 1, 1, 1]], dropout: 0.1}\n"
    "train: {epochs: 2, batch_size: 50, lr: 0.01, optimizer: {kind: adamw}, label_smoothing: 0.1, average_decay: 0.9}",
}
DATA = "data: {kind: digits, normalize: standard, val_fraction: 0.2}"


def experiment(model: str, **more: Any) -> Experiment:
    text = f"name: mine\n{DATA}\n{MODELS[model]}\nthreads: 1\n"
    return parse(text.encode(), "mine.yaml", [f"{key.replace('__', '.')}={value}" for key, value in more.items()])


def run_of(made: Experiment) -> tuple[Run, dict[str, Any]]:
    return train(made, from_environment(), Silent(), figures=False)


def score(run: Run, split: str = "test", **how: Any) -> dict[str, Any]:
    return evaluate(from_environment(), run.id, Silent(), split=split, **how)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("split", ["val", "test"])
def test_the_summary_s_numbers_to_the_last_digit(model: str, split: str) -> None:
    run, summary = run_of(experiment(model))
    record = score(run, split)
    assert record["loss"] == summary[f"{split}_loss"] == record["recorded_loss"]
    assert record["accuracy"] == summary[f"{split}_accuracy"] == record["recorded_accuracy"]
    assert record["rows"] == summary["rows"][split]
    assert record["epoch"] == summary["best_epoch"]


@pytest.mark.parametrize("model", ["numpy", "tensor, averaged"])
@pytest.mark.parametrize("seeds", [(0, 0), (1, 2)])
def test_those_of_a_member_of_a_stack(model: str, seeds: tuple[int, int]) -> None:
    """Its test rows were scored by the single model that it ended as; its val rows by the stack, which rounds otherwise."""
    settings = from_environment()
    made = [
        experiment(model, train__lr=lr, seed__data=seed, data__normalize="none")
        for lr, seed in zip((0.01, 0.02), seeds, strict=True)
    ]
    runs = [store.create(settings.outputs, each.name, dump(each)) for each in made]
    stack.note(runs, "sweeps/one/last.pt")
    (settings.outputs / "sweeps" / "one").mkdir(parents=True)
    outcomes = stack.go_on(runs, settings.outputs / "sweeps" / "one" / "last.pt", settings, Silent())
    for run, summary in zip(runs, outcomes, strict=True):
        assert isinstance(summary, dict)
        test, val = score(run), score(run, "val")
        assert (test["loss"], test["accuracy"]) == (summary["test_loss"], summary["test_accuracy"])
        assert val["loss"] == pytest.approx(summary["val_loss"], rel=1e-5)
        assert val["accuracy"] == pytest.approx(summary["val_accuracy"], abs=1e-9)


def test_it_is_the_reported_checkpoint_that_is_scored() -> None:
    """Planted: other weights in best.pt, and the law above does not hold."""
    run, summary = run_of(experiment("numpy"))
    weights = checkpoint.to_arrays(checkpoint.load(run.best_checkpoint))
    checkpoint.save(run.best_checkpoint, {name: value * 0.9 for name, value in weights.items()})
    assert score(run)["loss"] != summary["test_loss"]
    checkpoint.save(run.best_checkpoint, {name: value[:-1] for name, value in weights.items()})
    with pytest.raises(ConfigError, match="W1"):
        score(run)


def test_train_rows_are_scored_whole_and_not_taken_for_the_summary_s_running_means() -> None:
    run, summary = run_of(experiment("numpy"))
    record = score(run, "train")
    assert record["rows"] == summary["rows"]["train"]
    assert record["recorded_loss"] is None
    assert record["loss"] != summary["train_loss"]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_the_classes_add_up(split: str) -> None:
    run, _ = run_of(experiment("autograd"))
    assert score(run, split)["classes"] is None
    record = score(run, split, by_class=True)
    classes = record["classes"]
    assert [each["class_name"] for each in classes] == list("0123456789")
    assert sum(each["rows"] for each in classes) == record["rows"]
    assert sum(each["correct"] for each in classes) / record["rows"] == pytest.approx(record["accuracy"], abs=1e-12)
    assert all(each["accuracy"] == each["correct"] / each["rows"] for each in classes)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_run_that_learns_fine_classes_is_told_in_coarse_ones(tmp_path: Path, split: str) -> None:
    write_grocery(tmp_path / "data" / "GroceryStoreDataset" / "dataset")
    fine = (
        "data.labels=fine",
        "data.report=coarse",
        "data.image_size_pixels=16",
        "train.batch_size=3",
        "train.epochs=1",
    )
    run, summary = run_of(load("grocery-cnn", fine))
    record = score(run, split, by_class=True)
    assert [each["class_name"] for each in record["classes"]] == ["Apple", "Lime"]
    if split != "train":
        assert record["loss"] == summary[f"{split}_loss"]


@pytest.mark.parametrize("model", ["numpy", "autograd"])
def test_mirrored_is_the_mean_of_what_is_said_of_each_image_and_of_its_mirror_image(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, summary = run_of(experiment(model))
    plain, record = score(run), score(run, mirrored=True, by_class=True)
    assert (plain["mirrored"], record["mirrored"]) == (False, True)
    assert record["recorded_accuracy"] == summary["test_accuracy"]
    assert record["loss"] != plain["loss"]
    correct = sum(each["correct"] for each in record["classes"])
    assert correct / record["rows"] == pytest.approx(record["accuracy"], abs=1e-12)
    # Of images that are their own mirror images nothing changes: the mean of a probability and itself.
    monkeypatch.setattr(module, "mirror_images", np.asarray)
    same = score(run, mirrored=True)
    assert same["accuracy"] == plain["accuracy"]
    assert same["loss"] == pytest.approx(plain["loss"], rel=1e-5)


def test_left_and_right_are_exchanged() -> None:
    images = np.arange(2 * 2 * 3 * 1).reshape(2, 2, 3, 1)
    assert mirror_images(images)[0, :, :, 0].tolist() == [[2, 1, 0], [5, 4, 3]]


def test_what_is_no_image_has_no_mirror_image() -> None:
    run, _ = run_of(experiment("numpy", data="{kind: gmm, source: generated, train_rows: 60}"))
    with pytest.raises(ConfigError, match=r"--mirrored: the inputs of run .* are rows of 5 numbers, not images"):
        score(run, "val", mirrored=True)


def test_what_there_is_not_is_said() -> None:
    run, _ = run_of(experiment("numpy", data__val_fraction=0))
    with pytest.raises(ConfigError, match=r"no val rows, but train and test"):
        score(run, "val")
    with pytest.raises(ConfigError, match=r"--split all: should be train, val or test"):
        score(run, "all")
    run.best_checkpoint.unlink()
    with pytest.raises(RunError, match=f"no checkpoint yet. Go on with it: mlhw resume {run.id}"):
        score(run)


def test_a_run_of_pretrained_networks_has_no_model_of_its_own() -> None:
    settings = from_environment()
    text = "name: p\npretrained: {kind: classify}\n"
    run = store.create(settings.outputs, "p", text)
    with pytest.raises(RunError, match="mlhw pretrained classify"):
        trained.find(settings, run.id)


# -- preparation.json ----------------------------------------------------------------------------------------------------


def test_a_preparation_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    run, _ = run_of(experiment("autograd"))
    noted = preparation.read(run.preparation_file)
    assert noted is not None
    run.preparation_file.unlink()
    again = trained.preparation(run, experiment("autograd"), from_environment(), lambda *_: None)
    preparation.write(tmp_path / "p.json", again)
    for found in (again, preparation.read(tmp_path / "p.json")):
        assert found is not None
        assert (found.input_shape, found.dtype, found.class_names) == ((8, 8, 1), "uint8", tuple("0123456789"))
        assert found.scaling == noted.scaling
        assert found.told == found.class_names


def test_a_preparation_with_coarser_classes_too(tmp_path: Path) -> None:
    write_grocery(tmp_path / "data" / "GroceryStoreDataset" / "dataset")
    fine = (
        "data.labels=fine",
        "data.report=coarse",
        "data.image_size_pixels=16",
        "train.batch_size=3",
        "train.epochs=1",
    )
    run, _ = run_of(load("grocery-cnn", fine))
    found = preparation.read(run.preparation_file)
    assert found is not None
    assert found.coarser is not None
    assert found.told == ("Apple", "Lime")
    assert found.class_names == ("Pink-Lady", "Royal-Gala", "Lime")
    assert found.coarser.of_finer.tolist() == [0, 0, 1]
    assert found.coarser.of_finer.dtype == np.int64


@pytest.mark.parametrize(
    "damage",
    [
        {"input_shape": []},
        {"input_shape": [8, 8, 0]},
        {"dtype": "no type"},
        {"shift": [1.0, 2.0]},
        {"scale": None},
        {"class_names": None},
        {"coarser_class_names": ["a"], "coarser_of_finer": [0, 1]},
        {"coarser_class_names": ["a"], "coarser_of_finer": [1] * 10},
        None,
    ],
)
def test_a_damaged_preparation_is_named_with_what_to_do(damage: dict[str, Any] | None) -> None:
    run, _ = run_of(experiment("numpy", train__epochs=1))
    value = json.loads(run.preparation_file.read_text(encoding="utf-8"))
    run.preparation_file.write_text("{" if damage is None else json.dumps(value | damage), encoding="utf-8")
    with pytest.raises(RunError, match=r"preparation.json: .* Remove the file"):
        score(run)
    run.preparation_file.unlink()
    assert score(run)["loss"] == score(run)["recorded_loss"]
