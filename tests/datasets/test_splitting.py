from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlhw.arrays import Split
from mlhw.datasets.splitting import carve, draw
from mlhw.errors import DataError

fractions = st.floats(0.01, 0.99)
seeds = st.integers(0, 2**32)


def of(targets: list[int]) -> Split:
    return Split(np.arange(len(targets)), np.array(targets), ("a", "b", "c", "d"))


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), fractions, seeds, st.booleans())
def test_both_parts_together_are_the_split_in_its_order(
    targets: list[int], fraction: float, seed: int, stratified: bool
) -> None:
    kept, carved = carve(of(targets), fraction, seed, stratified)
    assert len(kept) >= 1
    assert len(carved) == min(max(round(len(targets) * fraction), 1), len(targets) - 1)
    assert sorted([*kept.inputs, *carved.inputs]) == list(range(len(targets)))
    for part in (kept, carved):
        assert (np.diff(part.inputs) > 0).all()
        np.testing.assert_array_equal(part.targets, np.array(targets)[part.inputs])


@given(st.lists(st.integers(1, 30), min_size=2, max_size=4), fractions, seeds)
@example([2, 30], 0.9, 0)  # the nearest share of the first class would be all of it
@example([2, 2, 2, 30], 0.88, 0)  # and here the large class gives more than its share
def test_each_class_gives_its_share_to_within_one_and_keeps_one(sizes: list[int], fraction: float, seed: int) -> None:
    targets = [name for name, size in enumerate(sizes) for _ in range(size)]
    kept, carved = carve(of(targets), fraction, seed)
    share = len(carved) / len(targets)
    got = np.bincount(carved.targets, minlength=len(sizes))
    possible = len(carved) <= sum(size - 1 for size in sizes)
    if possible:
        assert (np.bincount(kept.targets, minlength=len(sizes)) >= 1).all()
    if possible and all(share * size <= size - 1 for size in sizes):
        assert (np.abs(got - share * np.array(sizes)) <= 1 + 1e-9).all()


def test_the_seed_decides_and_the_global_generator_does_not() -> None:
    split = of([0, 1] * 50)
    first = carve(split, 0.3, 7)[1].inputs
    np.random.seed(123)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(first, carve(split, 0.3, 7)[1].inputs)
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002
    assert not np.array_equal(first, carve(split, 0.3, 8)[1].inputs)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 130), seeds)
def test_drawn_rows_are_as_many_as_asked_in_their_order_and_each_class_in_its_share(
    sizes: list[int], rows: int, seed: int
) -> None:
    targets = [name for name, size in enumerate(sizes) for _ in range(size)]
    drawn = draw(of(targets), rows, seed)
    assert len(drawn) == min(rows, len(targets))
    assert (np.diff(drawn.inputs) > 0).all()
    np.testing.assert_array_equal(drawn.targets, np.array(targets)[drawn.inputs])
    share = len(drawn) / len(targets)
    if all(share * size <= size - 1 for size in sizes):
        got = np.bincount(drawn.targets, minlength=len(sizes))
        assert (np.abs(got - share * np.array(sizes)) <= 1 + 1e-9).all()


def test_draws_of_one_seed_are_equal_of_others_differ_and_none_is_the_carving_of_that_seed() -> None:
    split = of([0, 1] * 500)
    first = draw(split, 100, 7).inputs
    np.testing.assert_array_equal(first, draw(split, 100, 7).inputs)
    assert len(np.intersect1d(first, draw(split, 100, 8).inputs)) < 50
    assert len(np.intersect1d(first, carve(split, 0.1, 7)[1].inputs)) < 50


def test_classes_of_one_row_fall_back_to_a_plain_draw() -> None:
    kept, carved = carve(of([0, 1, 2, 3]), 0.5, 0)
    assert (len(kept), len(carved)) == (2, 2)


def test_memory_mapped_inputs_become_plain_arrays_of_their_own(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(40, dtype=np.uint8).reshape(10, 4))
    inputs = np.load(tmp_path / "x.npy", mmap_mode="c")
    kept, carved = carve(Split(inputs, np.arange(10) % 2, ("a", "b")), 0.2, 0)
    assert type(kept.inputs) is np.ndarray
    assert not np.shares_memory(kept.inputs, inputs)
    assert len(carved.inputs) == 2


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_rows_are_an_error(rows: int) -> None:
    with pytest.raises(DataError, match="two"):
        carve(of([0] * rows), 0.5, 0)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1])
def test_a_fraction_outside_is_a_mistake_of_the_caller(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        carve(of([0, 1]), fraction, 0)
