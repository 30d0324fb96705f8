"""Labels of overlaid runs say what differs, and nothing else."""

from __future__ import annotations

from pathlib import Path

from mlhw.commands.draw import differing_labels
from mlhw.config.load import dump, load
from mlhw.runs import store


def run(outputs: Path, name: str, *overrides: str) -> store.Run:
    return store.create(outputs, name, dump(load(name, list(overrides))))


def test_one_key_that_differs_is_the_label(tmp_path: Path) -> None:
    runs = [run(tmp_path, "digits-cnn", f"train.lr={lr}") for lr in (0.1, 0.01)]
    assert differing_labels(runs) == ["lr 0.1", "lr 0.01"]


def test_words_do_not_count_as_a_difference(tmp_path: Path) -> None:
    runs = [run(tmp_path, "digits-cnn", f"seed.init={seed}", f"description=try {seed}") for seed in (1, 2)]
    assert differing_labels(runs) == ["init 1", "init 2"]


def test_other_experiments_are_told_by_name_alone(tmp_path: Path) -> None:
    assert differing_labels([run(tmp_path, "digits-cnn"), run(tmp_path, "mnist-mlp")]) == ["digits-cnn", "mnist-mlp"]


def test_equal_configs_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    runs = [run(tmp_path, "digits-cnn") for _ in range(2)]
    labels = differing_labels(runs)
    assert labels == [run.id[-4:] for run in runs]
