"""The lines of a sweep's curves: one a rate and split, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from mlhw.plots.swept import Curve


@dataclass(frozen=True, slots=True, eq=False)
class RateLine:
    """A quantity of ``split`` of the curve at position ``curve``; finite values alone."""

    curve: int
    split: str
    epochs: Int[np.ndarray, " epochs"]
    values: Float[np.ndarray, " epochs"]


def rate_lines(curves: Sequence[Curve], splits: Sequence[str], quantity: str) -> list[RateLine]:
    """The lines of ``quantity`` ("loss" or "accuracy"), split by split; none without a row."""
    found = []
    for split in splits:
        for number, curve in enumerate(curves):
            if rows := curve.of(split):
                epochs = np.array([row.epoch for row in rows])
                found.append(RateLine(number, split, epochs, np.array([float(getattr(row, quantity)) for row in rows])))
    return found
