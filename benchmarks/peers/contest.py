"""What a system offers: work that starts from fresh weights, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Side
from benchmarks.peers.tasks import Rows


@dataclass(frozen=True)
class Contest:
    """``fresh()`` prepares, untimed, and returns the work; ``accuracy()`` then tells what was learnt (None: nothing is).

    ``threads``: how many the system asks for itself; None leaves the choice.
    """

    fresh: Side
    accuracy: Callable[[], float] | None = None
    threads: int | None = None


def accuracy(guess: np.ndarray, rows: Rows) -> float:
    """The share of ``rows`` whose class ``guess`` (rows,) names."""
    return float((np.asarray(guess) == rows.targets).mean())
