"""Hand-ins: what is claimed is measured again, what is hostile costs itself alone, and nothing handed in is executed."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mlhw.commands import assemble
from mlhw.commands.display import Silent
from mlhw.commands.grade.handed_in import MOST_PARTS, hand_ins
from mlhw.commands.grade.same import comparable
from mlhw.commands.grade.scoring import score_checkpoint
from mlhw.commands.grade.submission import grade_submission
from mlhw.commands.settings import Settings
from mlhw.commands.train import train
from mlhw.config.load import load, load_file
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError
from mlhw.grading.lines import Entry, Line
from mlhw.runs.store import Run

DIGITS = ("train.epochs=2", "data.val_fraction=0.2", "threads=1")
TOY = ("train.epochs=1", "data.train_rows=500", "threads=1")
EXPECTED = "expect={parameters: '< 20000', test_accuracy: '>= 0.05', points: {test_accuracy: 3, parameters: 1}}"
LAYER = """\
import numpy as np
print("\\x1b[2J" * 10)


def forward(x, W, b):
    return np.tanh(x @ W + b)


def backward(d_out, x, W, b):
    delta = d_out * (1 - forward(x, W, b) ** 2)
    return delta @ W.T, x.T @ delta, delta.sum(axis=0)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("grading")
    return Settings(data=root / "data", outputs=root / "outputs", cache=root / "cache")


def trained(place: Settings, name: str, *overrides: str) -> Run:
    return train(load(name, overrides), place, Silent(), figures=False)[0]


@pytest.fixture(scope="module")
def digits(place: Settings) -> Run:
    return trained(place, "digits-cnn", *DIGITS)


def against() -> Experiment:
    return load("digits-cnn", [EXPECTED])


@pytest.mark.parametrize(("name", "overrides"), [("digits-cnn", DIGITS), ("gmm-net", TOY), ("peaks-leastsquares", TOY)])
def test_a_checkpoint_scores_as_the_runs_own_summary_says(
    place: Settings, name: str, overrides: tuple[str, ...]
) -> None:
    run = trained(place, name, *overrides)
    summary = run.summary() or {}
    experiment = load_file(run.config_file)
    splits = assemble.load_splits(experiment, place, lambda what, done, total: None)
    found = score_checkpoint(experiment, splits, place, run.best_checkpoint)
    assert found.parameters == summary["parameters"]
    for split, score in found.splits.items():
        assert score.accuracy == summary[f"{split}_accuracy"]
        assert score.loss == summary[f"{split}_loss"]
    assert set(found.splits) == {split for split in ("val", "test") if summary[f"{split}_accuracy"] is not None}


class _Code:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.path),))


def rewrite(run: Path, old: str, new: str) -> None:
    text = (run / "config.yaml").read_text(encoding="utf-8")
    assert old in text
    (run / "config.yaml").write_text(text.replace(old, new), encoding="utf-8")


def claim(run: Path, **numbers: object) -> None:
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    (run / "summary.json").write_text(json.dumps(summary | numbers), encoding="utf-8")


def measured(run: Path) -> float:
    return float(json.loads((run / "summary.json").read_text(encoding="utf-8"))["test_accuracy"])


def spoil_weights(run: Path) -> None:
    weights = torch.load(run / "checkpoints/best.pt", weights_only=True)
    torch.save({name: value * float("nan") for name, value in weights.items()}, run / "checkpoints/best.pt")


