"""What is the teacher's to say of hand-ins: what they are held to, which rows and files are read, and how many."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlhw.commands.grade.handed_in import MOST_PARTS, hand_ins
from mlhw.commands.grade.same import comparable
from mlhw.commands.grade.submission import grade_submission
from mlhw.commands.settings import Settings
from mlhw.config.load import load, load_file
from mlhw.errors import ConfigError
from mlhw.runs.store import Run
from tests.grading.submission_made import claim, rewrite, tear


def test_without_against_a_run_is_held_to_the_experiment_it_names_and_the_best_of_several_counts(
    place: Settings, digits: Run, tmp_path: Path
) -> None:
    for name in ("anna/first", "anna/second", "anna/third", "bertil/run"):
        shutil.copytree(digits.path, tmp_path / name)
    tear(tmp_path / "anna" / "first")
    claim(tmp_path / "anna" / "third", test_accuracy=0.99)
    rewrite(tmp_path / "bertil" / "run", "name: digits-cnn", "name: my-own")
    anna, bertil = grade_submission(tmp_path, None, place, workers=1).entries
    assert anna.outcome == "fail"  # by the preset's own >= 0.98
    assert {each.part for each in anna.lines} == {"second"}
    assert anna.notes == ["the best of 3 runs counts"]
    assert anna.experiment == "digits-cnn"
    assert "no experiment named 'my-own' here. Name one with --against." in bertil.lines[0].reason


# What may differ, and what lies in a folder ----------------------------------------------------------------------------


def test_which_rows_are_tested_on_is_the_teachers_and_how_one_learns_the_students() -> None:
    teacher = load("grocery-cnn")
    free = ["data.image_size_pixels=64", "data.val_fraction=0.2", "data.normalize=unit", "data.skip_bad=false"]
    merged, faults = comparable(load("grocery-cnn", free), teacher)
    assert not faults
    assert getattr(merged.data, "image_size_pixels", None) == 64
    for key, words in [
        ("data.image_size_pixels=2048", "at most 256"),
        ("data.labels=fine", "told in fine classes"),
        ("data.skip_bad=true", "skip_bad"),
        ("model=grocery-blocks", "model.kind"),
    ]:
        if key == "data.labels=fine":
            student = load("grocery-cnn", [key, "data.report=null"])
        else:
            student = load(
                "grocery-cnn-notebook" if key.startswith("model") else "grocery-cnn", [] if "model" in key else [key]
            )
        assert any(words in fault for fault in comparable(student, teacher)[1]), key
    assert "data.kind" in comparable(load("digits-cnn"), teacher)[1][0]
    few = load("gmm-net-200")
    assert not comparable(few, few)[1]
    assert any(
        "at most 200 rows" in fault for fault in comparable(load("gmm-net-200", ["data.train_rows=null"]), few)[1]
    )
    assert any(
        "at most 200 rows" in fault for fault in comparable(load("gmm-net-200", ["data.train_rows=201"]), few)[1]
    )


def test_a_students_config_has_no_say_in_which_files_are_read(tmp_path: Path) -> None:
    text = "name: x\ndata: {kind: folder, path: PATH, image_size_pixels: 8}\nmodel: {kind: digits-cnn}\n"
    text += "train: {epochs: 1, batch_size: 1, lr: 0.1}\n"
    made = []
    for name in ("teacher", "student"):
        (tmp_path / f"{name}.yaml").write_text(text.replace("PATH", f"/{name}"), encoding="utf-8")
        made.append(load_file(tmp_path / f"{name}.yaml"))
    merged, faults = comparable(made[1], made[0])
    assert not faults
    assert getattr(merged.data, "path", None) == "/teacher"


def test_a_folder_of_hand_ins_is_read_to_a_bound(tmp_path: Path) -> None:
    deep = tmp_path / "anna" / "a" / "b" / "c" / "run"
    deep.mkdir(parents=True)
    (deep / "config.yaml").touch()
    (tmp_path / "anna" / ".git").mkdir()
    (tmp_path / "anna" / ".git" / "hook.py").touch()
    for number in range(MOST_PARTS + 5):
        (tmp_path / "many").mkdir(exist_ok=True)
        (tmp_path / "many" / f"{number:03}.py").touch()
    (tmp_path / "solo.py").touch()
    found, ignored = hand_ins(tmp_path)
    anna, many, solo = found
    assert [anna.part(run) for run in anna.runs] == ["a/b/c/run"]
    assert not anna.files
    assert len(many.files) == MOST_PARTS
    assert "was not looked at" in many.faults[0]
    assert (solo.name, solo.part(solo.files[0])) == ("solo", "solo.py")
    assert not ignored


def test_a_folder_without_hand_ins_is_a_fault_of_usage(tmp_path: Path, digits: Run) -> None:
    for path, words in [
        (tmp_path, "nothing to grade"),
        (tmp_path / "no", "no such folder"),
        (digits.path, "run's own"),
    ]:
        with pytest.raises(ConfigError, match=words):
            hand_ins(path)
