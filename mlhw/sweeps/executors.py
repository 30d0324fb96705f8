"""What every executor takes and gives back, and the simplest of them: one job after another in this process.

An executor is ``executor(jobs, run, hear)`` and yields a :class:`Done` for each job, as the jobs finish. The others are
``processes.processes`` and ``ray_cluster.run_all``; bind what they need besides (workers, resources) by ``functools.partial``.
Whoever may leave the loop early should close it, so that workers end at once and not when the generator is collected::

    with contextlib.closing(executor(jobs, run, hear)) as records:
        for done in records: ...
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlhw.errors import Interrupted, MlhwError

Tell = Callable[[Any], None]  # what a job says while it works: any object that can be pickled
Run = Callable[
    [Any, Tell], Any
]  # job, tell -> result; a top-level function of a module, and so are job and result plain
Hear = Callable[
    [int, Any], None
]  # index of the job, what it said; called in the caller's thread, before the job's Done

DIED: Final = "died"
THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "MLHW_THREADS",
)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of job ``index``: its ``result``, or where ``error`` is not empty, why it has none.

    ``kind`` is the class of the exception (``OutputError``), or ``died`` where the process or node went away; ``trace`` is the
    traceback of an exception that mlhw does not raise on purpose.
    """

    index: int
    result: Any = None
    error: str = ""
    kind: str = ""
    trace: str = ""


def serial(jobs: Sequence[Any], run: Run, hear: Hear) -> Generator[Done, None, None]:
    """Each job in turn, in this process. An exception is that job's record; Ctrl+C and ``Interrupted`` go through."""
    for index, job in enumerate(jobs):

        def tell(event: Any, index: int = index) -> None:
            hear(index, event)

        try:
            done = Done(index, run(job, tell))
        except Interrupted:
            raise
        except (Exception, SystemExit) as error:
            done = Done(index, None, *describe(error))
        yield done


def describe(error: BaseException) -> tuple[str, str, str]:
    """Error, kind and trace of a :class:`Done`: a message made for the user as it is, any other with its class."""
    kind = type(error).__name__
    if isinstance(error, MlhwError):
        return str(error) or kind, kind, ""
    text = "out of memory. Fewer jobs at a time need less of it" if isinstance(error, MemoryError) else str(error)
    return f"{kind}: {text}" if text else kind, kind, "".join(traceback.format_exception(error))


def thread_variables(threads: int) -> dict[str, str]:
    """The environment in which a new process computes with ``threads`` threads; read when numpy or torch load."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))
