"""Batches are the rows that their order names, however many are gathered at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mlhw.arrays import Split
from mlhw.training import batches


def split_of(rows: int, width: int, kind: str) -> Split:
    inputs: Any = np.arange(rows * width, dtype=np.float64).reshape(rows, width)
    targets: Any = np.arange(rows) % 3
    if kind == "torch":
        inputs, targets = torch.from_numpy(inputs), torch.from_numpy(targets)
    return Split(inputs, targets, ("a", "b", "c"))


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize(
    ("rows", "width", "batch_rows"),
    [(50, 4, 8), (50, batches.BLOCK_VALUES // 20, 8), (50, batches.BLOCK_VALUES // 20, 32), (7, 4, 8), (16, 4, 8)],
    ids=["one block", "several blocks", "a batch a block", "less than a batch", "none left over"],
)
def test_a_shuffled_epoch_has_every_row_once_in_the_order_drawn(
    kind: str, rows: int, width: int, batch_rows: int
) -> None:
    split = split_of(rows, width, kind)
    found = list(batches.shuffled(split, batch_rows, [np.random.default_rng(5)]))
    order = np.random.default_rng(5).permutation(rows)
    assert [len(batch.targets) for batch in found] == [
        min(batch_rows, rows - start) for start in range(0, rows, batch_rows)
    ]
    np.testing.assert_array_equal(np.concatenate([np.asarray(batch.rows) for batch in found]), order)
    for batch in found:
        np.testing.assert_array_equal(np.asarray(batch.inputs), np.asarray(split.inputs)[np.asarray(batch.rows)])
        np.testing.assert_array_equal(np.asarray(batch.targets), np.asarray(split.targets)[np.asarray(batch.rows)])