def tear(run: Path) -> None:
    content = (run / "checkpoints/best.pt").read_bytes()
    (run / "checkpoints/best.pt").write_bytes(content[: len(content) // 2])


def link(run: Path) -> None:
    (run / "checkpoints/best.pt").rename(run / "checkpoints/other.pt")
    (run / "checkpoints/best.pt").symlink_to(run / "checkpoints/other.pt")


SPOILERS: dict[str, Callable[[Path], object]] = {
    "honest": lambda run: None,
    "liar": lambda run: claim(run, test_accuracy=0.99),
    "modest": lambda run: claim(run, test_accuracy=0.0),
    "nonsense": lambda run: claim(run, test_accuracy="high", parameters=10**400, val_accuracy=None),
    "rounding": lambda run: claim(run, test_accuracy=measured(run) + 1.4 / 1297),
    "made-up": lambda run: claim(run, test_accuracy=measured(run) - 0.02),
    "unfinished": lambda run: (run / "summary.json").unlink(),
    "torn": tear,
    "code": lambda run: torch.save({"W": _Code(run.parent / "made-by-pickle")}, run / "checkpoints/best.pt"),
    "not-finite": spoil_weights,
    "other-rows": lambda run: rewrite(run, "split_rows: 500", "split_rows: 1700"),
    "other-model": lambda run: rewrite(run, "channels: [16, 32]", "channels: [16, 31]"),
    "enormous": lambda run: rewrite(run, "channels: [16, 32]", "channels: [65536, 65536]"),
    "no-yaml": lambda run: (run / "config.yaml").write_text("a: [", encoding="utf-8"),
    "deep-json": lambda run: (run / "summary.json").write_text("[" * 100_000, encoding="utf-8"),
    "<b>=1+1": lambda run: None,
}
if sys.platform != "win32":
    SPOILERS["link"] = link
    SPOILERS["esc\x1b[2J"] = lambda run: None
else:
    del SPOILERS["<b>=1+1"]


@pytest.fixture(scope="module")
def graded(place: Settings, digits: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Entry]:
    """Every kind of hand-in at once, by name."""
    folder = tmp_path_factory.mktemp("hand-ins")
    for name, spoil in SPOILERS.items():
        shutil.copytree(digits.path, folder / name / "outputs" / "run")
        spoil(folder / name / "outputs" / "run")
    (folder / "right.py").write_text(LAYER, encoding="utf-8")
    (folder / "wrong.py").write_text(LAYER.replace("x.T @ delta", "-x.T @ delta"), encoding="utf-8")
    (folder / "ends.py").write_text("import os; os._exit(0)", encoding="utf-8")
    (folder / "empty").mkdir()
    (folder / "packed.zip").write_bytes(b"PK")
    (folder / "readme.txt").write_text("nothing to grade")
    found = grade_submission(folder, against(), place, seconds=60, memory_mb=2048, workers=2)
    assert found.ignored == ["readme.txt"]
    assert not list(folder.rglob("made-by-pickle"))
    assert not list(folder.rglob("__pycache__"))
    assert len(found.entries) == len(SPOILERS) + 5
    outcomes = [entry.outcome for entry in found.entries]
    assert outcomes == sorted(outcomes, key=["fail", "not run", "pass"].index)
    return {entry.name: entry for entry in found.entries}


def line(entry: Entry, what: str) -> Line:
    (found,) = [each for each in entry.lines if each.what == what]
    return found


def test_an_honest_run_passes_with_the_numbers_measured_here(graded: dict[str, Entry], digits: Run) -> None:
    names = ["honest"] + (["<b>=1+1", "esc�[2J"] if sys.platform != "win32" else [])
    for name in names:
        assert graded[name].outcome == "pass", graded[name].record()
    assert line(graded["honest"], "test_accuracy").got == (digits.summary() or {})["test_accuracy"]
    assert graded["honest"].points == (4.0, 4.0)


@pytest.mark.parametrize("name", ["liar", "modest"])
def test_a_claim_that_the_weights_do_not_keep_is_flagged(graded: dict[str, Entry], name: str) -> None:
    claims = line(graded[name], "claims")
    assert claims.outcome == "fail"
    assert f"claimed {'0.9900' if name == 'liar' else '0.0000'}, measured 0." in claims.reason
    assert line(graded[name], "test_accuracy").outcome == "pass"  # by what was measured


def test_a_row_that_another_processor_turns_is_no_lie_and_a_fiftieth_is(graded: dict[str, Entry]) -> None:
    assert {name: line(graded[name], "claims").outcome for name in ("rounding", "made-up")} == {
        "rounding": "pass",
        "made-up": "fail",
    }


@pytest.mark.parametrize(
    ("name", "what", "words"),
    [
        ("unfinished", "run", "summary.json: is missing"),
        ("torn", "weights", "not a checkpoint that can be loaded"),
        ("code", "weights", "not a checkpoint that can be loaded"),
        ("not-finite", "test_accuracy", "its loss is not finite"),
        ("other-rows", "rules", "data.split_rows is 1700, should be 500"),
        ("other-model", "weights", "should be (31, 16, 3, 3)"),
        ("no-yaml", "run", "config.yaml:1: not valid YAML"),
        ("empty", "hand-in", "nothing to grade"),
        ("packed.zip", "hand-in", "unpack it"),
        ("wrong", "gradient of forward", "dW has the wrong sign everywhere"),
        ("ends", "functions", "exit code 0"),
        pytest.param(
            "link", "weights", "is a link", marks=pytest.mark.skipif(sys.platform == "win32", reason="needs links")
        ),
        pytest.param(
            "enormous", "weights", "MB of memory", marks=pytest.mark.skipif(sys.platform != "linux", reason="no limit")
        ),
    ],
)
def test_what_is_wrong_is_said(graded: dict[str, Entry], name: str, what: str, words: str) -> None:
    found = line(graded[name], what)
    assert words in found.reason
    assert found.outcome == ("pass" if name == "not-finite" else "fail")
    assert "/" not in found.reason.replace("checkpoints/best.pt", "")  # no path of the teacher's machine


def test_everybody_can_earn_the_same_points(graded: dict[str, Entry]) -> None:
    assert {(entry.points or (0.0, 0.0))[1] for entry in graded.values()} == {4.0}
    assert graded["empty"].points == (0.0, 4.0)


def test_claims_that_are_no_numbers_are_none(graded: dict[str, Entry]) -> None:
    for name in ("nonsense", "deep-json", "unfinished"):
        assert line(graded[name], "claims").outcome == "not run"
        assert line(graded[name], "test_accuracy").outcome == "pass"


def test_a_layer_file_has_a_line_a_function(graded: dict[str, Entry]) -> None:
    assert line(graded["right"], "gradient of forward").outcome == "pass"


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
