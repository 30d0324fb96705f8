"""Rows made from bytes, a few at a time, are the rows that were made all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlhw.arrays import Batch, Scaling, Split
from mlhw.learners.explicit import ExplicitLearner
from mlhw.models import numpy_mlp
from mlhw.models.flat import flat_rows, rows_of_bytes
from mlhw.numerics.optimisers import Sgd
from mlhw.training import batches

SCALINGS = {
    "as stored": Scaling(),
    "to one": Scaling((0.0,), (1 / 255,)),
    "by channel": Scaling((120.0, 0.0, 7.5), (0.02, 1.0, 1 / 3)),
}
STORED = np.random.default_rng(0).integers(0, 256, (50, 4, 5, 3)).astype(np.uint8)


@pytest.mark.parametrize("scaling", SCALINGS.values(), ids=SCALINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ones", [False, True])
def test_some_rows_of_bytes_are_those_of_all_to_the_bit(scaling: Scaling, dtype: type, ones: bool) -> None:
    whole = flat_rows(STORED, scaling, np.dtype(dtype), ones)
    rows, make = rows_of_bytes(STORED, scaling, np.dtype(dtype), ones)
    assert rows.dtype == np.uint8
    of_members = np.array([[3, 49, 0], [7, 7, 12]])
    for some in (slice(0, 8), slice(49, 50), np.array([9, 2, 30]), of_members):
        np.testing.assert_array_equal(make(rows[some]), whole[some], strict=True)


def learner(bias: str) -> ExplicitLearner:
    model = numpy_mlp.build(input_shape=STORED.shape[1:], classes=3, seed=0, hidden_sizes=(4,), bias=bias)
    return ExplicitLearner(model, Sgd(), 0.1, SCALINGS["by channel"])


@pytest.mark.parametrize("bias", ["all", "input"])
@pytest.mark.parametrize("own", [False, True], ids=["shared rows", "rows of each member"])
@pytest.mark.parametrize("block_values", [1, 480, 2**16], ids=["a batch a block", "two batches", "all"])
def test_batches_of_bytes_are_those_of_numbers(
    bias: str, own: bool, block_values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BLOCK_VALUES", block_values)
    rows = np.random.default_rng(1).permutation(50)[:34].reshape(2, 17) if own else None
    split = Split(STORED, np.arange(50) % 3, ("a", "b", "c"), own=rows)
    kept, made = learner(bias).place(split), learner(bias).place(Split(STORED.astype(np.int16), *_rest(split)))
    assert kept.inputs.dtype == np.uint8
    assert made.ready is None
    for got, expected in (
        (batches.in_order(kept, 4), batches.in_order(made, 4)),
        (batches.shuffled(kept, 4, generators(own)), batches.shuffled(made, 4, generators(own))),
    ):
        _alike(list(got), list(expected))
    np.testing.assert_array_equal(kept.model_inputs(3, 9), made.model_inputs(3, 9), strict=True)
    np.testing.assert_array_equal(kept.model_inputs(), made.inputs, strict=True)


def generators(own: bool) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(2 if own else 1)]


def _rest(split: Split) -> tuple[Any, ...]:
    return split.targets, split.class_names, split.own


def _alike(got: list[Batch], expected: list[Batch]) -> None:
    assert len(got) == len(expected) > 1
    for one, other in zip(got, expected, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine, theirs, strict=True)
