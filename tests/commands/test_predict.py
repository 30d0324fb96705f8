"""`predict` of pictures: those that the run itself was tested on get the very probabilities that it gave them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlhw.commands import assemble, trained
from mlhw.commands.finish import predict as probabilities_of
from mlhw.commands.predict import reading
from mlhw.commands.settings import from_environment
from mlhw.config.load import load
from mlhw.config.schema import Experiment
from mlhw.datasets import decode
from mlhw.datasets.pictures import BadImage, open_prepared
from mlhw.errors import DataMissing
from mlhw.runs import predictions
from mlhw.runs.store import Run
from tests.commands.predict_made import GROCERY, described, photos, say, trained_on
from tests.datasets.hostile import CONTENTS, GOOD
from tests.datasets.made import noise, write_mnist

FINE = ("data.labels=fine", "data.report=coarse")


def own_probabilities(run: Run, experiment: Experiment) -> np.ndarray:
    """What the run's reported model says of its test rows, as ``finish`` computes it."""
    settings = from_environment()
    job = assemble.job(experiment, settings, lambda *_: None)
    learner = trained.reported(run, experiment, job.preparation, job.device)
    assert job.splits.test is not None
    return probabilities_of(learner, learner.place(job.splits.test))


def check_law(run: Run, experiment: Experiment, files: Sequence[Path]) -> None:
    """The test rows as ``files``: every probability to the last bit, and the rows of test_predictions.csv to their digits."""
    wanted = own_probabilities(run, experiment)
    record = say(run, files, top=1000)
    stored = predictions.read(run.predictions_file)
    assert len(record["predictions"]) == len(wanted) == len(files)
    for row, said in enumerate(record["predictions"]):
        by_class = {rank["class_index"]: rank["probability"] for rank in said["predictions"]}
        assert [by_class[index] for index in range(wanted.shape[1])] == wanted[row].astype(float).tolist()
        first = said["predictions"][0]
        assert first["class_index"] == stored.predicted[row]
        assert float(f"{first['probability']:.6f}") == stored.probability[row]


@pytest.mark.parametrize(
    "more", [(), FINE, ("data.resize=crop", "data.normalize=standard"), ("train.average_decay=null",)]
)
def test_a_grocery_run_s_test_photos(groceries: Path, more: tuple[str, ...]) -> None:
    experiment = load("grocery-cnn", (*GROCERY, *more))
    check_law(trained_on(experiment), experiment, photos(groceries))


@pytest.mark.parametrize("channels", [1, 3])
def test_those_of_a_folder_of_one_s_own(groceries: Path, channels: int) -> None:
    for seed, name in enumerate(
        f"{part}/{kind}/{number}.png" for part in ("train", "test") for kind in "ab" for number in "12"
    ):
        noise(groceries.parent / "mine" / name, (40 + seed, 50), seed)
    path = groceries.parent / "mine"
    data = f"{{kind: folder, path: {json.dumps(str(path))}, image_size_pixels: 12, channels: {channels}}}"
    experiment = described(data, batch=2)
    check_law(trained_on(experiment), experiment, sorted((path / "test").rglob("*.png")))


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("mnist", "{kind: numpy-mlp, hidden_sizes: [9]}"),
        ("mnist", "{kind: tensor-mlp, hidden_sizes: [9]}"),
        ("fashion-mnist", "{kind: torch-ann, hidden_sizes: [9]}"),
        ("digits", "{kind: digits-cnn, channels: [3, 4]}"),
    ],
)
def test_grey_pictures_of_the_data_set_s_own_size(tmp_path: Path, kind: str, model: str) -> None:
    for name in ("MNIST", "FashionMNIST"):
        write_mnist(tmp_path / "data", name)
    more = ", split_rows: 1700" if kind == "digits" else ""
    experiment = described(f"{{kind: {kind}, normalize: standard{more}}}", model)
    run = trained_on(experiment)
    test = assemble.load_whole(experiment, from_environment(), lambda *_: None).test
    assert test is not None
    files = []
    full = 255 / (16 if kind == "digits" else 255)
    for row, image in enumerate(np.asarray(test.inputs[..., 0])):
        files.append(tmp_path / f"{row:04}.png")
        Image.fromarray(np.rint(image * full).astype(np.uint8)).save(files[-1])
    check_law(run, experiment, files)


