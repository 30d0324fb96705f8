"""How many threads the arithmetic uses."""

from __future__ import annotations

import sys


def use_threads(threads: int | None) -> int:
    """Let numpy's and torch's arithmetic use ``threads`` threads (None leaves them); returns what numpy's uses now.

    Results are the same from run to run for one number of threads, and differ in the last digits between numbers.
    """
    import numpy as np  # noqa: F401  (its BLAS must be loaded to be found)
    from threadpoolctl import threadpool_info, threadpool_limits

    if threads is not None:
        threadpool_limits(limits=threads)
        import torch

        torch.set_num_threads(threads)
    if "torch" in sys.modules:
        import torch

        return torch.get_num_threads()
    return max((pool["num_threads"] for pool in threadpool_info()), default=1)
