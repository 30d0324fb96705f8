"""Hand-ins of one experiment: scored from their weights, and what is wrong, forged or claimed is said."""

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
from mlhw.commands.grade.scoring import score_checkpoint
from mlhw.commands.grade.submission import grade_submission
from mlhw.commands.settings import Settings
from mlhw.config.load import load, load_file
from mlhw.config.schema import Experiment
from mlhw.grading.lines import Entry, Line
from mlhw.runs.store import Run
from tests.grading.submission_made import DIGITS, claim, rewrite, tear, trained

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


def measured(run: Path) -> float:
    return float(json.loads((run / "summary.json").read_text(encoding="utf-8"))["test_accuracy"])


def spoil_weights(run: Path) -> None:
    weights = torch.load(run / "checkpoints/best.pt", weights_only=True)
    torch.save({name: value * float("nan") for name, value in weights.items()}, run / "checkpoints/best.pt")


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
