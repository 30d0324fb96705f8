"""The other side of the process pool: a process that takes one job at a time from its pipe and says what comes of it.

To the worker: ``JOB`` and a pickled job, or ``STOP``. From it: ``READY``, then for each job any number of ``EVENT`` and one
``RESULT`` or ``FAILED``, the last of these after ``LEAVING`` where the worker will take no other job.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from types import FrameType
from typing import Any, Final

from mlhw.errors import MlhwError
from mlhw.sweeps.executors import describe

JOB, STOP = b"j", b"s"
STOPPING: Final = (signal.SIGINT, signal.SIGTERM)
READY, EVENT, RESULT, FAILED, LEAVING = b"y", b"e", b"r", b"f", b"l"


def work(connection: Connection[bytes, bytes], run: bytes) -> None:
    """Run jobs with the pickled function ``run`` until the pool says stop, or is no more."""
    _print_to_stderr()
    worker = _Worker(connection)
    worker.take_signals()
    threading.Thread(target=worker.listen, daemon=True).start()
    worker.send(READY)
    while not worker.leaving and (job := worker.inbox.get()) is not None:
        worker.do(run, job)


class _Worker:
    """The state that the job's thread, the listening thread and the signal handler share."""

    def __init__(self, connection: Connection[bytes, bytes]) -> None:
        self.connection = connection
        self.inbox: SimpleQueue[bytes | None] = SimpleQueue()
        self.asked = False  # by the pool, to stop
        self.leaving = False
        self.in_job = False
        self._wanted = False  # an interrupt that could not be raised yet
        self._sending = threading.Lock()
        self._in_send = False  # the main thread

    def do(self, run: bytes, pickled: bytes) -> None:
        """One job, from its pickle to its report."""
        running = True

        def tell(event: Any) -> None:
            if running:  # a thread that outlives its job has nothing to say about the next one
                self.send(EVENT, event)

        try:
            function, job = pickle.loads(run), pickle.loads(pickled)
            with self._interruptible():
                result = function(job, tell)
            running = False
            report = RESULT + _pickled(result)
        except BaseException as error:
            running = False
            # After MemoryError nobody knows what the rest of the process is good for.
            self.leaving = self.leaving or isinstance(error, MemoryError)
            stopped = self.leaving and isinstance(error, KeyboardInterrupt | SystemExit)
            words = ("the worker was told to stop", "KeyboardInterrupt", "") if stopped else describe(error)
            report = FAILED + pickle.dumps(words)
        if self.leaving:
            self.send(LEAVING)
        self.send(report)

    def send(self, tag: bytes, content: Any = None) -> None:
        """Send ``tag``, and ``content`` pickled where there is any. An interrupt waits: half a message would be the last."""
        message = tag if content is None else tag + pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
        main = threading.current_thread() is threading.main_thread()
        if main:
            self._in_send = True
        try:
            with self._sending:
                self.connection.send_bytes(message)
        except OSError:
            os._exit(1)  # nobody is there to read it
        finally:
            if main:
                self._in_send = False
        if main:
            self._interrupt()

    # Stopping -------------------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Put jobs into the inbox; interrupt the job on request; end the process where the pool's has ended.

        The latter matters: an orphan would hold the locks of its run folders. It happens as soon as the job lets go of the
        interpreter, which numpy's and torch's arithmetic does.
        """
        parent = parent_process()
        watched: list[Any] = [self.connection, *([parent.sentinel] if parent else [])]
        try:
            while True:
                if self.connection not in wait(watched):
                    os._exit(1)
                message = self.connection.recv_bytes()
                if message == STOP:
                    self.asked = True
                    self.inbox.put(None)
                    _wake_main_thread()
                else:
                    self.inbox.put(message[1:])
        except (EOFError, OSError):
            os._exit(1)

    def take_signals(self) -> None:
        """Ctrl+C is the pool's to answer: it reaches all processes of a terminal, and the pool asks its workers to stop.

        SIGTERM interrupts the job, so that it can leave a checkpoint, and then ends the worker.
        """
        for number in STOPPING:
            signal.signal(number, self._on_signal)
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)  # blocked since before this process began

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM or self.asked:
            self._wanted = True
            self._interrupt()

    def _interrupt(self) -> None:
        """Raise what was asked for, once, unless a message is being sent: a second one could spoil the first's checkpoint."""
        if self._wanted and not self._in_send and not self.leaving:
            self.leaving = True
            raise KeyboardInterrupt if self.in_job else SystemExit

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        self.in_job = True
        try:
            if self.asked:
                self._wanted = True
                self._interrupt()
            yield
        finally:
            self.in_job = False


def _pickled(result: Any) -> bytes:
    try:
        return pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        text = f"the job ended, but its result cannot be pickled ({type(error).__name__}: {error})"
        raise MlhwError(text) from error


def _wake_main_thread() -> None:
    """Have SIGINT handled in the main thread, also where it sleeps."""
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def _print_to_stderr() -> None:
    """What jobs print, from Python or C, is no result of the command: it goes to stderr, a line at a time."""
    with contextlib.suppress(OSError, AttributeError, ValueError):  # no such streams, without a console
        os.dup2(2, 1)
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]  # suppressed
