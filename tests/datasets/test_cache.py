import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets.cache import FORMAT, fingerprint, prepared
from mlhw.datasets.npy import RowWriter
from mlhw.errors import DataError, OutputError
from tests.datasets.made import never


def small(offset: int = 0) -> Splits:
    inputs = (np.arange(12, dtype=np.uint8) + offset).reshape(3, 2, 2)
    split = Split(inputs, np.array([0, 1, 0]), ("a", "ö"))
    return Splits(split, test=split.first(2), skipped=("x: why",))


def test_what_is_prepared_comes_back_the_same_and_is_built_once(place: Place) -> None:
    first = prepared(place, "toy", {"a": 1}, lambda _: small())
    again = prepared(place, "toy", {"a": 1}, never("the cache is warm"))
    for splits in (first, again):
        assert splits.val is None
        assert splits.skipped == ("x: why",)
        assert splits.train.class_names == ("a", "ö")
        assert splits.train.targets.dtype == np.int64
        np.testing.assert_array_equal(splits.train.inputs, small().train.inputs)
        np.testing.assert_array_equal(splits.test.targets, [0, 1])


def test_other_settings_are_another_folder(place: Place) -> None:
    prepared(place, "toy", {"a": 1}, lambda _: small())
    other = prepared(place, "toy", {"a": 2}, lambda _: small(5))
    assert other.train.inputs[0, 0, 0] == 5


def test_the_origin_is_that_of_the_content_wherever_it_came_from(place: Place) -> None:
    first = prepared(place, "toy-8", {"files": "as unpacked once"}, lambda _: small())
    again = prepared(place, "toy-8", {"files": "as unpacked once more"}, lambda _: small())
    assert first.origin == again.origin
    assert first.origin.startswith("toy-8-")


def changed_pixel() -> Splits:
    splits = small()
    splits.test.inputs[1, 1, 1] += 1
    return splits


def test_the_origin_of_known_rows(place: Place) -> None:
    """Caches that are there hold it: whoever changes the hash raises FORMAT, and then this."""
    assert FORMAT == 4
    assert prepared(place, "toy", {}, lambda _: small()).origin == "toy-b95b8241ebf35da7"


OTHERS = {
    "a pixel": changed_pixel,
    "a target": lambda: replace(small(), test=replace(small().test, targets=np.array([0, 0]))),
    "a class's name": lambda: Splits(replace(small().train, class_names=("a", "o")), test=small().test),
    "a shape": lambda: Splits(replace(small().train, inputs=small().train.inputs.reshape(3, 4, 1)), test=small().test),
    "the splits' names": lambda: Splits(small().test, val=small().train),  # the same arrays in the same order
    "no test": lambda: Splits(small().train),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_content_is_another_origin(place: Place, what: str) -> None:
    first = prepared(place, "toy", {"files": 1}, lambda _: small())
    assert prepared(place, "toy", {"files": 2}, lambda _: OTHERS[what]()).origin != first.origin


def test_writing_to_loaded_inputs_never_reaches_the_file(place: Place) -> None:
    prepared(place, "toy", {}, lambda _: small()).train.inputs[:] = 99
    assert prepared(place, "toy", {}, never("the cache is warm")).train.inputs.max() == 11


@pytest.mark.parametrize("name", ["meta.json", "train-inputs.npy", "test-targets.npy"])
def test_a_damaged_folder_is_prepared_anew(place: Place, name: str) -> None:
    prepared(place, "toy", {}, lambda _: small())
    (file,) = Path(place.cache).glob(f"datasets/toy-*/{name}")
    file.write_bytes(file.read_bytes()[:-5])
    np.testing.assert_array_equal(prepared(place, "toy", {}, lambda _: small()).train.inputs, small().train.inputs)


def test_a_failed_build_leaves_nothing_and_keeps_its_own_error(place: Place) -> None:
    def build(folder: Path) -> Splits:
        (folder / "half.npy").write_bytes(b"half")
        raise DataError("bad source")

    with pytest.raises(DataError, match="bad source"):
        prepared(place, "toy", {}, build)
    assert [path.suffix for path in Path(place.cache, "datasets").iterdir()] in ([], [".lock"])
    assert len(prepared(place, "toy", {}, lambda _: small()).train) == 3


def test_a_cache_that_cannot_be_written_says_so_and_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="MLHW_CACHE"):
        prepared(Place(tmp_path, tmp_path / "file"), "toy", {}, lambda _: small())


def test_many_at_once_build_once(place: Place) -> None:
    builds: list[int] = []

    def build(_: Path) -> Splits:
        builds.append(1)
        return small()

    threads = [threading.Thread(target=prepared, args=(place, "toy", {}, build)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1


def test_a_fingerprint_tells_a_change_of_content_time_name_and_absence(tmp_path: Path) -> None:
    file = tmp_path / "a"
    seen = {fingerprint([file])}
    file.write_bytes(b"1")
    os.utime(file, ns=(1, 1))
    seen.add(fingerprint([file]))
    os.utime(file, ns=(2, 2))
    seen.add(fingerprint([file]))
    file.write_bytes(b"12")
    os.utime(file, ns=(2, 2))
    seen.add(fingerprint([file]))
    seen.add(fingerprint([file, file]))
    assert len(seen) == 5
    assert fingerprint([file]) == fingerprint([str(file)])


@pytest.mark.parametrize("rows", [0, 1, 12345])
def test_rows_written_one_by_one_are_the_array(tmp_path: Path, rows: int) -> None:
    array = np.random.default_rng(0).integers(0, 256, (rows, 2, 3), dtype=np.uint8)
    with RowWriter(tmp_path / "x.npy", (2, 3), np.uint8) as writer:
        for row in array:
            writer.append(row)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), array)


def test_a_row_of_another_shape_is_refused(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "x.npy", (2, 3), np.uint8) as writer, pytest.raises(ValueError, match="expected a row"):
        writer.append(np.zeros((3, 2), np.uint8))
