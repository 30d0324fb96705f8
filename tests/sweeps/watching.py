"""What the tests of executors look at: what is said, and what has ended."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="signals, and /proc")


def unheard(index: int, event: Any) -> None:
    raise AssertionError(f"job {index} said {event!r}")


def settled(holds: Callable[[], bool]) -> bool:
    """Whether ``holds`` comes true; the limit is for a machine that does much else."""
    limit = time.monotonic() + 60
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int) -> bool:
    """Whether no process ``pid`` runs: none, or one that has ended and waits for its parent (perhaps in vain) to see it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
