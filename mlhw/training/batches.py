"""Batches of a split: contiguous slices, or a fresh permutation's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from mlhw.arrays import Array, Batch, Split

BLOCK_VALUES = 2**16  # of inputs that are gathered at once: 512 kB of float64, in reach of the second cache


def in_order(split: Split, batch_rows: int) -> Iterator[Batch]:
    """The rows as they stand, ``batch_rows`` at a time; the last batch may be smaller. Slices are views, no copies, of inputs
    that are ready."""
    if split.own is not None:
        yield from _gathered(split, split.own, batch_rows)
        return
    rows = _like(split.targets, np.arange(len(split)))
    block_rows = max(1, len(split)) if split.ready is None else _block_rows(split, batch_rows)
    for start in range(0, len(split), block_rows):
        stop = start + block_rows
        block = split.model_inputs(start, stop), split.targets[start:stop], rows[start:stop]
        yield from map(Batch, *(_slices(values, batch_rows) for values in block))


def shuffled(split: Split, batch_rows: int, rngs: Sequence[np.random.Generator]) -> Iterator[Batch]:
    """Every row once, in an order drawn from the one generator; one a member where each has rows of its own."""
    if split.own is None:
        return _gathered(split, rngs[0].permutation(len(split)), batch_rows)
    orders = [rows[rng.permutation(len(rows))] for rows, rng in zip(split.own, rngs, strict=True)]
    return _gathered(split, np.stack(orders), batch_rows)


def _gathered(split: Split, order: np.ndarray, batch_rows: int) -> Iterator[Batch]:
    """The rows that ``order`` (rows,) or (members, rows) names, ``batch_rows`` of its last axis at a time."""
    places = _like(split.targets, order)
    inputs, targets = _taker(split.inputs), _taker(split.targets)
    if order.ndim > 1:
        for start in range(0, order.shape[-1], batch_rows):
            rows = places[:, start : start + batch_rows]
            yield Batch(split.made_ready(inputs(rows)), targets(rows), rows)
        return
    # Small batches are gathered several at once, and are views of what was: calls and jumps in memory are what costs.
    block_rows = _block_rows(split, batch_rows)
    for start in range(0, len(order), block_rows):
        rows = places[start : start + block_rows]
        block = split.made_ready(inputs(rows)), targets(rows), rows
        yield from map(Batch, *(_slices(values, batch_rows) for values in block))


def _block_rows(split: Split, batch_rows: int) -> int:
    """So many rows, of whole batches, are gathered or made ready at once."""
    values = batch_rows * max(1, int(np.prod(split.input_shape)))
    return batch_rows * max(1, BLOCK_VALUES // values)


def score_rows(split: Split, budget: int = 2**20) -> int:
    """How many rows to score at once: ``budget`` input values, between 16 and 4,096 rows. Bounds the activations.

    Where rows must be made ready first, an eighth of it: what was made shall still lie in the cache when it is read.
    """
    if split.ready is not None:
        budget //= 8
    return int(min(4096, max(16, budget // max(1, int(np.prod(split.input_shape))))))


def _like(targets: Array, rows: np.ndarray) -> Array:
    return rows if isinstance(targets, np.ndarray) else targets.new_tensor(rows)


def _slices(values: Array, rows: int) -> Iterable[Any]:
    if not isinstance(values, np.ndarray):
        return values.split(rows)  # all views in one call
    return (values[start : start + rows] for start in range(0, len(values), rows))


def _taker(values: Array) -> Callable[[Array], Any]:
    # take and index_select skip the generality of values[rows]: half its cost at a batch of eight.
    if isinstance(values, np.ndarray):
        return partial(values.take, axis=0)
    return lambda rows: values.index_select(0, rows.ravel()).view(*rows.shape, *values.shape[1:])
