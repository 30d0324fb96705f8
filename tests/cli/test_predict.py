"""predict, evaluate and plot as a user types them: streams, exit codes, JSON, and what a run's folder holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.program import mlhw

FIGURES = ["classes.png", "classes.svg", "confused.png", "confused.svg", "confusion.png", "confusion.svg"]
FIGURES = sorted([*FIGURES, "curves.png", "curves.svg", "mistakes.png", "samples.png"])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"MLHW_OUTPUTS": str(tmp_path_factory.mktemp("outputs"))}


@pytest.fixture(scope="module")
def run(folders: dict[str, str]) -> dict[str, Any]:
    summary: dict[str, Any] = mlhw("train", "digits-cnn", "-s", "train.epochs=3", "--json", **folders).json
    return summary


@pytest.fixture
def program(folders: dict[str, str], run: dict[str, Any]) -> Any:
    return lambda *arguments, **more: mlhw(*arguments, **{**folders, **more})


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Two strokes of ink on paper, in a folder of their own."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, columns in (("one.png", slice(55, 65)), ("dash.png", slice(20, 100))):
        page = np.full((120, 120, 3), 250, np.uint8)
        page[30 : 90 if name == "one.png" else 40, columns] = 20
        Image.fromarray(page).save(folder / name)
    return folder


def test_a_picture_s_classes_as_a_table_and_as_json(program: Any, pages: Path, run: dict[str, Any]) -> None:
    done = program("predict", "latest", str(pages))
    assert done.code == 0, done.err
    assert "one.png" in done.out
    assert "2 pictures classified" in done.out
    assert run["run_id"] in done.out
    record = program("predict", "latest", str(pages), "--top", "3", "--json", "-q")
    assert record.err == ""
    assert record.json["altered"]["pictures"] == 2
    said = record.json["predictions"]
    assert [Path(each["file"]).name for each in said] == ["dash.png", "one.png"]
    assert [len(each["predictions"]) for each in said] == [3, 3]
    assert record.json["inputs"] == {"found": 2, "classified": 2, "skipped": 0}
    assert {"run_id", "experiment", "preparation", "seconds_predicting", "path"} <= record.json.keys()


def test_the_table_fits_eighty_columns(program: Any, pages: Path) -> None:
    done = program("predict", "latest", str(pages), COLUMNS="80", FORCE_COLOR="1", TERM="xterm")
    assert done.code == 0
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in done.out.splitlines()]
    assert max(len(line) for line in lines if "%" in line) <= 80


def test_some_skipped_is_4_and_none_usable_is_3(program: Any, pages: Path, tmp_path: Path) -> None:
    (pages / "torn.png").write_bytes((pages / "one.png").read_bytes()[:50])
    some = program("predict", "latest", str(pages))
    assert some.code == 4
    assert "error: 2 pictures are classified; 1 of 3 could not be used and was skipped: see the reasons" in some.err
    assert "torn.png" in some.out
    none = program("predict", "latest", str(pages / "torn.png"), "--json")
    assert none.code == 3
    assert none.json["predictions"][0]["status"] == "skipped"
    assert "none of 1 input could be used" in none.err
    absent = program("predict", "latest", str(tmp_path / "no.png"))
    assert (absent.code, absent.out) == (3, "")
    assert "Traceback" not in some.err + none.err + absent.err


def test_a_photograph_for_a_run_on_small_grey_digits_is_warned_of_once(program: Any, tmp_path: Path) -> None:
    for name, colour in (("a.png", (200, 30, 30)), ("b.png", (90, 90, 90))):
        Image.new("RGB", (80, 60), colour).save(tmp_path / name)
    Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / "own.png")
    done = program("predict", "latest", *(str(tmp_path / name) for name in ("own.png", "a.png", "b.png")))
    warnings = [line for line in done.err.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 1
    said = "a.png (80×60, colour) was shrunk to 8×8 and turned grey, like what the run learned from; 1 more was changed too"
    assert warnings[0].endswith(said)
    record = program("predict", "latest", str(tmp_path / "own.png"), str(tmp_path / "b.png"), "--json", "-q")
    assert record.err == ""
    assert record.json["altered"]["pictures"] == 1
    assert record.json["altered"]["first"] == {
        "file": str(tmp_path / "b.png"), "width": 80, "height": 60, "colour": False
    }  # fmt: skip
    assert record.json["altered"]["to"] == {"width": 8, "height": 8, "colour": False}
    own = program("predict", "latest", str(tmp_path / "own.png"), "--json")
    assert own.json["altered"] is None
    assert "warning" not in own.err


def test_no_such_run_is_5(program: Any, pages: Path) -> None:
    assert program("predict", "nothing", str(pages)).code == 5
    assert program("evaluate", "nothing").code == 5


def test_evaluate_says_that_its_numbers_are_the_summary_s(program: Any, run: dict[str, Any]) -> None:
    record = program("evaluate", "latest", "--json").json
    assert (record["loss"], record["accuracy"]) == (run["test_loss"], run["test_accuracy"])
    assert record["classes"] is None
    text = program("evaluate", "latest", "--per-class").out
    assert "to the last digit" in text
    lines = [line.split() for line in text.splitlines()[-10:]]
    shares = [float(words[3]) for words in lines]
    assert sorted(words[0] for words in lines) == list("0123456789")
    assert shares == sorted(shares)
    val = program("evaluate", run["run_id"], "--split", "val", "--json").json
    assert (val["loss"], val["rows"]) == (run["val_loss"], run["rows"]["val"])
    assert program("evaluate", "latest", "--split", "all").code == 2


def test_one_run_s_figures_are_all_drawn_again_as_they_were(program: Any, run: dict[str, Any]) -> None:
    plots = Path(run["path"]) / "plots"
    before = {path.name: path.read_bytes() for path in plots.iterdir()}
    assert sorted(before) == FIGURES
    for path in plots.iterdir():
        path.unlink()
    drawn = program("plot", "latest", "--json").json["files"]
    assert sorted(Path(path).name for path in drawn) == FIGURES
    assert {path.name: path.read_bytes() for path in plots.iterdir()} == before


def test_without_the_rows_all_is_drawn_but_their_pictures(program: Any, run: dict[str, Any], tmp_path: Path) -> None:
    config = Path(run["path"]) / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text + "key_of_yesterday: 1\n", encoding="utf-8")
    try:
        done = program("plot", "latest", "--out", str(tmp_path / "there"), "--json")
    finally:
        config.write_text(text, encoding="utf-8")
    assert done.code == 0
    assert "without pictures" in done.err
    names = [Path(path).name for path in json.loads(done.out)["files"]]
    assert sorted(names) == [name for name in FIGURES if name not in ("samples.png", "mistakes.png")]


def test_help_names_them(program: Any) -> None:
    text = program("--help").out
    assert " evaluate " in text
    assert " predict " in text
