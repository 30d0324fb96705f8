"""How many threads the arithmetic uses."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

SPINS = "GOMP_SPINCOUNT"


@contextmanager
def calm() -> Iterator[None]:
    """A block in which torch, if it is first loaded there, gets OpenMP threads that do not spin for long when idle.

    As the program itself sees to in ``cli/start.py``, which says why; the environment is left as found.
    """
    own = SPINS in os.environ or "OMP_WAIT_POLICY" in os.environ
    if not own:
        os.environ[SPINS] = "4000"
    try:
        yield
    finally:
        if not own:
            del os.environ[SPINS]


@contextmanager
def as_found() -> Iterator[None]:
    """Put numpy's and torch's numbers of threads back when the block ends, and the state of Python's random generator.

    No result depends on that one, but libraries that are first loaded in the block may draw from it.
    """
    with calm():
        import torch
    from threadpoolctl import threadpool_limits

    threads, drawn = torch.get_num_threads(), random.getstate()
    with threadpool_limits():
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            random.setstate(drawn)


def use_threads(threads: int | None, way: str) -> int:
    """Let numpy's and torch's arithmetic use ``threads`` threads (None leaves them); returns how many are in use now.

    ``way`` says whose are counted: numpy's for a model that computes in ``numpy``, else torch's. Results are the same from
    run to run for one number of threads, and differ in the last digits between numbers.
    """
    import numpy as np  # noqa: F401  (its BLAS must be loaded to be found)
    import torch
    from threadpoolctl import threadpool_info, threadpool_limits

    if threads is not None:
        threadpool_limits(limits=threads)
        torch.set_num_threads(threads)
    if way == "numpy":
        return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)
    return torch.get_num_threads()
