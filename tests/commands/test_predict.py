"""`mlhw predict`: a run's test pictures, as files, get the very probabilities that the run gave them; no file ends it."""

from __future__ import annotations

import csv
import json
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlhw.commands import assemble, trained
from mlhw.commands.display import Silent
from mlhw.commands.finish import predict as probabilities_of
from mlhw.commands.predict import reading
from mlhw.commands.predict.rows import read_rows
from mlhw.commands.predict.work import predict
from mlhw.commands.settings import from_environment
from mlhw.commands.train import train
from mlhw.config.load import load, parse
from mlhw.config.schema import Experiment
from mlhw.datasets import decode
from mlhw.datasets.pictures import BadImage, open_prepared
from mlhw.errors import ConfigError, DataError, DataMissing, Interrupted, RunError
from mlhw.runs import predictions
from mlhw.runs.store import Run
from tests.datasets.hostile import CONTENTS, GOOD, KINDS, make_hostile
from tests.datasets.hostile_bytes import oriented
from tests.datasets.made import GROCERY_LISTS, noise, write_grocery, write_mnist

HEADER = ["file", "status", "rank", "class_index", "class_name", "probability", "reason"]
GROCERY = ("data.image_size_pixels=16", "train.batch_size=3", "train.epochs=2", "threads=1")
FINE = ("data.labels=fine", "data.report=coarse")


def trained_on(experiment: Experiment) -> Run:
    return train(experiment, from_environment(), Silent(), figures=False)[0]


def described(data: str, model: str = "{kind: numpy-mlp, hidden_sizes: [9]}", batch: int = 20) -> Experiment:
    text = f"name: mine\ndata: {data}\nmodel: {model}\ntrain: {{epochs: 2, batch_size: {batch}, lr: 0.1}}\nthreads: 1\n"
    return parse(text.encode(), "mine.yaml")


def say(run: Run, paths: Sequence[Path | str], **how: Any) -> dict[str, Any]:
    return predict(from_environment(), run.id, [str(path) for path in paths], Silent(), **how)


