import os
from pathlib import Path

import numpy as np
import pytest

from mlhw.arrays import Place
from mlhw.datasets import folder
from mlhw.errors import DataError, DataMissing
from tests.datasets.made import never, picture

COLOURS = {"cat": 10, "dog": 120, "eel": 240}


def write_classes(root: Path, rows: int = 4, names: tuple[str, ...] = ("cat", "dog", "eel")) -> None:
    for name in names:
        for row in range(rows):
            picture(root / name / f"{row}.png", (COLOURS[name], 0, row))


def test_class_folders_become_sorted_classes(place: Place) -> None:
    write_classes(place.data / "pets")
    splits = folder.load(place, path="pets", image_size_pixels=4)
    assert (splits.val, splits.test) == (None, None)
    assert splits.train.class_names == ("cat", "dog", "eel")
    assert splits.train.targets.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert splits.train.inputs[:, 0, 0, 0].tolist() == [10] * 4 + [120] * 4 + [240] * 4
    assert splits.train.inputs[:, 0, 0, 2].tolist() == [0, 1, 2, 3] * 3


@pytest.mark.parametrize("val", ["val", "valid", "Validation"])
def test_split_folders_become_splits(place: Place, val: str) -> None:
    write_classes(place.data / "pets/train")
    write_classes(place.data / "pets" / val, 2)
    write_classes(place.data / "pets/test", 1, ("dog",))
    splits = folder.load(place, path="pets", image_size_pixels=4, channels=1, test_fraction=0.5)
    assert [len(split) for split in splits.named().values()] == [12, 6, 1]
    assert splits.train.inputs.shape == (12, 4, 4, 1)
    assert splits.test.targets.tolist() == [1]


def test_a_class_may_be_called_train(place: Place) -> None:
    for name in ("train", "plane"):
        picture(place.data / "toys" / name / "1.png")
    assert folder.load(place, path="toys", image_size_pixels=4).train.class_names == ("plane", "train")


def test_a_test_split_is_carved_class_by_class_where_there_is_none(place: Place) -> None:
    write_classes(place.data / "pets")
    splits = folder.load(place, path="pets", image_size_pixels=4, test_fraction=0.25)
    assert np.bincount(splits.test.targets).tolist() == [1, 1, 1]
    assert np.bincount(splits.train.targets).tolist() == [3, 3, 3]
    rows = [tuple(row) for split in (splits.train, splits.test) for row in split.inputs[:, 0, 0].tolist()]
    assert len(set(rows)) == 12


def test_a_relative_path_starts_at_the_current_folder_then_at_the_data(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_classes(place.data / "pets", 1)
    write_classes(tmp_path / "here/pets", 2)
    assert len(folder.load(place, path="pets", image_size_pixels=4).train) == 3
    monkeypatch.chdir(tmp_path / "here")
    assert len(folder.load(place, path="pets", image_size_pixels=4).train) == 6


def test_what_is_no_picture_by_name_is_passed_over_and_what_is_by_name_alone_is_bad(place: Place) -> None:
    write_classes(place.data / "pets", 1)
    for name in ("notes.txt", ".DS_Store", "Thumbs.db", ".hidden.png"):
        (place.data / "pets/cat" / name).write_text("text")
    (place.data / "pets/.git").mkdir()
    assert len(folder.load(place, path="pets", image_size_pixels=4).train) == 3
    bad = place.data / "pets/dog/text.JPG"
    bad.write_text("text")
    with pytest.raises(DataError, match=r"text\.JPG: not a picture"):
        folder.load(place, path="pets", image_size_pixels=4)
    splits = folder.load(place, path="pets", image_size_pixels=4, skip_bad=True)
    assert (len(splits.train), len(splits.skipped)) == (3, 1)


def test_a_class_that_train_has_not_is_an_error_with_its_folder(place: Place) -> None:
    write_classes(place.data / "pets/train", 1, ("cat", "dog"))
    write_classes(place.data / "pets/test", 1)
    with pytest.raises(DataError) as caught:
        folder.load(place, path="pets")
    assert str(place.data / "pets/test/eel") in str(caught.value)
    assert "cat, dog" in str(caught.value)


def test_an_empty_class_is_an_error(place: Place) -> None:
    write_classes(place.data / "pets", 1)
    (place.data / "pets/axolotl").mkdir()
    with pytest.raises(DataError, match=r"axolotl: no pictures"):
        folder.load(place, path="pets")


def test_a_folder_of_the_wrong_level_says_which_one_is_meant(place: Place) -> None:
    write_classes(place.data / "pets", 1)
    with pytest.raises(DataError, match="at least two class folders"):
        folder.load(place, path="pets/cat")
    with pytest.raises(DataError, match="got a file"):
        folder.load(place, path="pets/cat/0.png")


def test_no_such_folder_names_both_places(place: Place) -> None:
    with pytest.raises(DataMissing) as caught:
        folder.load(place, path="nowhere")
    assert str(place.data / "nowhere") in str(caught.value)
    assert str(Path.cwd() / "nowhere") in str(caught.value)


def test_the_second_load_decodes_nothing_and_a_new_picture_is_seen(place: Place, monkeypatch) -> None:
    write_classes(place.data / "pets", 1)
    folder.load(place, path="pets", image_size_pixels=4)
    with monkeypatch.context() as patch:
        patch.setattr(folder, "decode_splits", never("the cache is warm"))
        folder.load(place, path="pets", image_size_pixels=4)
    picture(place.data / "pets/cat/9.png")
    assert len(folder.load(place, path="pets", image_size_pixels=4).train) == 4


def test_the_same_pictures_unpacked_once_more_are_the_same_data(place: Place) -> None:
    write_classes(place.data / "pets")
    first = folder.load(place, path="pets", image_size_pixels=4)
    for file in (place.data / "pets").rglob("*.png"):
        os.utime(file, ns=(0, 0))
    (place.data / "pets").rename(place.data / "animals")
    again = folder.load(place, path="animals", image_size_pixels=4)
    assert again.origin.rpartition("-")[2] == first.origin.rpartition("-")[2]
    assert folder.load(place, path="animals", image_size_pixels=5).origin != again.origin
