"""State dicts of small torchvision networks, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.pictures_made import OTHER, SMALL
from tests.models.zoo_made import by_hand, saved


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(by_hand(SMALL), tmp_path_factory.mktemp("weights") / "small.pth")


@pytest.fixture(scope="session")
def other_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(by_hand(OTHER, seed=1), tmp_path_factory.mktemp("weights") / "other.pth")
