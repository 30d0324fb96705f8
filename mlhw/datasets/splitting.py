"""Rows held out of a split, or kept of it: drawn by a seed, each class in its share, in the order they had."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlhw.arrays import Split
from mlhw.errors import DataError

_DRAW = 1  # of the stream that `draw` reads: another than that of `carve`, which may follow it with the same seed
TEST_SEED = 0  # of the test rows that `test_fraction` carves: the same whatever the seeds of the run


def carve(split: Split, fraction: float, rng_seed: int, stratified: bool = True) -> tuple[Split, Split]:
    """``split`` in two: the rows kept, and the ``fraction`` of them carved out.

    Both parts keep the order of the rows and have at least one. The kept part of a memory-mapped input is the one copy
    that is made of it.

    Args:
        split: the rows to draw from; numpy arrays, memory-mapped or not.
        fraction: of the rows, above 0 and below 1; rounded to whole rows.
        rng_seed: decides which; the global generators are left alone.
        stratified: each class gives in proportion to its rows, to within one, and keeps one, where that can be.

    Raises:
        DataError: there are fewer than two rows.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction}")
    rows = len(split)
    if rows < 2:
        raise DataError(f"cannot hold out rows of a split that has {rows}: it takes two at least.")
    count = min(max(round(rows * fraction), 1), rows - 1)
    rng = np.random.default_rng(rng_seed)
    carved = _by_class(np.asarray(split.targets), count, rng) if stratified else None
    if carved is None:
        carved = rng.permutation(rows)[:count]
    mask = np.zeros(rows, dtype=bool)
    mask[carved] = True
    return _take(split, np.flatnonzero(~mask)), _take(split, np.flatnonzero(mask))


def draw(split: Split, rows: int, rng_seed: int) -> Split:
    """``rows`` of ``split``, drawn by ``rng_seed``, in the order they had; all of it where it has no more.

    Each class gives in proportion to its rows, to within one, where that can be. Only what is drawn is copied.
    """
    if rows >= len(split):
        return split
    rng = np.random.default_rng([rng_seed, _DRAW])
    drawn = _by_class(np.asarray(split.targets), rows, rng)
    return _take(split, np.sort(rng.permutation(len(split))[:rows] if drawn is None else drawn))


def _by_class(targets: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64] | None:
    """``count`` rows, each class in its share by the largest remainder; None where a class would be left with none."""
    classes, sizes = np.unique(targets, return_counts=True)
    share = sizes * (count / len(targets))
    take = np.floor(share + 1e-9).astype(np.int64)  # below each size, since count is below the number of rows
    by_remainder = rng.permutation(len(classes))  # ties go by lot
    by_remainder = by_remainder[np.argsort(-(share - take)[by_remainder], kind="stable")]
    if count > (sizes - 1).sum():
        return None
    while take.sum() < count:  # a second round only where small classes could not give more
        for place in by_remainder:
            if take.sum() < count and take[place] < sizes[place] - 1:
                take[place] += 1
    rows = [
        rng.permutation(np.flatnonzero(targets == name))[:number] for name, number in zip(classes, take, strict=True)
    ]
    return np.concatenate(rows)


def _take(split: Split, rows: NDArray[np.int64]) -> Split:
    return replace(split, inputs=split.inputs[rows], targets=split.targets[rows])
