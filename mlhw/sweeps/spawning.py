"""How a worker process is begun: its threads in its environment, the caller's script left alone, Ctrl+C held back."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from mlhw.sweeps.worker import STOPPING, work

_one_at_a_time = threading.Lock()


def spawn(run: bytes, environment: Mapping[str, str]) -> tuple[BaseProcess, Connection[bytes, bytes]]:
    """A new worker for the pickled function ``run``, with ``environment`` added to its own; and the pipe to it."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there, run), daemon=True, name="mlhw-worker")
    try:
        with _one_at_a_time, environment_with(environment), _main_script(needed=b"__main__" in run):
            process.start()
    except BaseException:
        here.close()
        raise
    finally:
        there.close()
    return process, here


def prepare() -> None:
    """Begin what multiprocessing begins with the first process, and then lifts the block of :func:`signals_held`."""
    if sys.platform != "win32":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Ctrl+C and SIGTERM wait until the block is over: no worker is begun that nobody knows of, no message half read.

    They are held twice. A process that is begun within inherits the block (not on Windows), or it would print a traceback
    before it has a handler. And a signal that another thread got is handled in the main thread all the same.
    """
    late: list[int] = []
    handlers: dict[int, Any] = {}
    masked = sys.platform != "win32" and signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        if threading.current_thread() is threading.main_thread():
            for stopping in STOPPING:
                if signal.getsignal(stopping) is not None:  # None: not set from Python, so it could not be put back
                    handlers[stopping] = signal.signal(stopping, lambda number, frame: late.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if sys.platform != "win32" and not isinstance(masked, bool):
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        if late:
            signal.raise_signal(late[0])


@contextlib.contextmanager
def environment_with(added: Mapping[str, str]) -> Iterator[None]:
    """``added`` in this process's environment, from which a child's is made; multiprocessing offers no other way."""
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _main_script(*, needed: bool) -> Iterator[None]:
    """Keep a child from running the caller's script again, unless the function it shall run is defined there.

    multiprocessing imports that script in every child: seconds for nothing, and a fork bomb's beginning where it lacks
    ``if __name__ == "__main__"``. An empty module in its place gives the child nothing to import.
    """
    main = sys.modules["__main__"]
    if not needed:
        sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
