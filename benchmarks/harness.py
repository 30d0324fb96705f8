"""Two ways of doing the same work, timed side by side, and what is reported of them."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

Work = Callable[[], object]
Side = Callable[[], Work]  # prepares, untimed, and returns the work to time
Clock = Callable[[], float]


@dataclass(frozen=True)
class Result:
    """One line of the table: measurements of ``ours`` and, where there is one, of the reference measured beside it.

    ``limit`` is on the ratio where there is a reference, on ``ours`` itself where there is none. No ``ours`` at all means
    that the benchmark was skipped (or crashed), for the reason in ``note``.
    """

    name: str
    ours: tuple[float, ...] = ()
    reference: tuple[float, ...] = ()
    limit: float | None = None
    unit: str = "s"
    note: str = ""

    @property
    def ratios(self) -> tuple[float, ...]:
        """Each measurement of ours over that of the reference taken right before or after it."""
        return tuple(a / b for a, b in zip(self.ours, self.reference, strict=True)) if self.reference else ()

    @property
    def verdict(self) -> str:
        """``held`` where the median is within the limit, else ``missed``; ``-`` where there is nothing to hold."""
        measured = self.ratios or self.ours
        if self.limit is None or not measured:
            return "-"
        return "held" if median(measured) <= self.limit else "missed"


def timed(side: Side, clock: Clock = perf_counter) -> float:
    """Seconds that the work of ``side`` takes, its preparation left out.

    Garbage of what came before is collected first. The collector stays on: what a loop leaves behind is part of its cost.
    """
    work = side()
    gc.collect()
    began = clock()
    work()
    return clock() - began


def interleaved(
    ours: Side, reference: Side, repeats: int, clock: Clock = perf_counter
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """``repeats`` timings of each, taken in turn: ours, reference, reference, ours, and so on.

    Whatever else the machine does then hits both, and a slow drift favours neither. Each side runs once before, untimed.
    """
    for side in (ours, reference):
        side()()
    pairs = []
    for turn in range(repeats):
        if turn % 2 == 0:
            first = timed(ours, clock)
            pairs.append((first, timed(reference, clock)))
        else:
            first = timed(reference, clock)
            pairs.append((timed(ours, clock), first))
    return tuple(a for a, _ in pairs), tuple(b for _, b in pairs)


def repeated(side: Side, repeats: int, clock: Clock = perf_counter) -> tuple[float, ...]:
    """``repeats`` timings of a work that has no reference, after one untimed run."""
    side()()
    return tuple(timed(side, clock) for _ in range(repeats))
