"""Jobs in processes of this machine: begun once, one job at a time each, and none of them able to take the others along."""

from __future__ import annotations

import contextlib
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import wait
from time import monotonic
from typing import Any, Final

from mlhw.errors import MlhwError
from mlhw.sweeps.executors import DIED, Done, Hear, Run, describe, thread_variables
from mlhw.sweeps.spawning import prepare, signals_held, spawn
from mlhw.sweeps.worker import EVENT, FAILED, JOB, LEAVING, READY, RESULT, STOP

GRACE_SECONDS: Final = 10.0  # for a job to leave a checkpoint after it was interrupted
_LOOK_SECONDS: Final = 1.0  # a dead worker whose own children still hold its pipe is noticed after so long
_MOST_FAILED_STARTS: Final = 3
_MOST_WORKERS: Final = 60 if sys.platform == "win32" else 4096  # Windows waits for no more handles than 63


def processes(
    jobs: Sequence[Any], run: Run, hear: Hear, *, workers: int, threads: int, grace_seconds: float = GRACE_SECONDS
) -> Generator[Done, None, None]:
    """Each job in one of ``workers`` spawned processes that compute with ``threads`` threads; in the order in which they end.

    A worker that dies costs its own job, and another takes its place. A worker whose parent dies ends itself. When the
    generator is closed, or Ctrl+C reaches it, jobs get a KeyboardInterrupt and ``grace_seconds`` to end; then the workers
    are killed. What they say in that time is still heard. What jobs print goes to stderr.

    Raises:
        MlhwError: the workers do not start.
        TypeError: ``run`` cannot be pickled.
        ValueError: no worker, or no thread.
    """
    if workers < 1 or threads < 1:
        raise ValueError(f"{workers} workers with {threads} threads; at least one of each is needed")
    pool = _Pool(jobs, _pickled_function(run), hear, min(workers, _MOST_WORKERS), thread_variables(threads))
    try:
        yield from pool.work()
    finally:
        pool.end(grace_seconds)


def processes_after(
    first: Any, then: Then, run: Run, hear: Hear, *, threads: int, grace_seconds: float = GRACE_SECONDS
) -> Generator[Done, None, None]:
    """As :func:`processes`, for jobs that are known once the job ``first`` is done, in a worker that is then warm for others.

    What ``first`` says has the index -1, and so has its record, which comes before all others: after ``then`` has made of it
    the jobs, the number of workers and their threads.
    """
    pool = _Pool([], _pickled_function(run), hear, 1, thread_variables(threads))
    pool.first, pool.then = first, then
    try:
        yield from pool.work()
    finally:
        pool.end(grace_seconds)


