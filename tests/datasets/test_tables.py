from pathlib import Path

import numpy as np
import pytest

from mlhw.arrays import Place
from mlhw.datasets import labels, lists, pixels, tables
from mlhw.errors import DataError, DataMissing
from tests.datasets.made import picture


def csv(place: Place, name: str, text: str) -> str:
    (place.data / name).parent.mkdir(exist_ok=True)
    (place.data / name).write_text(text, encoding="utf-8")
    return name


def pictures(place: Place, number: int = 6) -> None:
    for row in range(number):
        picture(place.data / f"list/p/{row}.png", (row * 30, 0, 0))


@pytest.mark.parametrize("head", ["", "path,label\n", "\ufeffPath,Label\r\n"])
def test_pictures_come_in_the_order_of_the_list(place: Place, head: str) -> None:
    pictures(place)
    name = csv(place, "list/train.csv", f"{head}p/2.png,dog\n\np/0.png,cat\np/1.png, dog\n")
    splits = tables.load_images(place, train=name, image_size_pixels=4)
    assert splits.train.class_names == ("cat", "dog")
    assert splits.train.targets.tolist() == [1, 0, 1]
    assert splits.train.inputs[:, 0, 0, 0].tolist() == [60, 0, 30]


def test_a_header_may_have_other_columns_in_any_order(place: Place) -> None:
    pictures(place)
    name = csv(place, "list/train.csv", "id,class,file\n7,b,p/1.png\n8,a,p/0.png\n")
    splits = tables.load_images(place, train=name, image_size_pixels=4)
    assert splits.train.targets.tolist() == [1, 0]
    assert splits.train.inputs[:, 0, 0, 0].tolist() == [30, 0]


def test_val_test_and_carving(place: Place) -> None:
    pictures(place)
    train = csv(place, "list/train.csv", "".join(f"p/{row}.png,{row % 2}\n" for row in range(6)))
    val = csv(place, "list/val.csv", "p/0.png,1\n")
    splits = tables.load_images(place, train=train, val=val, image_size_pixels=4, test_fraction=0.34, channels=1)
    assert [len(split) for split in splits.named().values()] == [4, 1, 2]
    assert np.bincount(splits.test.targets).tolist() == [1, 1]
    with_test = tables.load_images(place, train=train, test=val, image_size_pixels=4, test_fraction=0.34)
    assert [len(split) for split in with_test.named().values()] == [6, 1]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("p/0.png,a\np/1.png\n", 2, "expected 2 fields"),
        ("p/0.png,a\np/1.png,a,b\n", 2, "expected 2 fields"),
        ("path,label\np/0.png,\n", 2, "label is empty"),
        ("path,label\n,a\n", 2, "path is empty"),
    ],
)
def test_a_bad_line_of_a_list_is_named(place: Place, text: str, line: int, says: str) -> None:
    pictures(place)
    with pytest.raises(DataError) as caught:
        tables.load_images(place, train=csv(place, "list/train.csv", text))
    assert f"train.csv, line {line}: " in str(caught.value)
    assert says in str(caught.value)


def test_a_label_that_train_has_not_is_named_with_its_line(place: Place) -> None:
    pictures(place)
    train = csv(place, "list/train.csv", "p/0.png,cat\np/1.png,dog\n")
    val = csv(place, "list/val.csv", "path,label\np/0.png,cat\np/1.png,dogg\n")
    with pytest.raises(DataError, match=r"val\.csv, line 3: 'dogg'.*Did you mean dog"):
        tables.load_images(place, train=train, val=val)


def test_a_missing_picture_is_named_with_its_line_and_may_be_skipped(place: Place) -> None:
    pictures(place)
    train = csv(place, "list/train.csv", "p/0.png,a\np/no.png,b\n")
    with pytest.raises(DataError, match=r"no\.png \(train\.csv line 2\): no such file"):
        tables.load_images(place, train=train, image_size_pixels=4)
    assert len(tables.load_images(place, train=train, image_size_pixels=4, skip_bad=True).train) == 1


def test_missing_and_empty_csvs(place: Place) -> None:
    with pytest.raises(DataMissing, match=r"data\.train"):
        tables.load_images(place, train="no.csv")
    for load in (tables.load_images, tables.load_pixels):
        with pytest.raises(DataError, match=r"names no picture|empty"):
            load(place, train=csv(place, "empty.csv", ""))
        with pytest.raises(DataError, match="folder"):
            load(place, train=".")


def test_whole_numbers_are_bytes_and_others_floats_in_every_split(place: Place) -> None:
    whole = csv(place, "a.csv", "3,0,255,7\n5,1,2,3\n")
    split = tables.load_pixels(place, train=whole).train
    assert (split.inputs.dtype, split.inputs.tolist()) == (np.uint8, [[0, 255, 7], [1, 2, 3]])
    assert (split.class_names, split.targets.tolist()) == (("3", "5"), [0, 1])
    for text in ("3,0,256,7\n", "3,0,-1,7\n", "3,0,0.5,7\n"):
        splits = tables.load_pixels(place, train=whole, val=csv(place, "b.csv", text))
        assert splits.train.inputs.dtype == splits.val.inputs.dtype == np.float32
        assert splits.val.inputs.tolist() == [[float(field) for field in text.split(",")[1:]]]


