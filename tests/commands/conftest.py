"""State dicts of small torchvision networks, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.pictures_made import OTHER, SMALL
from tests.datasets.hostile_bytes import oriented
from tests.datasets.made import GROCERY_LISTS, noise, write_grocery
from tests.models.zoo_made import by_hand, saved


@pytest.fixture
def groceries(tmp_path: Path) -> Path:
    """The folder of a small Grocery set, its photos noise of many sizes, one of them lying on its side."""
    folder = write_grocery(tmp_path / "data" / "GroceryStoreDataset" / "dataset")
    for seed, line in enumerate(line for lines in GROCERY_LISTS.values() for line in lines):
        exif = {"exif": oriented(6)} if seed % 2 else {}
        noise(folder / line[0], (90 + 11 * seed, 120 - 9 * seed), seed, quality=90, **exif)
    return folder


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(by_hand(SMALL), tmp_path_factory.mktemp("weights") / "small.pth")


@pytest.fixture(scope="session")
def other_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(by_hand(OTHER, seed=1), tmp_path_factory.mktemp("weights") / "other.pth")
