import os
from pathlib import Path

import numpy as np
import pytest

from mlhw.arrays import Place
from mlhw.datasets import grocery
from mlhw.errors import DataError, DataMissing
from tests.datasets.made import GROCERY_LISTS, never, write_grocery

PLACES = ["GroceryStoreDataset/dataset", "GroceryStoreDataset", "GroceryStoreDataset-master/dataset", "grocery", "."]


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("labels", ["coarse", "fine"])
def test_rows_are_those_of_the_lists_in_their_order(place: Place, where: str, labels: str) -> None:
    write_grocery(place.data / where)
    splits = grocery.load(place, labels=labels, image_size_pixels=8)
    for name, split in splits.named().items():
        lines = GROCERY_LISTS[name]
        assert split.inputs.shape == (len(lines), 8, 8, 3)
        assert split.targets.tolist() == [line[1 if labels == "fine" else 2] for line in lines]
        reds = split.inputs[:, 4, 4, 0].astype(int)
        assert np.abs(reds - 60 * np.arange(len(lines))).max() <= 4
    assert splits.train.class_names == (("Pink-Lady", "Royal-Gala", "Lime") if labels == "fine" else ("Apple", "Lime"))


def test_the_second_load_decodes_nothing_and_a_changed_picture_is_seen(place: Place, monkeypatch) -> None:
    folder = write_grocery(place.data / PLACES[0])
    grocery.load(place, image_size_pixels=8)
    with monkeypatch.context() as patch:
        patch.setattr(grocery, "decode_splits", never("the cache is warm"))
        grocery.load(place, image_size_pixels=8)
    os.utime(folder / GROCERY_LISTS["val"][0][0], ns=(1, 1))
    built: list[int] = []
    decode = grocery.decode_splits
    monkeypatch.setattr(grocery, "decode_splits", lambda *args, **more: built.append(1) or decode(*args, **more))
    grocery.load(place, image_size_pixels=8)
    assert built == [1]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("train/Lime/1.jpg, 2", "expected `path, fine class, coarse class`"),
        ("train/Lime/1.jpg", "expected `path, fine class, coarse class`"),
        (", 2, 1", "expected `path, fine class, coarse class`"),
        ("train/Lime/1.jpg, two, 1", "fine class must be a whole number from 0 to 2, got 'two'"),
        ("train/Lime/1.jpg, 3, 1", "fine class must be a whole number from 0 to 2, got '3'"),
        ("train/Lime/1.jpg, 2, -1", "coarse class must be a whole number from 0 to 1, got '-1'"),
        ("train/Lime/1.jpg, 2, ²", "coarse class must be a whole number"),
        ("../outside.jpg, 2, 1", "must stay inside"),
        ("train/../../outside.jpg, 2, 1", "must stay inside"),
        ("/etc/passwd, 2, 1", "must stay inside"),
        ("C:\\pictures\\1.jpg, 2, 1", "must stay inside"),
        ("..\\outside.jpg, 2, 1", "must stay inside"),
    ],
)
def test_a_bad_line_is_named_with_its_list_and_number(place: Place, line: str, says: str) -> None:
    folder = write_grocery(place.data / PLACES[0])
    with (folder / "test.txt").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(DataError) as caught:
        grocery.load(place, image_size_pixels=8)
    assert f"{folder / 'test.txt'}, line 4" in str(caught.value)
    assert says in str(caught.value)


def test_a_missing_picture_is_named_with_its_line_or_skipped(place: Place) -> None:
    folder = write_grocery(place.data / PLACES[0])
    gone = folder / GROCERY_LISTS["train"][1][0]
    gone.unlink()
    with pytest.raises(DataError) as caught:
        grocery.load(place, image_size_pixels=8)
    assert f"{gone} (train.txt line 2): no such file" in str(caught.value)
    splits = grocery.load(place, image_size_pixels=8, skip_bad=True)
    assert splits.train.targets.tolist() == [0, 0]
    assert splits.skipped == (f"{gone} (train.txt line 2): no such file",)


def test_coarse_names_that_repeat_are_told_apart(place: Place) -> None:
    folder = write_grocery(place.data / PLACES[0])
    table = folder / "classes.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("Lime,1", "Apple,1"), encoding="utf-8")
    assert grocery.load(place, image_size_pixels=8).train.class_names == ("Apple (0)", "Apple (1)")


def test_without_classes_csv_the_ids_are_the_names(place: Place) -> None:
    (write_grocery(place.data / PLACES[0]) / "classes.csv").unlink()
    assert grocery.load(place, image_size_pixels=8).train.class_names == ("0", "1")
    assert grocery.load(place, image_size_pixels=8, labels="fine").train.class_names == ("0", "1", "2")


def test_lists_may_begin_with_a_byte_order_mark_and_end_lines_as_windows_does(place: Place) -> None:
    folder = write_grocery(place.data / PLACES[0])
    for file in (*folder.glob("*.txt"), folder / "classes.csv"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert grocery.load(place, image_size_pixels=8).train.targets.tolist() == [0, 1, 0]


def test_missing_lists_are_named_with_the_command_and_the_variable(place: Place) -> None:
    with pytest.raises(DataMissing, match=r"mlhw data fetch grocery.*MLHW_DATA"):
        grocery.load(place)
    (write_grocery(place.data / PLACES[0]) / "val.txt").unlink()
    with pytest.raises(DataMissing, match=r"val.txt"):
        grocery.load(place)


def test_the_real_lists(real_data: Path, tmp_path: Path) -> None:
    place = Place(real_data, tmp_path)
    splits = grocery.load(place, image_size_pixels=16)
    assert [len(split) for split in splits.named().values()] == [2640, 296, 2485]
    assert len(splits.train.class_names) == len(set(splits.train.class_names)) == 43
    assert (splits.train.class_names[0], splits.train.class_names[42]) == ("Apple", "Zucchini")
    assert splits.skipped == ()
    fine = grocery.load(place, image_size_pixels=16, labels="fine")
    assert len(fine.train.class_names) == 81
    np.testing.assert_array_equal(fine.test.inputs, splits.test.inputs)
