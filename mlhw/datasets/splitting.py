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
    """``split`` in two: the rows kept, and the ``fraction`` of them carved out; see :func:`carved_rows`.

    The kept part of a memory-mapped input is the one copy that is made of it.
    """
    kept, carved = carved_rows(np.asarray(split.targets), fraction, rng_seed, stratified)
    return take(split, kept), take(split, carved)


def carved_rows(
    targets: NDArray[np.int64], fraction: float, rng_seed: int, stratified: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The positions kept, and the ``fraction`` of them carved out. Both keep the order, and have at least one row.

    Args:
        targets: the rows to draw from: their classes.
        fraction: of the rows, above 0 and below 1; rounded to whole rows.
        rng_seed: decides which; the global generators are left alone.
        stratified: each class gives in proportion to its rows, to within one, and keeps one, where that can be.

    Raises:
        DataError: there are fewer than two rows.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction}")
    rows = len(targets)
    if rows < 2:
        raise DataError(f"cannot hold out rows of a split that has {rows}: it takes two at least.")
    count = min(max(round(rows * fraction), 1), rows - 1)
    rng = np.random.default_rng(rng_seed)
    carved = _by_class(targets, count, rng) if stratified else None
    if carved is None:
        carved = rng.permutation(rows)[:count]
    mask = np.zeros(rows, dtype=bool)
    mask[carved] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def draw(split: Split, rows: int, rng_seed: int) -> Split:
    """``rows`` of ``split``, drawn by ``rng_seed``; all of it where it has no more. See :func:`drawn_rows`."""
    return split if rows >= len(split) else take(split, drawn_rows(np.asarray(split.targets), rows, rng_seed))


def drawn_rows(targets: NDArray[np.int64], rows: int, rng_seed: int) -> NDArray[np.int64]:
    """The positions of ``rows`` rows, fewer than there are, drawn by ``rng_seed``, in the order they had.

    Each class gives in proportion to its rows, to within one, where that can be.
    """
    rng = np.random.default_rng([rng_seed, _DRAW])
    drawn = _by_class(targets, rows, rng)
    return np.sort(rng.permutation(len(targets))[:rows] if drawn is None else drawn)


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


def take(split: Split, rows: NDArray[np.int64]) -> Split:
    """The rows of ``split`` at the positions ``rows``: a copy."""
    return replace(split, inputs=split.inputs[rows], targets=split.targets[rows])
