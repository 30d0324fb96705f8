from pathlib import Path

import pytest

from mlhw.arrays import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty data folder and an empty cache."""
    (tmp_path / "data").mkdir()
    return Place(tmp_path / "data", tmp_path / "cache")
