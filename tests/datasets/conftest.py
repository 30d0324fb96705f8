import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlhw.arrays import Place
from tests.datasets.server import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    found = Server()
    thread = threading.Thread(target=found.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty data folder and an empty cache."""
    (tmp_path / "data").mkdir()
    return Place(tmp_path / "data", tmp_path / "cache")
