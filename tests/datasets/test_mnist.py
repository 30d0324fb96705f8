import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlhw.arrays import Place, Splits
from mlhw.datasets import mnist
from mlhw.errors import DataError, DataMissing
from tests.datasets.made import IDX_NAMES, idx, write_mnist

LOADERS = {"MNIST": mnist.load, "FashionMNIST": mnist.load_fashion}


def assert_holds(splits: Splits, arrays: list[np.ndarray]) -> None:
    assert splits.val is None
    for split, images, labels in ((splits.train, *arrays[:2]), (splits.test, *arrays[2:])):
        assert split.inputs.dtype == np.uint8
        assert split.targets.dtype == np.int64
        np.testing.assert_array_equal(split.inputs, images[..., np.newaxis])
        np.testing.assert_array_equal(split.targets, labels)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("kind", LOADERS)
def test_idx_files_come_back_as_they_were_written(place: Place, kind: str, packed: bool) -> None:
    arrays = write_mnist(place.data, kind, packed)
    before = sorted(place.data.rglob("*"))
    assert_holds(LOADERS[kind](place), arrays)
    assert sorted(place.data.rglob("*")) == before  # nothing is written beside the data


def test_plain_and_packed_files_mix(place: Place) -> None:
    arrays = write_mnist(place.data)
    plain = place.data / "MNIST/raw" / IDX_NAMES[0]
    plain.with_name(f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert_holds(mnist.load(place), arrays)


def test_class_names(place: Place) -> None:
    write_mnist(place.data)
    write_mnist(place.data, "FashionMNIST")
    assert mnist.load(place).train.class_names == tuple("0123456789")
    assert mnist.load_fashion(place).train.class_names[::9] == ("T-shirt/top", "Ankle boot")


@pytest.mark.parametrize("header", [False, True])
def test_csvs_stand_in_for_idx_files(place: Place, header: bool) -> None:
    arrays = write_mnist(place.data)
    for name, images, labels in (("train", *arrays[:2]), ("test", *arrays[2:])):
        lines = [",".join(map(str, [label, *image.ravel()])) for image, label in zip(images, labels, strict=True)]
        if header:
            lines.insert(0, ",".join(["label", *(f"pixel{number}" for number in range(784))]))
        (place.data / f"MNIST/mnist_{name}.csv").write_text("\n".join(lines) + "\n")
    assert_holds(mnist.load(place, source="csv"), arrays)
    (place.data / "MNIST/raw" / IDX_NAMES[3]).unlink()
    assert_holds(mnist.load(place), arrays)  # auto: the IDX files are not complete
    with pytest.raises(DataMissing, match=IDX_NAMES[3]):
        mnist.load(place, source="idx")


def test_missing_files_are_named_with_folder_command_and_variable(place: Place) -> None:
    write_mnist(place.data)
    (place.data / "MNIST/raw" / IDX_NAMES[2]).unlink()
    with pytest.raises(DataMissing) as caught:
        mnist.load(place)
    text = str(caught.value)
    assert caught.value.exit_code == 3
    for part in (IDX_NAMES[2], str(place.data / "MNIST" / "raw"), "mlhw data fetch mnist", "MLHW_DATA"):
        assert part in text
    assert IDX_NAMES[0] not in text


def test_missing_csvs_are_named(place: Place) -> None:
    with pytest.raises(DataMissing, match=r"mnist_train.csv, mnist_test.csv"):
        mnist.load(place, source="csv")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_a_cut_file_is_named_with_bytes_expected_and_got(place: Place, packed: bool) -> None:
    arrays = write_mnist(place.data, packed=packed)
    whole = idx(arrays[0])
    file = place.data / "MNIST/raw" / (IDX_NAMES[0] + (".gz" if packed else ""))
    file.write_bytes(gzip.compress(whole[:-100]) if packed else whole[:-100])
    with pytest.raises(DataError) as caught:
        mnist.load(place)
    for part in (str(file), str(len(whole)), str(len(whole) - 100), "mlhw data fetch mnist", "40×28×28"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "got 0 bytes"),
        (b"<!DOCTYPE html><html>", "not an IDX file"),
        (idx(np.zeros((40, 28, 28), np.uint8)) + b"x", "got 31377 bytes"),
        (idx(np.zeros((40, 27, 28), np.uint8)), "27×28"),
        (idx(np.zeros((39, 28, 28), np.uint8)), "39 images"),
    ],
)
def test_a_garbled_image_file_says_what_is_wrong(place: Place, content: bytes, says: str) -> None:
    write_mnist(place.data)
    file = place.data / "MNIST/raw" / IDX_NAMES[0]
    file.write_bytes(content)
    with pytest.raises(DataError, match=says) as caught:
        mnist.load(place)
    assert str(file) in str(caught.value)


def test_a_packed_file_that_is_no_gzip_or_is_cut_off_says_so(place: Place) -> None:
    write_mnist(place.data, packed=True)
    file = place.data / "MNIST/raw" / f"{IDX_NAMES[1]}.gz"
    for content in (file.read_bytes()[:-9], b"no gzip at all"):
        file.write_bytes(content)
        with pytest.raises(DataError, match="damaged or cut off"):
            mnist.load(place)


def test_a_label_above_nine_is_an_error(place: Place) -> None:
    write_mnist(place.data)
    file = place.data / "MNIST/raw" / IDX_NAMES[3]
    file.write_bytes(file.read_bytes()[:-1] + b"\x0a")
    with pytest.raises(DataError, match=r"label 10 of row 12"):
        mnist.load(place)


def test_a_warm_load_imports_no_torchvision(place: Place) -> None:
    write_mnist(place.data)
    mnist.load(place)
    code = (
        "import sys; from pathlib import Path; from mlhw.arrays import Place; from mlhw.datasets import mnist;"
        "mnist.load(Place(Path(sys.argv[1]), Path(sys.argv[2])));"
        "print(sorted({'torch', 'torchvision', 'PIL', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    arguments = [sys.executable, "-c", code, str(place.data), str(place.cache)]
    warm = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert warm.stdout.strip() == "[]"
    cold = subprocess.run([*arguments[:-1], f"{place.cache}-2"], capture_output=True, text=True, check=True)
    assert "torchvision" in cold.stdout  # so the check above can fail


def test_the_real_files(real_data: Path, tmp_path: Path) -> None:
    splits = mnist.load(Place(real_data, tmp_path))
    assert splits.train.inputs.shape == (60000, 28, 28, 1)
    assert splits.test.inputs.shape == (10000, 28, 28, 1)
    assert np.bincount(splits.train.targets).tolist()[:3] == [5923, 6742, 5958]
    assert splits.train.targets[:5].tolist() == [5, 0, 4, 1, 9]
    assert round(float(splits.train.inputs.mean()) / 255, 4) == 0.1307  # as torchvision's examples have it


def test_the_real_fashion_files(real_data: Path, tmp_path: Path) -> None:
    splits = mnist.load_fashion(Place(real_data, tmp_path))
    assert np.bincount(splits.train.targets).tolist() == [6000] * 10
    assert round(float(splits.train.inputs.mean()) / 255, 4) == 0.286
