import sys
from pathlib import Path

import pytest

from mlhw.arrays import Place

sys.path.insert(0, str(Path(__file__).parent))  # for `made`, in whatever import mode pytest runs


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty data folder and an empty cache."""
    (tmp_path / "data").mkdir()
    return Place(tmp_path / "data", tmp_path / "cache")
