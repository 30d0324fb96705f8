"""What the tests of executors share."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator

import pytest


@pytest.fixture
def no_process_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []
