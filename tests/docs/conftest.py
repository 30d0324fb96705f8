"""One warm process and one desk for each page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.desk import Desk, can_fork
from tests.faults.warm import Warm


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm | None]:
    """The program as forks of a process that is up already; None where the system has no fork."""
    if not can_fork():
        yield None
        return
    with Warm(tmp_path_factory.mktemp("warm")) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, server: Warm | None) -> Desk:
    """A reader's desk."""
    return Desk(tmp_path, server)
