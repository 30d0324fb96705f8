"""Time and memory limits that a process sets itself, for work on files that a stranger made."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

GRACE_SECONDS: Final = 10.0  # for interrupted work to leave a checkpoint


@contextlib.contextmanager
def within(seconds: float | None, *, memory_mb: int | None = None, interrupt: bool = False) -> Iterator[None]:
    """End this process where the block takes longer than ``seconds``; more than ``memory_mb`` on top is a MemoryError.

    With ``interrupt`` it first gets what ``kill`` sends, and :data:`GRACE_SECONDS` to act on it. The process then ends from a
    thread that needs no interpreter, also on Windows, and also where C code hangs. Memory is bounded on Linux alone: there
    RLIMIT_DATA counts what is written to, and not the gigabytes of address space that torch maps.
    """
    timer = None
    with open(os.devnull, "w") as nowhere, _memory(memory_mb):  # noqa: PTH123  (os.devnull is a name)
        if seconds is not None:
            faulthandler.dump_traceback_later(seconds + GRACE_SECONDS * interrupt, exit=True, file=nowhere)
        if seconds is not None and interrupt:
            timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGTERM])
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            if seconds is not None:
                faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _memory(memory_mb: int | None) -> Iterator[None]:
    if memory_mb is None or sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_bytes() + memory_mb * 2**20
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    """What the system counts against RLIMIT_DATA now."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def wants_memory(error: BaseException) -> bool:
    """Whether ``error``, of Python, numpy or torch, says that memory was refused."""
    text: Any = str(error)
    return isinstance(error, MemoryError) or "allocate memory" in text or "Cannot allocate" in text