@pytest.mark.parametrize(
    "text",
    [
        "dog,1,2\ncat,3,4\n",
        "label,a,b\ndog,1,2\ncat,3,4\n",
        "a,LABEL,b\n1,dog,2\n3,cat,4\n",
        "name,a,b\ndog,1,2\ncat,3,4\n",
    ],
)
def test_the_label_is_the_column_of_that_name_else_the_first(place: Place, text: str) -> None:
    split = tables.load_pixels(place, train=csv(place, "a.csv", text)).train
    assert split.inputs.tolist() == [[1, 2], [3, 4]]
    assert [split.class_names[index] for index in split.targets] == ["dog", "cat"]


def test_rows_become_images(place: Place) -> None:
    name = csv(place, "a.csv", "0," + ",".join(map(str, range(12))) + "\n")
    split = tables.load_pixels(place, train=name, image_shape=(2, 2, 3)).train
    np.testing.assert_array_equal(split.inputs, np.arange(12).reshape(1, 2, 2, 3))
    with pytest.raises(DataError, match=r"3×3×1 takes 9 numbers a line besides the label, got 12"):
        tables.load_pixels(place, train=name, image_shape=(3, 3, 1))


def test_many_rows_are_read_in_pieces(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (50, 4))
    values[33, 2] = 300  # in a late piece: the early ones must follow
    text = "".join(f"{row % 3}," + ",".join(map(str, line)) + "\n" for row, line in enumerate(values))
    name = csv(place, "a.csv", text)
    monkeypatch.setattr("mlhw.datasets.pixels.CHUNK_ROWS", 7)
    np.testing.assert_array_equal(tables.load_pixels(place, train=name).train.inputs, values)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("label,a,b\n1,2,3\n1,2\n", 3, "expected 3 fields"),
        ("1,2,3\n1,2,3,4\n", 2, "expected 3 fields"),
        ("1,2,3\n\n1,x,3\n", 3, "field 2: expected a finite number, got 'x'"),
        ("1,2,3\n1,,3\n", 2, "field 2: expected a finite number, got ''"),
        ("1,2,3\n1,nan,3\n", 2, "got 'nan'"),
        ("1,2,3\n1,inf,3\n", 2, "got 'inf'"),
        ("1,2,3\n1,1e300,3\n", 2, "got '1e300'"),
        ("1,2,3\n,2,3\n", 2, "the label (field 1) is empty"),
        ("1,2,x\n1,2,3\n", 1, "field 3: expected a finite number"),
        ("1,2,3\n1,True,3\n", 2, "got 'True'"),
    ],
)
def test_a_bad_row_is_named_with_its_line(place: Place, text: str, line: int, says: str) -> None:
    with pytest.raises(DataError) as caught:
        tables.load_pixels(place, train=csv(place, "a.csv", text))
    assert f"a.csv, line {line}" in str(caught.value)
    assert says in str(caught.value)


def test_splits_must_be_as_wide_as_train_and_have_its_classes(place: Place) -> None:
    train = csv(place, "a.csv", "1,2,3\n2,2,3\n")
    with pytest.raises(DataError, match=r"b\.csv: 3 numbers a line.*a\.csv has 2"):
        tables.load_pixels(place, train=train, val=csv(place, "b.csv", "1,2,3,4\n"))
    with pytest.raises(DataError, match=r"c\.csv, line 3: '9' is none"):
        tables.load_pixels(place, train=train, test=csv(place, "c.csv", "label,a,b\n1,2,3\n9,2,3\n"))


def test_what_is_no_text_says_so(place: Place) -> None:
    (place.data / "a.csv").write_bytes(b"1,2\n\xff\xfe,3\n")
    with pytest.raises(DataError, match=r"a\.csv"):
        tables.load_pixels(place, train="a.csv")


def test_labels_are_ordered_by_value_or_by_the_alphabet() -> None:
    assert labels.names_of(["10", "9", "2.0", "02"]) == ("2", "9", "10")
    assert labels.names_of(["b", " a", "10"]) == ("10", "a", "b")
    assert labels.indices(["2.0", "10"], ("2", "9", "10"), str).tolist() == [0, 2]


def test_a_csv_is_told_to_be_of_pictures_or_of_pixels(place: Place, tmp_path: Path) -> None:
    for text, of_pictures in (
        ("p/1.png,3\n", True),
        ("path,label\n", True),
        ("1,2,3\n", False),
        ("label,a\n1,2\n", False),
    ):
        csv(place, "a.csv", text)
        assert lists.names_pictures(place.data / "a.csv") is of_pictures
    csv(place, "a.csv", ",".join(["1"] * 785))
    assert pixels.square_shape(place.data / "a.csv") == (28, 28, 1)
    csv(place, "a.csv", ",".join(["1"] * 13))
    assert pixels.square_shape(place.data / "a.csv") == (2, 2, 3)
