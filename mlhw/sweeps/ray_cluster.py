"""Jobs on a Ray cluster: the same function and the same records as on one machine, wherever there is room.

Ray is an extra (``pip install 'mlhw[ray]'``) and is imported when it is needed. It restarts a job whose worker or node dies, so
a job may run, and say things, more than once; its record comes once.
"""

from __future__ import annotations

import contextlib
import importlib
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from time import monotonic, sleep
from typing import Any, Final

from mlhw.errors import ConfigError
from mlhw.sweeps.executors import DIED, Done, Hear, Run, describe, thread_variables
from mlhw.sweeps.ray_connection import connected, first_line

GRACE_SECONDS: Final = 10.0  # for a job to leave a checkpoint after it was interrupted
PATIENCE_SECONDS: Final = 120.0  # for a node to come back, once none is left that has room for a job
_LOOK_SECONDS: Final = 0.2  # how old what a job says may be when it is heard
_SETTLE_SECONDS: Final = 1.0  # a job that is cancelled cannot wait until its last words have arrived
_MOST_IN_FLIGHT: Final = 256  # enough for Ray to see what is asked for, few enough for its memory


def run_all(
    jobs: Sequence[Any],
    run: Run,
    hear: Hear,
    *,
    address: str = "auto",
    cpus: float = 1.0,
    gpus: float = 0.0,
    retries: int = 3,
    grace_seconds: float = GRACE_SECONDS,
) -> Generator[Done, None, None]:
    """Each job as a Ray task that holds ``cpus`` cores and ``gpus`` graphics cards; in the order in which they end.

    A task computes with as many threads as it has whole cores, at least one. One whose worker or node dies is begun again, up
    to ``retries`` times. When the generator is closed, or Ctrl+C reaches it, jobs get a KeyboardInterrupt and
    ``grace_seconds`` to end. A connection to Ray that the process already has is used, and left as it is.

    Args:
        address: ``auto`` (the cluster that runs here or that RAY_ADDRESS names, else ``local``), ``local`` (a cluster of this
            machine alone, for as long as the jobs take), ``HOST:PORT`` or ``ray://HOST:PORT``.

    Raises:
        ConfigError: Ray is not installed, no cluster answers, or none of its nodes is large enough for a job.
    """
    with connected(address) as ray:
        tasks = _Tasks(ray, jobs, run, hear, cpus, gpus, retries)
        try:
            yield from tasks.work()
        finally:
            tasks.end(grace_seconds)


