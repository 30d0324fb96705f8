"""A small network of torchvision by hand, its file, and an empty folder for torch's downloads."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from tests.models.zoo_made import SMALL, by_hand, saved


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where torch keeps downloaded weights: in this test, an empty folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch/hub/checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def small() -> nn.Module:
    return by_hand(SMALL)


@pytest.fixture
def file(small: nn.Module, tmp_path: Path) -> Path:
    return saved(small, tmp_path / "small.pth")
