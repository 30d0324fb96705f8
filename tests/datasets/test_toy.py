"""The toy sets: taken from the course's files where they are there, prepared once, and as those are written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlhw.arrays import Place
from mlhw.datasets import toy
from mlhw.errors import DataMissing
from tests.datasets.made import never
from tests.datasets.toy_files import NAMES, REFERENCES, SIZES, matrices, nearest_neighbours, put

# --- which source -----------------------------------------------------------------------------------------------------


def test_auto_takes_the_file_where_there_is_one_and_else_generates_and_the_origin_says_which(place: Place) -> None:
    made = toy.load_swissroll(place)
    assert toy.is_generated(made)
    assert made.origin.startswith("swissroll-generated-")
    put(place, matrices("swissroll"), "swissroll")
    read = toy.load_swissroll(place)
    assert (len(read.train), toy.is_generated(read)) == (30, False)
    assert toy.load_swissroll(place, source="mat").origin == read.origin
    assert toy.load_swissroll(place, source="generated").origin == made.origin


def test_mat_without_a_file_says_where_it_belongs(place: Place) -> None:
    with pytest.raises(DataMissing, match=r"GMMData\.mat\. .*MLHW_DATA.*data\.source: generated"):
        toy.load_gmm(place, source="mat")


def test_what_is_prepared_is_not_made_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first = toy.load_swissroll(place)
    monkeypatch.setattr(toy, "_generated", never("the cache is warm"))
    np.testing.assert_array_equal(toy.load_swissroll(place).train.inputs, first.train.inputs)


def test_a_changed_file_is_read_anew(place: Place) -> None:
    first = put(place, matrices())
    before = toy.load_peaks(place)
    put(place, matrices(train=31))
    assert first.is_file()
    assert (len(before.train), len(toy.load_peaks(place).train)) == (30, 31)


@pytest.mark.parametrize("name", NAMES)
def test_the_course_s_files_are_as_written_down(name: str, real_data: Path, tmp_path: Path) -> None:
    if not (real_data / toy.FOLDER).is_dir():
        pytest.skip("no toy2d in MLHW_DATA")
    splits = toy.load(Place(real_data, tmp_path), problem=name, source="mat")
    assert splits.val is not None
    rows, held_out, features, classes = SIZES[name]
    assert (splits.train.inputs.shape, len(splits.val)) == ((rows, features), held_out)
    assert set(np.unique(splits.train.targets)) == set(range(classes))
    assert nearest_neighbours(splits, 31) == pytest.approx(REFERENCES[name][0], abs=0.0006)
