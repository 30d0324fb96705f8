"""Jobs in worker processes that may hang, crash or take all memory: each is told of in a sentence, the others go on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any, Final, NamedTuple

from mlhw.sweeps.executors import DIED, Done
from mlhw.sweeps.processes import processes

_STOPPED: Final = ("Interrupted", "KeyboardInterrupt")


class Begun(NamedTuple):
    """What a job tells when its time begins to count: ``at``, by a clock that is the same in all processes."""

    at: float


def begin(tell: Callable[[Any], None]) -> None:
    """Let this job's time count from now on, not from when its word is heard: limits are counted in its own process."""
    tell(Begun(monotonic()))


class Came(NamedTuple):
    """What came of the job at ``place``: its ``result``, or the ``reason`` why it has none; ``seconds`` since it began."""

    place: int
    result: Any
    reason: str
    kind: str
    seconds: float
    late: bool = False


def run_apart(
    jobs: Sequence[Any],
    run: Callable[[Any, Callable[[Any], None]], Any],
    *,
    workers: int,
    seconds: float | None,
    memory_mb: int | None = None,
    hear: Callable[[int, Any], None] = lambda index, event: None,
) -> Iterator[Came]:
    """Each job in one of ``workers`` processes, as they end; ``run`` sets its own limits by ``limits.within``.

    ``seconds`` and ``memory_mb`` are those limits, for the words. A process that ends costs its own job, and another takes
    its place: torch is imported once a process, and not once a job.
    """
    began: dict[int, float] = {}

    def listen(index: int, event: Any) -> None:
        if isinstance(event, Begun):
            began[index] = event.at
        else:
            hear(index, event)

    threads = max(1, (os.cpu_count() or 1) // workers)
    records = processes(jobs, run, listen, workers=workers, threads=threads)
    with contextlib.closing(records):
        for done in records:
            spent = monotonic() - began.get(done.index, monotonic())
            late = bool(seconds is not None and spent >= seconds and done.kind in (DIED, *_STOPPED))
            yield Came(done.index, done.result, _reason(done, late, seconds, memory_mb), done.kind, spent, late)


def _reason(done: Done, late: bool, seconds: float | None, memory_mb: int | None) -> str:
    if not done.error:
        return ""
    if late:
        text = f"not finished after {seconds:g} s"
        return f"{text} ({done.error})" if done.kind == "Interrupted" else text
    if done.kind == "MemoryError":
        return f"needs more than {memory_mb:,} MB of memory" if memory_mb else done.error
    return f"unexpected {done.error}" if done.trace else done.error
