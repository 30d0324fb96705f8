"""Rows of a split that are too many for memory are the rows that a copy in memory has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets import subset as module
from mlhw.datasets.cache import prepared
from mlhw.datasets.subset import joined, subset

ROWS = np.array([7, 0, 3, 4])


def a_prepared_set(place: Place, shift: int) -> Splits:
    pictures = np.arange(8 * 2 * 2 * 3, dtype=np.uint8).reshape(8, 2, 2, 3) + np.uint8(shift)
    whole = Splits(Split(pictures, np.arange(8), ("a", "b")))
    return prepared(place, "made", {"shift": shift}, lambda folder: whole)


@pytest.mark.parametrize("most_bytes", [0, 2**28])
def test_the_rows_are_those_of_the_split_in_the_order_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_bytes: int
) -> None:
    monkeypatch.setattr(module, "MEMORY_BYTES", most_bytes)
    place = Place(tmp_path, tmp_path / "cache")
    for shift in (0, 100):  # another source with the same rows has a file of its own
        whole = a_prepared_set(place, shift)
        found = subset(place, whole.train, ROWS, whole.origin)
        assert isinstance(found.inputs, np.memmap) == (most_bytes == 0)
        assert np.array_equal(found.inputs, np.asarray(whole.train.inputs)[ROWS])
        assert found.inputs.dtype == np.uint8
        assert found.targets.tolist() == ROWS.tolist()
        assert found.class_names == ("a", "b")
        other = subset(place, whole.train, ROWS[::-1], whole.origin)
        assert other.targets.tolist() == ROWS[::-1].tolist()
    assert len(list((tmp_path / "cache" / "datasets").glob("rows-*.lock"))) == (4 if most_bytes == 0 else 0)


@pytest.mark.parametrize("most_bytes", [0, 2**28])
def test_joined_are_train_s_rows_and_then_val_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_bytes: int
) -> None:
    monkeypatch.setattr(module, "MEMORY_BYTES", most_bytes)
    place = Place(tmp_path, tmp_path / "cache")
    rng = np.random.default_rng(0)
    train, val, test = (
        Split(rng.integers(0, 256, (rows, 2, 2, 3), dtype=np.uint8), np.arange(rows) % 2, ("a", "b"))
        for rows in (8, 3, 2)
    )
    whole = prepared(place, "made", {}, lambda folder: Splits(train, val, test))
    both = joined(place, whole)
    assert both.val is None
    assert np.array_equal(both.train.inputs, np.concatenate([train.inputs, val.inputs]))
    assert both.train.targets.tolist() == [*train.targets, *val.targets]
    assert isinstance(both.train.inputs, np.memmap) == (most_bytes == 0)
    assert both.test is not None
    assert np.array_equal(both.test.inputs, test.inputs)
    # Rows of it are not taken for rows of train alone, whose positions are the same.
    for source in (both, whole):
        some = subset(place, source.train, np.array([2, 1]), source.origin)
        assert np.array_equal(some.inputs, train.inputs[[2, 1]])
    assert both.origin != whole.origin
