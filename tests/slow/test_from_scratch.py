"""The toy and Fashion experiments reach what they claim, on real data, through the program itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import mlhw
from tests.slow.test_presets import train

pytestmark = pytest.mark.slow


@pytest.fixture
def toy_files(real_data: Path) -> Path:
    """The course's own rows, where they are beside the other data."""
    if not (real_data / "toy2d").is_dir():
        pytest.skip("needs the course's .mat files in toy2d below MLHW_DATA")
    return real_data


def sweep(name: str) -> dict[str, Any]:
    done = mlhw("sweep", name, "--json", "-q", timeout_seconds=1800)
    assert done.code == 0, done.err
    spreads: dict[str, Any] = done.json["spreads"]
    return spreads


@pytest.mark.parametrize(("name", "least"), [("gmm-net", 0.972), ("peaks-net", 0.925), ("swissroll-net", 0.972)])
def test_a_residual_network_reaches_31_nearest_neighbours(toy_files: Path, name: str, least: float) -> None:
    assert train(name)["val_accuracy"] >= least


@pytest.mark.parametrize(("name", "exact"), [("gmm", 0.493), ("peaks", 0.566), ("swissroll", 0.530)])
def test_softmax_regression_comes_to_the_linear_fit(toy_files: Path, name: str, exact: float) -> None:
    assert train(f"{name}-softmax")["val_accuracy"] == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize(("name", "least"), [("gmm", 0.91), ("peaks", 0.80), ("swissroll", 0.80)])
def test_five_draws_of_200_rows(toy_files: Path, name: str, least: float) -> None:
    found = sweep(f"{name}-net-200")["base"]["val_accuracy"]
    assert found["n"] == 5
    assert found["mean"] >= least


@pytest.mark.parametrize("name", ["fashion-numpy-ann", "fashion-torch-ann"])
def test_one_hidden_layer_on_fashion_mnist(real_data: Path, name: str) -> None:
    if not (real_data / "FashionMNIST").is_dir():
        pytest.skip("needs FashionMNIST below MLHW_DATA")
    assert train(name)["test_accuracy"] >= 0.88
