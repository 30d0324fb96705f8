"""The presets reach what they claim, on real data, through the program itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlhw.runs.metrics import read_metrics, row_of
from tests.cli.program import mlhw

pytestmark = pytest.mark.slow


def train(name: str, *overrides: str) -> dict[str, Any]:
    done = mlhw(
        "train", name, "--json", "-q", *(part for key in overrides for part in ("-s", key)), timeout_seconds=1800
    )
    assert done.code == 0, done.err
    result: dict[str, Any] = done.json
    return result


def test_digits_cnn() -> None:
    assert train("digits-cnn")["test_accuracy"] >= 0.98


def test_mnist_mlp(real_data: Path) -> None:
    assert train("mnist-mlp")["test_accuracy"] >= 0.975


def test_numpy_mlp(real_data: Path) -> None:
    assert train("numpy-mlp")["test_accuracy"] >= 0.95


def test_numpy_mlp_notebook_lands_on_the_printed_numbers(real_data: Path) -> None:
    rows = read_metrics(Path(train("numpy-mlp-notebook")["path"]) / "metrics.csv")
    printed = {5: (1.548, 0.915, 1.552, 0.908, 0.04), 25: (1.510, 0.947, 1.540, 0.915, 0.015)}
    for epoch, (*numbers, tolerance) in printed.items():
        train_row, test_row = row_of(rows, epoch, "train"), row_of(rows, epoch, "test")
        assert train_row is not None
        assert test_row is not None
        got = [train_row.loss, train_row.accuracy, test_row.loss, test_row.accuracy]
        assert got == pytest.approx(numbers, abs=tolerance)


def test_mnist_mlp_notebook_orders_the_rates_as_the_course_saw_them(real_data: Path) -> None:
    accuracy = [train("mnist-mlp-notebook", f"train.lr={lr}")["test_accuracy"] for lr in (0.01, 0.1, 1)]
    assert accuracy[0] < accuracy[1] < accuracy[2]


def test_grocery_cnn_fast_keeps_its_budget_and_passes_the_course_s_bar(real_data: Path) -> None:
    if not (real_data / "GroceryStoreDataset").is_dir():
        pytest.skip("needs the Grocery Store Dataset below MLHW_DATA")
    result = train("grocery-cnn-fast")  # grocery-cnn takes some 37 minutes: its figures are in its YAML
    assert result["parameters"] < 100_000
    assert result["test_accuracy"] >= 0.65


def test_grocery_cnn_notebook_starts_and_has_the_course_s_parameters(real_data: Path) -> None:
    if not (real_data / "GroceryStoreDataset").is_dir():
        pytest.skip("needs the Grocery Store Dataset below MLHW_DATA")
    result = train("grocery-cnn-notebook", "train.epochs=1")
    assert result["parameters"] == 98_533