def table(record: dict[str, Any]) -> list[dict[str, str]]:
    with (Path(record["path"]) / "predictions.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        assert reader.fieldnames == HEADER
    return rows


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


# -- the law -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def groceries(tmp_path: Path) -> Path:
    """The folder of a small Grocery set, its photos noise of many sizes, one of them lying on its side."""
    folder = write_grocery(tmp_path / "data" / "GroceryStoreDataset" / "dataset")
    for seed, line in enumerate(line for lines in GROCERY_LISTS.values() for line in lines):
        exif = {"exif": oriented(6)} if seed % 2 else {}
        noise(folder / line[0], (90 + 11 * seed, 120 - 9 * seed), seed, quality=90, **exif)
    return folder


def photos(folder: Path) -> list[Path]:
    """Its test photos, in the order of the list."""
    return [folder / line[0] for line in GROCERY_LISTS["test"]]


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


# -- prepared pictures ---------------------------------------------------------------------------------------------------


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


# -- files and their reasons ---------------------------------------------------------------------------------------------


def test_a_bad_file_has_its_reason_and_the_others_keep_their_own(groceries: Path, tmp_path: Path) -> None:
    run = trained_on(load("grocery-cnn", GROCERY))
    folder = tmp_path / "mixed"
    for number in range(5):
        noise((folder / f"{number}.jpg"), (50 + number, 40), number)
    alone = {name: say(run, [folder / name])["predictions"][0]["predictions"] for name in ("0.jpg", "4.jpg")}
    (folder / "2.jpg").write_bytes((folder / "2.jpg").read_bytes()[:500])
    record = say(run, [folder], top=2)
    assert record["inputs"] == {"found": 5, "classified": 4, "skipped": 1}
    rows = table(record)
    assert [(Path(row["file"]).name, row["status"], row["rank"]) for row in rows] == [
        *((f"{n}.jpg", "ok", rank) for n in (0, 1) for rank in "12"),
        ("2.jpg", "skipped", ""),
        *((f"{n}.jpg", "ok", rank) for n in (3, 4) for rank in "12"),
    ]
    assert "cut off" in rows[4]["reason"]
    for said in record["predictions"]:
        if (name := Path(said["file"]).name) in alone:
            got = [rank["probability"] for rank in said["predictions"]]
            assert got == pytest.approx([rank["probability"] for rank in alone[name][:2]], rel=1e-5)
    assert (Path(record["path"]) / "grid.png").is_file()
    assert json.loads((Path(record["path"]) / "predictions.json").read_text(encoding="utf-8")) == record


@pytest.mark.skipif(os.name != "posix", reason="hostile as only POSIX can be")
@pytest.mark.parametrize("preset", ["grocery-cnn", "digits-cnn"])
def test_hostile_files_are_rows_or_reasons(groceries: Path, tmp_path: Path, preset: str) -> None:
    more = GROCERY if preset == "grocery-cnn" else ("train.epochs=1", "threads=1")
    folder = tmp_path / "hostile"
    folder.mkdir()
    expected = make_hostile(folder, len(KINDS), np.random.default_rng(0))
    record = say(trained_on(load(preset, more)), [folder], top=1)
    assert record["inputs"]["found"] == len(expected)
    assert record["inputs"]["classified"] == sum(reason is None for reason in expected.values())
    rows = table(record)
    assert len(rows) == len(expected)
    assert all(bool(row["reason"]) == (row["status"] == "skipped") for row in rows)


def test_where_nothing_can_be_used_there_are_reasons_and_no_sheet(groceries: Path, tmp_path: Path) -> None:
    run = trained_on(load("grocery-cnn", GROCERY))
    (tmp_path / "a.jpg").write_bytes(b"")
    record = say(run, [tmp_path / "a.jpg"])
    assert record["inputs"] == {"found": 1, "classified": 0, "skipped": 1}
    assert record["files"] == ["predictions.csv", "predictions.json"]
    with pytest.raises(DataMissing, match=r"there is no .*b\.jpg"):
        say(run, [tmp_path / "b.jpg"])
    assert len(list((run.path / "predictions").iterdir())) == 1


def test_predictions_go_where_they_are_told_else_into_a_new_folder_each(groceries: Path, tmp_path: Path) -> None:
    run = trained_on(load("grocery-cnn", GROCERY))
    photo = photos(groceries)[0]
    first, second = say(run, [photo]), say(run, [photo])
    assert first["path"] != second["path"]
    assert {Path(each["path"]).parent for each in (first, second)} == {run.path / "predictions"}
    assert say(run, [photo], out=tmp_path / "there")["path"] == str(tmp_path / "there")
    assert run.status() == "done"


def test_an_interruption_leaves_what_is_done(groceries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained_on(load("grocery-cnn", GROCERY))

    class Impatient(Silent):
        def progress(self, what: str, done: int, total: int) -> None:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="interrupted after 2"):
        predict(from_environment(), run.id, list(map(str, photos(groceries))), Impatient(), out=tmp_path, top=1)
    assert len((tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize("top", [0, 1001])
def test_top_has_its_bounds(top: int) -> None:
    with pytest.raises(ConfigError, match=f"--top {top}: should be from 1 to 1,000"):
        predict(from_environment(), "latest", ["a"], Silent(), top=top)


def test_no_run_no_prediction() -> None:
    with pytest.raises(RunError, match="no runs"):
        predict(from_environment(), "latest", ["a"], Silent())


def test_images_of_numbers_that_no_picture_has_are_refused(tmp_path: Path) -> None:
    lines = [",".join(map(str, [row % 2, *np.linspace(-1, row, 16).tolist()])) for row in range(12)]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = f"{{kind: pixel-csv, train: {json.dumps(str(tmp_path / 'a.csv'))}, image_shape: [4, 4, 1], normalize: standard}}"
    run = trained_on(described(data, batch=4))
    with pytest.raises(ConfigError, match="float32"):
        say(run, [noise(tmp_path / "a.png")])


# -- rows of numbers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def gmm() -> Run:
    return trained_on(described("{kind: gmm, source: generated, train_rows: 200}", "{kind: numpy-resnet}"))


def test_rows_of_a_csv_and_of_a_npy_are_the_same(gmm: Run, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(7, 5))
    np.save(tmp_path / "rows.npy", rows)
    text = "\n".join(",".join(map(repr, row)) for row in rows.tolist())
    (tmp_path / "rows.csv").write_text(f"a,b,c,d,e\n{text}\n", encoding="utf-8")
    one, other = say(gmm, [tmp_path / "rows.npy"]), say(gmm, [tmp_path / "rows.csv"])
    assert [said["predictions"] for said in one["predictions"]] == [
        said["predictions"] for said in other["predictions"]
    ]
    assert one["predictions"][2]["file"].endswith("rows.npy[2]")
    assert other["predictions"][2]["file"].endswith("rows.csv:4")
    assert "grid.png" not in one["files"]
    both = say(gmm, [tmp_path / "rows.npy", tmp_path / "rows.csv"])
    assert both["inputs"]["classified"] == 14


def test_validation_rows_get_the_run_s_own_probabilities(gmm: Run, tmp_path: Path) -> None:
    experiment = described("{kind: gmm, source: generated, train_rows: 200}", "{kind: numpy-resnet}")
    job = assemble.job(experiment, from_environment(), lambda *_: None)
    assert job.splits.val is not None
    np.save(tmp_path / "val.npy", job.splits.val.inputs)
    learner = trained.reported(gmm, experiment, job.preparation, "cpu")
    wanted = probabilities_of(learner, learner.place(job.splits.val))
    said = say(gmm, [tmp_path / "val.npy"], top=1)["predictions"]
    assert [each["predictions"][0]["probability"] for each in said] == wanted.max(axis=1).tolist()


def test_a_bad_row_has_its_reason(tmp_path: Path) -> None:
    lines = ["1,2,3", "1,2", "1,x,3", "1,nan,3", "", "4,5,1e999", "7,8,9"]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    found = [(item.name[-7:], example) for item, example in read_rows(str(tmp_path / "a.csv"), 3, "float64")]
    assert [name for name, _ in found] == [f"a.csv:{line}" for line in (1, 2, 3, 4, 6, 7)]
    assert [example for _, example in found[1:5]] == [
        "2 fields, not 3",
        "'x' is no finite number",
        "'nan' is no finite number",
        "'1e999' is no finite number",
    ]
    assert np.asarray(found[0][1]).tolist() == [1, 2, 3]
    np.save(tmp_path / "a.npy", np.array([[1.0, np.inf], [3.0, 4.0]]))
    assert [isinstance(example, str) for _, example in read_rows(str(tmp_path / "a.npy"), 2, "float64")] == [
        True,
        False,
    ]
    np.save(tmp_path / "b.npy", np.array([[1.0, 255.0], [1.5, 0.0], [0.0, 256.0]]))
    assert [isinstance(example, str) for _, example in read_rows(str(tmp_path / "b.npy"), 2, "uint8")] == [
        False,
        True,
        True,
    ]


Damage = Callable[[Path], object]


@pytest.mark.parametrize(
    ("name", "damage", "kind", "words"),
    [
        (
            "a.npy",
            lambda path: np.save(path, np.zeros((3, 4))),
            DataError,
            r"should be numbers \(rows, 5\), got \(3, 4\)",
        ),
        ("a.npy", lambda path: np.save(path, np.zeros(5)), DataError, r"got \(5,\)"),
        ("a.npy", lambda path: np.save(path, np.array([["a"] * 5])), DataError, "got"),
        ("a.npy", lambda path: np.save(path, np.array([[{}] * 5]), allow_pickle=True), DataError, "cannot be read"),
        ("a.npy", lambda path: path.write_bytes(b"\x93NUMPY"), DataError, "cannot be read"),
        ("a.npy", lambda path: path.write_bytes(b""), DataError, "cannot be read"),
        ("a.csv", lambda path: path.write_bytes(b"\xff\xfe\x00"), DataError, "not a CSV in UTF-8"),
        ("a.jpg", lambda path: path.write_bytes(b"x"), ConfigError, "rows of 5 numbers"),
        ("a.csv", lambda path: path.mkdir(), ConfigError, "rows of 5 numbers"),
        ("a.csv", lambda path: None, DataMissing, "there is no"),
    ],
)
def test_what_holds_no_rows_is_named(
    gmm: Run, tmp_path: Path, name: str, damage: Damage, kind: type[Exception], words: str
) -> None:
    damage(tmp_path / name)
    with pytest.raises(kind, match=words):
        say(gmm, [tmp_path / name])