class _Tasks:
    """The tasks that Ray has, by reference, and the jobs that it has not yet."""

    def __init__(
        self, ray: Any, jobs: Sequence[Any], run: Run, hear: Hear, cpus: float, gpus: float, retries: int
    ) -> None:
        self.ray, self.jobs, self.hear, self.cpus, self.gpus, self.retries = ray, jobs, hear, cpus, gpus, retries
        if not self._has_room():
            raise ConfigError(
                f"no node of the Ray cluster has {self._room()}, which a trial asks for. The largest has "
                f"{_largest(ray)}. Ask for less, or add a node first."
            )
        self.begun, self.pending = 0, dict[Any, int]()
        self.unsent: deque[Done] = deque()
        self.had_room = self.looked = monotonic()
        self.run = ray.put(run)
        self.task = ray.remote(_perform).options(
            num_cpus=cpus,
            num_gpus=gpus,
            max_retries=retries,
            runtime_env={"env_vars": thread_variables(max(1, int(cpus)))},
        )
        self.mailbox = _mailbox(ray)

    def work(self) -> Iterator[Done]:
        while True:
            self._submit()
            while self.unsent:
                yield self.unsent.popleft()
            if not self.pending:
                if self.begun == len(self.jobs):
                    return
                continue
            ended = [(self.pending.pop(reference), self._outcome(reference)) for reference in self._ended()]
            self._pass_on()  # what a job said comes before its record
            for index, outcome in ended:
                yield Done(index, *outcome)
            if not ended and self._stranded():
                yield from self._give_up()

    def end(self, grace_seconds: float) -> None:
        """Interrupt what runs, hear what it says until ``grace_seconds`` are over, then end it."""
        try:
            self._cancel(force=False)
            limit = monotonic() + grace_seconds
            settled = monotonic() + _SETTLE_SECONDS if self.pending else 0.0
            while (self.pending and monotonic() < limit) or monotonic() < settled:
                for reference in self._ended() if self.pending else ():
                    del self.pending[reference]
                    settled = monotonic() + _SETTLE_SECONDS
                self._pass_on()
                sleep(_SETTLE_SECONDS / 10)
        finally:
            self._cancel(force=True)
            self.pending.clear()
            self.ray.kill(self.mailbox)

    def _cancel(self, *, force: bool) -> None:
        for reference in self.pending:
            with contextlib.suppress(Exception):  # it has ended since
                self.ray.cancel(reference, force=force)

    def _submit(self) -> None:
        while self.begun < len(self.jobs) and len(self.pending) < _MOST_IN_FLIGHT:
            index = self.begun
            self.begun += 1
            try:
                reference = self.task.remote(self.run, self.jobs[index], index, self.mailbox)
            except Exception as error:
                text, kind, trace = describe(error)
                self.unsent.append(Done(index, None, f"the job cannot be sent to another process: {text}", kind, trace))
                return
            self.pending[reference] = index

    def _ended(self) -> list[Any]:
        """The references of tasks that have ended: at least one, unless none does within a moment."""
        references = list(self.pending)
        ready: list[Any] = self.ray.wait(references, num_returns=1, timeout=_LOOK_SECONDS)[0]
        return self.ray.wait(references, num_returns=len(references), timeout=0)[0] or ready if ready else []

    def _outcome(self, reference: Any) -> tuple[Any, str, str, str]:
        """Result, error, kind and trace of a task that has ended."""
        errors = self.ray.exceptions
        try:
            return self.ray.get(reference)
        except errors.RayTaskError as error:  # not the job's own, which comes as a record: its pickle's
            return None, *describe(error.cause if isinstance(error.cause, Exception) else error)
        except (
            errors.WorkerCrashedError,
            errors.OutOfMemoryError,
            errors.NodeDiedError,
            errors.ObjectLostError,
        ) as error:
            times = "once" if not self.retries else f"{self.retries + 1} times"
            return (
                None,
                f"the worker or its node died, {times} ({type(error).__name__}); out of memory?",
                DIED,
                str(error),
            )
        except errors.RayError as error:
            return None, f"Ray could not run the job: {type(error).__name__}: {first_line(error)}", DIED, str(error)

    def _pass_on(self) -> None:
        """Let the caller hear what the jobs have said since."""
        try:
            said = self.ray.get(self.mailbox.take.remote(), timeout=60)
        except self.ray.exceptions.RayError:
            return  # the mailbox's node is lost, and what was in it; no record depends on it
        for index, event in said:
            self.hear(index, event)

    # Room -----------------------------------------------------------------------------------------------------------

    def _room(self) -> str:
        return f"{self.cpus:g} CPU" + (f" and {self.gpus:g} GPU" if self.gpus else "")

    def _has_room(self) -> bool:
        """Whether some node is large enough for a job, be it busy or not."""
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        return any(node.get("CPU", 0) >= self.cpus and node.get("GPU", 0) >= self.gpus for node in nodes)

    def _stranded(self) -> bool:
        """Whether the nodes that were large enough are gone for good. Ray itself would wait for ever."""
        now = monotonic()
        if now < self.looked + 2:
            return False
        self.looked = now
        if self._has_room():
            self.had_room = now
        return now > self.had_room + PATIENCE_SECONDS

    def _give_up(self) -> Iterator[Done]:
        self._cancel(force=True)
        left = [*self.pending.values(), *range(self.begun, len(self.jobs))]
        self.pending.clear()
        self.begun = len(self.jobs)
        for index in left:
            yield Done(index, None, f"no node of the Ray cluster has {self._room()} any more", DIED)


def _perform(run: Run, job: Any, index: int, mailbox: Any) -> tuple[Any, str, str, str]:
    """What a task does, on whatever node: result, error, kind and trace of one job."""
    ray = importlib.import_module("ray")
    last: Any = None

    def tell(event: Any) -> None:
        nonlocal last
        last = mailbox.put.remote(index, event)

    try:
        return run(job, tell), "", "", ""
    except (Exception, SystemExit) as error:
        return None, *describe(error)
    finally:
        if last is not None:  # in the mailbox before the record is out
            with contextlib.suppress(Exception):
                ray.get(last, timeout=60)


class _Mailbox:
    """What jobs have said and the caller has not heard yet."""

    def __init__(self) -> None:
        self.said: list[tuple[int, Any]] = []

    def put(self, index: int, event: Any) -> None:
        self.said.append((index, event))

    def take(self) -> list[tuple[int, Any]]:
        said, self.said = self.said, []
        return said


def _mailbox(ray: Any) -> Any:
    """A mailbox on the caller's own node, where it lives as long as the caller, and takes no job's room."""
    strategies = importlib.import_module("ray.util.scheduling_strategies")
    here = strategies.NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    return ray.remote(_Mailbox).options(num_cpus=0, max_restarts=-1, scheduling_strategy=here).remote()


def _largest(ray: Any) -> str:
    nodes: list[dict[str, float]] = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    best: dict[str, float] = max(nodes, key=lambda node: (node.get("GPU", 0), node.get("CPU", 0)), default={})
    return f"{best.get('CPU', 0):g} CPU and {best.get('GPU', 0):g} GPU"
