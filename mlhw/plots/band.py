"""The mean and the spread of several runs of one setting, by epoch and at their ends."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from mlhw.protocols import EpochRow


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Mean and sample standard deviation by epoch, over the ``n`` runs that have it; the deviation is NaN for one."""

    epochs: Int[np.ndarray, " epochs"]
    mean: Float[np.ndarray, " epochs"]
    deviation: Float[np.ndarray, " epochs"]
    n: Int[np.ndarray, " epochs"]


def band(runs: Sequence[Sequence[EpochRow]], split: str, quantity: str) -> Band:
    """The band of ``quantity`` ("loss" or "accuracy") of ``split`` over ``runs``; values that are not finite do not count."""
    by_epoch: dict[int, list[float]] = {}
    for rows in runs:
        values = {row.epoch: float(getattr(row, quantity)) for row in rows if row.split == split}
        for epoch, value in values.items():
            if math.isfinite(value):
                by_epoch.setdefault(epoch, []).append(value)
    epochs = sorted(by_epoch)
    some = [np.array(by_epoch[epoch]) for epoch in epochs]
    return Band(
        np.array(epochs, int),
        np.array([values.mean() for values in some], float),
        np.array([values.std(ddof=1) if len(values) > 1 else np.nan for values in some], float),
        np.array([len(values) for values in some], int),
    )


class Ends(NamedTuple):
    """Mean and sample deviation (NaN for one) of the reported (or last) values of ``n`` runs; -infinity where there is none."""

    mean: float
    deviation: float
    n: int


def end_rows(runs: Sequence[Sequence[EpochRow]], split: str, reported: Sequence[int | None]) -> list[EpochRow]:
    """The row of ``split`` at each run's ``reported`` epoch; its last finite one where that is not known, or has no row."""
    ends = []
    for rows, epoch in zip(runs, reported or [None] * len(runs), strict=True):
        some = [row for row in rows if row.split == split and math.isfinite(row.loss) and math.isfinite(row.accuracy)]
        if some:
            ends.append(max(some, key=lambda row: (row.epoch == epoch, row.epoch)))
    return ends


def end_values(
    runs: Sequence[Sequence[EpochRow]], split: str, quantity: str, reported: Sequence[int | None] = ()
) -> Ends:
    """The values of ``quantity`` of :func:`end_rows`."""
    ends = [float(getattr(row, quantity)) for row in end_rows(runs, split, reported)]
    deviation = statistics.stdev(ends) if len(ends) > 1 else math.nan
    return Ends(statistics.fmean(ends) if ends else -math.inf, deviation, len(ends))


def with_spread(mean: float, deviation: float, quantity: str) -> str:
    """``94.80 ± 0.05``: percentages with two decimals, losses with two digits of the deviation; no deviation where NaN."""
    decimals = 2
    if quantity == "loss":
        size = deviation if deviation > 0 else abs(mean) / 10
        decimals = min(max(1 - math.floor(math.log10(size)), 0), 6) if size > 0 else 3
    if math.isnan(deviation):
        return f"{mean:.{decimals}f}"
    return f"{mean:.{decimals}f} ± {deviation:.{decimals}f}"