def _pickled_function(run: Run) -> bytes:
    try:
        return pickle.dumps(run, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise TypeError(f"{run!r} cannot be sent to another process ({error}); give a module's own function") from error


FIRST: Final = -1
Then = Callable[[Done], tuple[Sequence[Any], int, int]]


class _Worker:
    """A process, its end of the pipe, and the index of the job that it has (None: none)."""

    def __init__(self, run: bytes, environment: dict[str, str]) -> None:
        self.process, self.connection = spawn(run, environment)
        self.job: int | None = None
        self.ready = self.leaving = False
        self.torn = False  # a message was read or written in part; nothing sensible can follow

    def send(self, message: bytes) -> bool:
        """Whether the worker was there to be sent ``message``."""
        try:
            with signals_held():
                self.torn = True
                self.connection.send_bytes(message)
                self.torn = False
        except OSError:
            return False
        return True

    def receive(self) -> bytes:
        """The next message; EOFError where the worker has ended."""
        try:
            with signals_held():
                self.torn = True
                message = self.connection.recv_bytes()
                self.torn = False
        except OSError as error:  # it ended within a message
            raise EOFError from error
        return message

    def stop(self) -> None:
        """Ask it to end: at once where it has no job, else after a KeyboardInterrupt in the job."""
        self.leaving = True
        if self.torn or not self.send(STOP):
            self.process.terminate()

    def close(self) -> int:
        """Its exit code, once it is gone for good and has left nothing behind."""
        if self.process.exitcode is None:
            self.process.kill()
        self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        self.connection.close()
        return code


class _Pool:
    """The workers, the jobs that none has yet, and the records that came of no worker."""

    def __init__(self, jobs: Sequence[Any], run: bytes, hear: Hear, size: int, environment: dict[str, str]) -> None:
        self.jobs, self.run, self.hear, self.size, self.environment = jobs, run, hear, size, environment
        self.first: Any = None
        self.then: Then | None = None
        self.next = 0
        self.returned: list[int] = []  # handed to a worker that was gone before it could begin
        self.unsent: deque[Done] = deque()  # could not be handed to any
        self.workers: list[_Worker] = []
        self.failed_starts = 0

    def work(self) -> Iterator[Done]:
        self._start()
        while self.workers:
            ready = set(wait([worker.connection for worker in self.workers], _LOOK_SECONDS))
            for worker in list(self.workers):
                if worker.connection in ready:
                    yield from self._attend(worker)
                elif worker.process.exitcode is not None and not worker.connection.poll():
                    yield from self._bury(worker)
            while self.unsent:
                yield self.unsent.popleft()

    def end(self, grace_seconds: float) -> None:
        """End all workers, by request if they comply within ``grace_seconds``."""
        try:
            for worker in self.workers:
                worker.stop()
            limit = monotonic() + grace_seconds
            heard = [worker for worker in self.workers if not worker.torn]
            while heard and (seconds := limit - monotonic()) > 0:
                ready = wait([worker.connection for worker in heard], min(seconds, _LOOK_SECONDS))
                heard = [worker for worker in heard if self._still_there(worker, worker.connection in ready)]
            for worker in self.workers:
                worker.process.join(max(0.0, limit - monotonic()))
        finally:
            for worker in self.workers:
                worker.close()
            self.workers.clear()

    def _still_there(self, worker: _Worker, ready: bool) -> bool:
        if not ready:
            return worker.process.exitcode is None or worker.connection.poll()  # it may have spoken since, and ended
        try:
            message = worker.receive()
        except EOFError:
            return False
        if message[:1] == EVENT and worker.job is not None:
            self.hear(worker.job, pickle.loads(message[1:]))
        return True

    def _start(self) -> None:
        """As many workers as there is work for."""
        prepare()
        while len(self.workers) < min(self.size, self._waiting() + self._busy()):
            try:
                with signals_held():
                    self.workers.append(_Worker(self.run, self.environment))
            except OSError as error:
                if self.workers:
                    return  # no memory for another: the rest will do
                raise MlhwError(
                    f"cannot begin a worker process: {error.strerror or error}. {self._advice()}"
                ) from error

    def _waiting(self) -> int:
        return len(self.jobs) - self.next + len(self.returned) + (self.then is not None)

    def _busy(self) -> int:
        return sum(worker.job is not None or worker.leaving for worker in self.workers)

    def _attend(self, worker: _Worker) -> Iterator[Done]:
        """Act on the next message of ``worker``."""
        try:
            message = worker.receive()
        except EOFError:
            yield from self._bury(worker)
            return
        tag, content = message[:1], memoryview(message)[1:]
        if tag == READY:
            worker.ready, self.failed_starts = True, 0
            self._hand_out(worker)
        elif tag == LEAVING:
            worker.leaving = True
        elif tag == EVENT and worker.job is not None:
            self.hear(worker.job, pickle.loads(content))
        elif tag in (RESULT, FAILED) and worker.job is not None:
            done = _read(worker.job, tag, content)
            worker.job = None
            if done.index == FIRST:
                self._learn(done)
            self._hand_out(worker)  # before the caller sees the record: the worker need not wait for it
            yield done

    def _learn(self, done: Done) -> None:
        """Take the jobs that the record of the first gives, and as many workers as they are worth."""
        assert self.then is not None
        then, self.then = self.then, None
        self.jobs, workers, threads = then(done)
        self.size, self.environment = min(workers, _MOST_WORKERS), thread_variables(threads)
        self._start()

    def _hand_out(self, worker: _Worker) -> None:
        """Give ``worker`` the next job that can be sent; let it go where there is none."""
        while not worker.leaving and (self.then or self.returned or self.next < len(self.jobs)):
            index = FIRST if self.then else self.returned.pop() if self.returned else self.next
            self.next = max(self.next, index + 1)
            try:
                job = self.first if index == FIRST else self.jobs[index]
                message = JOB + pickle.dumps(job, pickle.HIGHEST_PROTOCOL)
            except Exception as error:
                text, kind, trace = describe(error)
                unsent = Done(index, None, f"the job cannot be sent to another process: {text}", kind, trace)
                self.unsent.append(unsent)
                if index == FIRST:
                    self._learn(unsent)
                continue
            if worker.send(message):
                worker.job = index
            else:
                self.returned += [index] * (index != FIRST)
                worker.leaving = True
            return
        if not worker.leaving:
            worker.stop()

    def _bury(self, worker: _Worker) -> Iterator[Done]:
        """Close what is left of a worker that has ended, replace it, and record its job as failed."""
        worker.process.join(_LOOK_SECONDS)  # its pipe closes just before it ends
        code = worker.close()
        self.workers.remove(worker)
        if not worker.ready:
            self.failed_starts += 1
            if self.failed_starts >= _MOST_FAILED_STARTS:
                raise MlhwError(
                    f"worker processes do not start: each of {self.failed_starts} {_ending(code)}. {self._advice()}"
                )
        lost = f"the worker {_ending(code)}; its job did not end"
        if worker.job == FIRST:
            self._learn(Done(FIRST, None, lost, DIED))
        self._start()
        if worker.job is not None:
            yield Done(worker.job, None, lost, DIED)

    def _advice(self) -> str:
        if b"__main__" in self.run:
            return "A script whose own functions are run needs its start below `if __name__ == '__main__':`."
        return "Try without them (--jobs 1)."


def _read(index: int, tag: bytes, content: memoryview) -> Done:
    try:
        value = pickle.loads(content)
    except Exception as error:
        return Done(index, None, f"the job's result cannot be read here: {describe(error)[0]}", type(error).__name__)
    return Done(index, value) if tag == RESULT else Done(index, None, *value)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    name = ""
    with contextlib.suppress(ValueError):
        name = signal.Signals(-code).name
    why = {"SIGKILL": "; out of memory?", "SIGSEGV": "; a segmentation fault"}.get(name, "")
    return f"was killed by signal {-code}{f' ({name}{why})' if name else ''}"
