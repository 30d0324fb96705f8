"""Classes counted: the confusion matrix, each class's accuracy with its uncertainty, and the pairs that are mixed up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Int

from mlhw.reports.records import ClassScore

Z: Final = 1.959964  # the normal's 97.5 % point


def count(
    truth: Int[np.ndarray, " rows"], predicted: Int[np.ndarray, " rows"], classes: int
) -> Int[np.ndarray, "classes classes"]:
    """Counts (classes, classes): row = true class, column = predicted class.

    Raises:
        ValueError: the lengths differ, or a class is not in 0..classes - 1.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"{len(truth)} targets, {len(predicted)} predictions")
    both = np.concatenate([truth, predicted])
    if both.size and (both.min() < 0 or both.max() >= classes):
        raise ValueError(f"classes run from {both.min()} to {both.max()}; allowed: 0 to {classes - 1}")
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def wilson(right: int, rows: int) -> tuple[float, float]:
    """A 95 % interval of the share behind ``right`` of ``rows``: Wilson's (1927, J. Am. Stat. Assoc. 22), within 0..1."""
    share, weight = right / rows, Z * Z / rows
    middle = share + weight / 2
    half = Z * math.sqrt(share * (1 - share) / rows + weight / (4 * rows))
    low, high = (middle - half) / (1 + weight), (middle + half) / (1 + weight)
    return max(0.0, min(low, share)), min(1.0, max(high, share))  # at 0 and 1 rounding would leave the share outside


def scores(matrix: Int[np.ndarray, "classes classes"], names: Sequence[str]) -> list[ClassScore]:
    """The classes that have rows, the least accurate first; of equal ones in their order."""
    found = []
    for place, row in enumerate(matrix.tolist()):
        if not (rows := sum(row)):
            continue
        others = [0 if j == place else value for j, value in enumerate(row)]
        taken = max(others)
        low, high = wilson(row[place], rows)
        taken_for = names[others.index(taken)] if taken else ""
        found.append(ClassScore(names[place], row[place], rows, low, high, taken_for, taken))
    return sorted(found, key=lambda score: score.share)


def confused(
    matrix: Int[np.ndarray, "classes classes"], names: Sequence[str], most: int
) -> list[tuple[str, str, int, float]]:
    """Up to ``most`` pairs (truth, taken for, rows, share of the class), most rows first, then the larger share."""
    totals = matrix.sum(axis=1)
    pairs = [(i, j, int(matrix[i, j])) for i, j in np.argwhere(matrix > 0).tolist() if i != j]
    pairs.sort(key=lambda pair: (-pair[2], -pair[2] / totals[pair[0]], pair[:2]))
    return [(names[i], names[j], rows, float(rows / totals[i])) for i, j, rows in pairs[:most]]
