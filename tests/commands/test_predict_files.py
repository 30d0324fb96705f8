"""What `predict` makes of bad and hostile files, of nothing usable, and where it writes."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlhw.commands.display import Silent
from mlhw.commands.predict.work import predict
from mlhw.commands.settings import from_environment
from mlhw.config.load import load
from mlhw.errors import ConfigError, DataMissing, Interrupted, RunError
from tests.commands.predict_made import GROCERY, described, photos, say, trained_on
from tests.datasets.hostile import KINDS, make_hostile
from tests.datasets.made import noise

HEADER = ["file", "status", "rank", "class_index", "class_name", "probability", "reason"]


def table(record: dict[str, Any]) -> list[dict[str, str]]:
    with (Path(record["path"]) / "predictions.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        assert reader.fieldnames == HEADER
    return rows


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