def test_pictures_of_a_csv_of_pixels_need_not_be_square(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, rows in (("train", 30), ("test", 6)):
        values = rng.integers(0, 256, (rows, 24))
        lines = [",".join(map(str, [row % 2, *each])) for row, each in enumerate(values.tolist())]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    paths = ", ".join(f"{name}: {json.dumps(str(tmp_path / f'{name}.csv'))}" for name in ("train", "test"))
    experiment = described(f"{{kind: pixel-csv, {paths}, image_shape: [6, 4, 1]}}", batch=10)
    for row, image in enumerate(values.reshape(6, 6, 4).astype(np.uint8)):
        Image.fromarray(image).save(tmp_path / f"{row}.png")
    check_law(trained_on(experiment), experiment, [tmp_path / f"{row}.png" for row in range(6)])


def test_another_preparation_breaks_the_law(groceries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: photos squashed that the run has cropped."""
    experiment = load("grocery-cnn", (*GROCERY, "data.resize=crop"))
    run = trained_on(experiment)
    monkeypatch.setattr(reading, "open_prepared", lambda *a, resize, **k: open_prepared(*a, resize="squash", **k))
    with pytest.raises(AssertionError):
        check_law(run, experiment, photos(groceries))


def test_neither_the_data_set_nor_its_cache_is_needed(
    groceries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained_on(load("grocery-cnn", (*GROCERY, *FINE, "data.normalize=standard")))
    elsewhere = [Path(copied(photo, tmp_path / f"{row}.jpg")) for row, photo in enumerate(photos(groceries))]
    wanted = say(run, elsewhere)["predictions"]
    assert {rank["class_name"] for said in wanted for rank in said["predictions"]} == {"Apple", "Lime"}
    for name in ("MLHW_DATA", "MLHW_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    assert say(run, elsewhere)["predictions"] == wanted
    run.preparation_file.unlink()  # as in a run of an earlier version
    with pytest.raises(DataMissing):
        say(run, elsewhere)
    monkeypatch.setenv("MLHW_DATA", str(tmp_path / "data"))
    assert say(run, elsewhere)["predictions"] == wanted


def copied(source: Path, target: Path) -> Path:
    target.write_bytes(source.read_bytes())
    return target


@pytest.mark.parametrize("kind", [kind for kind, (_, reason, _) in CONTENTS.items() if reason is GOOD])
@pytest.mark.parametrize(("resize", "channels"), [("squash", 3), ("crop", 1)])
def test_with_care_a_picture_is_prepared_as_without(tmp_path: Path, kind: str, resize: Any, channels: Any) -> None:
    suffix, _, make = CONTENTS[kind]
    file = tmp_path / f"a{suffix}"
    file.write_bytes(make(np.random.default_rng(0)))
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of broken EXIF data
        if suffix == ".avif":
            patch.setattr(decode, "FORMATS", ("AVIF",))
        wanted = decode.read_image(file, 20, resize=resize, channels=channels)
        assert np.array_equal(open_prepared(file, 20, resize=resize, channels=channels), wanted)


@pytest.mark.parametrize("kind", [kind for kind, (_, reason, _) in CONTENTS.items() if reason is not GOOD])
def test_and_refused_for_the_same_reasons_as_by_classify(tmp_path: Path, kind: str) -> None:
    suffix, reason, make = CONTENTS[kind]
    file = tmp_path / f"a{suffix}"
    file.write_bytes(make(np.random.default_rng(0)))
    with pytest.raises(BadImage) as caught:
        open_prepared(file, 20)
    assert reason is not None
    assert reason in str(caught.value)
