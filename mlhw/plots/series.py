"""The lines of a figure of learning curves, read from the rows of metrics.csv."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from mlhw.plots.style import RUN_COLOURS, RUN_MARKERS, SPLIT_STYLES
from mlhw.protocols import EpochRow


@dataclass(frozen=True, slots=True)
class Curves:
    """One run to draw: its ``label``, the rows of its metrics.csv, and the epoch whose weights are reported."""

    label: str
    rows: list[EpochRow]
    best_epoch: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One line: a quantity of one split of the run at position ``run``, among ``several`` runs or alone."""

    run: int
    split: str
    epochs: Int[np.ndarray, " epochs"]
    values: Float[np.ndarray, " epochs"]  # may be NaN or ±infinity
    several: bool

    @property
    def colour(self) -> str:
        """The run's colour where there are several runs, else the split's."""
        return RUN_COLOURS[self.run % len(RUN_COLOURS)] if self.several else SPLIT_STYLES[self.split].colour

    @property
    def marker(self) -> str:
        """The run's marker where there are several runs, else the split's."""
        return RUN_MARKERS[self.run % len(RUN_MARKERS)] if self.several else SPLIT_STYLES[self.split].marker

    @property
    def is_point(self) -> bool:
        """Whether there is one row alone."""
        return len(self.epochs) == 1

    def at(self, epoch: int | None) -> float:
        """The value at ``epoch``; NaN where there is none."""
        found = self.values[self.epochs == epoch]
        return float(found[-1]) if len(found) else float("nan")

    def reported(self, epoch: int | None) -> float:
        """The value at the reported ``epoch``; the last one where that is not known, or has no row."""
        return self.at(epoch) if (self.epochs == epoch).any() else float(self.values[-1])


def series(runs: Sequence[Curves], quantity: str) -> list[Series]:
    """The lines of ``quantity`` ("loss" or "accuracy"): train of every run first, so that what is held out lies on top."""
    found = []
    for split in SPLIT_STYLES:
        for number, run in enumerate(runs):
            by_epoch = {row.epoch: float(getattr(row, quantity)) for row in run.rows if row.split == split}
            if by_epoch:
                epochs = np.array(sorted(by_epoch))
                values = np.array([by_epoch[epoch] for epoch in epochs.tolist()])
                found.append(Series(number, split, epochs, values, len(runs) > 1))
    return found


def held_out(lines: Sequence[Series]) -> list[Series]:
    """The line of each run that tells most of it: val, test or train, the first that has more than one row."""
    found = []
    for run in sorted({line.run for line in lines}):
        mine = {line.split: line for line in lines if line.run == run}
        choice = [mine[split] for split in ("val", "test", "train") if split in mine]
        found.append(next((line for line in choice if not line.is_point), choice[0]))
    return found
