"""Bad input: one clear message, the right exit code, no traceback, nothing left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cli.program import Result, mlhw
from tests.datasets.made import noise, write_grocery, write_mnist

GOOD = """
name: mine
data: {kind: digits}
model: {kind: numpy-mlp}
train: {epochs: 1, batch_size: 10, lr: 0.1}
"""


def refused(done: Result, code: int, *words: str) -> None:
    """``done`` failed as it should, and no run folder is there."""
    assert done.code == code, (done.out, done.err)
    assert done.out == ""
    assert done.err.startswith("error: ") or "error: " in done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err
    outputs = Path(os.environ["MLHW_OUTPUTS"])
    assert not outputs.is_dir() or not list(outputs.iterdir())


def yaml_file(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_an_unknown_experiment() -> None:
    refused(mlhw("train", "digts-cnn"), 2, "digts-cnn", "digits-cnn", "mlhw list")


def test_a_missing_yaml() -> None:
    refused(mlhw("train", "nowhere/mine.yaml"), 2, "nowhere/mine.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["mine.yaml", "empty"]),
        (GOOD.replace("lr: 0.1", "lr: 0.1, learning_rate: 1"), ["mine.yaml:5", "train.learning_rate"]),
        (GOOD.replace("lr: 0.1", "lr: -0.1"), ["mine.yaml:5", "train.lr", "greater than 0", "-0.1"]),
        (GOOD.replace("epochs: 1", "epochs: many"), ["mine.yaml:5", "train.epochs", "integer", "many"]),
        (GOOD + "name: again\n", ["mine.yaml:6", "given twice", "mine.yaml:2"]),
        (GOOD + "x: !!python/object/apply:os.system ['touch ran']\n", ["mine.yaml:6", "tag"]),
        (b"\xff\xfe\x00", ["UTF-8"]),
        (GOOD.replace("batch_size: 10", "batch_size: 501"), ["train.batch_size", "501", "500"]),
        (GOOD + "expect: {parameters: '< 100'}\n", ["expect.parameters", "< 100"]),
        (GOOD + "device: cuda:99\n", ["numpy", "--device cpu"]),
        (GOOD.replace("lr: 0.1", "lr: 0.1, augment: {flip: true}"), ["train.augment"]),
        (GOOD.replace("kind: digits", "kind: digits, train_rows: 5000"), ["data.train_rows", "500"]),
        (GOOD.replace("lr: 0.1", "lr: 0.1, init_from: nothing"), []),
    ],
)
def test_a_bad_experiment(tmp_path: Path, text: str | bytes, words: list[str]) -> None:
    code = 5 if isinstance(text, str) and "init_from" in text else 2
    refused(mlhw("train", yaml_file(tmp_path, text), cwd=tmp_path), code, *words)
    assert not (tmp_path / "ran").exists()


def test_the_good_twin_of_these_trains(tmp_path: Path) -> None:
    assert mlhw("train", yaml_file(tmp_path, GOOD)).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "digits-cnn", "--no-such-flag"],
        ["no-such-command"],
        ["train", "digits-cnn", "--name", "../x"],
    ],
)
def test_a_bad_command_line(arguments: list[str]) -> None:
    done = mlhw(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", [["show"], ["resume"], ["rm"], ["plot"], ["export"]])
@pytest.mark.parametrize("run", ["latest", "nothing-2026", "../x", "..", "a/b"])
def test_an_unknown_or_malformed_run(command: list[str], run: str) -> None:
    refused(mlhw(*command, run), 5)


def test_an_ambiguous_prefix() -> None:
    outputs = Path(os.environ["MLHW_OUTPUTS"])
    for tail in ("aaaa", "bbbb"):
        (outputs / f"x-20260101-000000-{tail}").mkdir(parents=True)
    done = mlhw("show", "x-2026")
    assert done.code == 5
    assert "aaaa" in done.err
    assert "bbbb" in done.err
    assert mlhw("rm", "x-20260101-000000-aaaa", "x-2026").code in (0, 5)


def test_rm_looks_every_name_up_before_it_removes_one() -> None:
    outputs = Path(os.environ["MLHW_OUTPUTS"])
    (outputs / "x-20260101-000000-aaaa").mkdir(parents=True)
    assert mlhw("rm", "x-20260101-000000-aaaa", "nothing").code == 5
    assert (outputs / "x-20260101-000000-aaaa").is_dir()


def test_outputs_that_are_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = mlhw("train", "digits-cnn", "-s", "train.epochs=1", MLHW_OUTPUTS=str(tmp_path / "file"))
    assert done.code == 1
    assert "MLHW_OUTPUTS" in done.err
    assert "Traceback" not in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows folders have no write bit")
def test_read_only_outputs(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    # root may write anywhere by permission; /proc refuses even root
    target = locked if os.geteuid() else Path("/proc")
    done = mlhw("train", "digits-cnn", "-s", "train.epochs=1", MLHW_OUTPUTS=str(target / "outputs"))
    locked.chmod(0o700)
    assert done.code == 1
    assert "MLHW_OUTPUTS" in done.err
    assert "Traceback" not in done.err


def test_a_bad_number_of_threads() -> None:
    refused(mlhw("train", "digits-cnn", MLHW_THREADS="many"), 2, "MLHW_THREADS", "many")


def test_missing_data_names_the_files_and_the_command_that_brings_them() -> None:
    refused(mlhw("train", "mnist-mlp"), 3, "train-images-idx3-ubyte", "mlhw data fetch mnist")


def test_debug_shows_the_traceback() -> None:
    done = mlhw("train", "digts-cnn", "--debug")
    assert "Traceback" in done.err


def test_a_label_file_that_names_a_missing_picture(tmp_path: Path) -> None:
    folder = write_grocery(tmp_path / "data" / "GroceryStoreDataset" / "dataset")
    with (folder / "train.txt").open("a", encoding="utf-8") as file:
        file.write("train/nowhere.jpg, 0, 0\n")
    refused(mlhw("train", "grocery-cnn", MLHW_DATA=str(tmp_path / "data")), 3, "nowhere.jpg", "data.skip_bad")


@pytest.fixture
def cut_picture(tmp_path: Path) -> str:
    """An experiment on a folder of pictures, one of which ends in the middle."""
    for label in ("a", "b"):
        for number in range(12):
            noise(tmp_path / "pictures" / label / f"{number}.jpg", seed=number)
    victim = tmp_path / "pictures" / "a" / "3.jpg"
    victim.write_bytes(victim.read_bytes()[:1500])
    text = GOOD.replace("{kind: digits}", "{kind: folder, path: pictures, image_size_pixels: 8, test_fraction: 0.25}")
    return yaml_file(tmp_path, text)


def test_a_truncated_picture_stops_before_training(tmp_path: Path, cut_picture: str) -> None:
    refused(mlhw("train", cut_picture, cwd=tmp_path), 3, "3.jpg", "data.skip_bad")


def test_a_truncated_picture_is_skipped_where_asked_for_and_said(tmp_path: Path, cut_picture: str) -> None:
    done = mlhw("train", cut_picture, "-s", "data.skip_bad=true", "--json", cwd=tmp_path)
    assert done.code == 4
    assert done.json["status"] == "done"
    assert len(done.json["skipped"]) == 1
    assert "3.jpg" in done.json["skipped"][0]
    assert "3.jpg" in done.err


def test_a_truncated_idx_file(tmp_path: Path) -> None:
    write_mnist(tmp_path / "data")
    victim = tmp_path / "data" / "MNIST" / "raw" / "train-images-idx3-ubyte"
    victim.write_bytes(victim.read_bytes()[:-1000])
    refused(
        mlhw("train", "mnist-mlp", MLHW_DATA=str(tmp_path / "data")),
        3,
        "train-images-idx3-ubyte",
        "mlhw data fetch mnist",
    )
