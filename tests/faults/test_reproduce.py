"""`mlhw reproduce`: the same to the last bit, or what differs and what was otherwise."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mlhw.commands.reproduce import compare_weights, first_difference
from mlhw.protocols import EpochRow
from mlhw.runs import checkpoint
from tests.faults.killing import Training
from tests.faults.warm import KILLED, Warm


@pytest.fixture
def done(warm: Warm, tmp_path: Path) -> tuple[Training, Path]:
    """A finished training, and its run."""
    training = Training.made("numpy", tmp_path / "done")
    assert training.start(warm, figures=False).code == 0
    return training, training.runs()[0]


def again(training: Training, run: Path, warm: Warm, *flags: str) -> tuple[int, dict[str, object], str]:
    ended = warm.run("reproduce", run.name, "-q", "--json", *flags, outputs=training.outputs, figures=False)
    return ended.code, ended.json, ended.err


def test_a_run_reproduces_itself_in_a_folder_of_its_own(done: tuple[Training, Path], warm: Warm) -> None:
    training, run = done
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    code, found, err = again(training, run, warm)
    assert code == 0, err
    assert found["identical"] is True
    assert found["first_difference"] is None
    assert found["largest_in"] == ""
    assert found["differences"] == []
    assert found["run_id"] == run.name
    assert Path(str(found["path"])).name == found["again_id"] != run.name
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    text = warm.run("reproduce", run.name, "-q", outputs=training.outputs, figures=False).out
    assert "identical" in text
    assert "the same to the last bit" in text


def test_what_differs_is_told_with_its_place_and_what_was_otherwise(done: tuple[Training, Path], warm: Warm) -> None:
    training, run = done
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[3][2] = repr(float(rows[3][2]) * (1 + 1e-15))
    (run / "metrics.csv").write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    weights = checkpoint.load(run / "checkpoints" / "best.pt")
    weights["W1"][0, 0] += 0.5
    torch.save(weights, run / "checkpoints" / "best.pt")
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    environment["packages"]["torch"], environment["device"] = "2.0.0", "cuda"
    (run / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    code, found, err = again(training, run, warm)
    assert code == 1
    assert found["identical"] is False
    first = found["first_difference"]
    assert isinstance(first, dict)
    assert (first["epoch"], first["split"], first["column"]) == (int(rows[3][0]), rows[3][1], "loss")
    assert found["largest_in"] == "W1"
    assert found["largest_difference"] == pytest.approx(0.5)
    said = " ".join(map(str, found["differences"]))  # type: ignore[call-overload]
    assert "torch 2.0.0 then" in said
    assert "device cuda then, cpu now" in said
    assert "torch 2.0.0 then" in err


def test_a_run_that_is_not_finished_or_not_there_is_no_measure(warm: Warm, tmp_path: Path) -> None:
    training = Training.made("numpy", tmp_path / "killed")
    assert training.start(warm, die_at=200).code == KILLED
    (run,) = training.runs()
    ended = warm.run("reproduce", run.name, outputs=training.outputs)
    assert ended.code == 5
    assert f"mlhw resume {run.name}" in ended.err
    assert warm.run("reproduce", "nothing", outputs=training.outputs).code == 5
    assert training.runs() == [run]


def row(epoch: int, loss: float, split: str = "train") -> EpochRow:
    return EpochRow(epoch, split, loss, 0.5, 0.1, 1.0)


def test_histories_are_compared_to_the_last_bit_and_row() -> None:
    same = [row(1, 0.3), row(2, float("nan"))]
    assert first_difference(same, list(same)) is None
    assert first_difference(same, [row(1, 0.1 + 0.2), same[1]]) == {
        "epoch": 1,
        "split": "train",
        "column": "loss",
        "then": 0.3,
        "now": 0.1 + 0.2,
    }
    shorter = first_difference(same, same[:1])
    assert shorter is not None
    assert (shorter["epoch"], shorter["column"]) == (2, "rows")
    other = first_difference(same, [row(1, 0.3, "val"), same[1]])
    assert other is not None
    assert other["column"] == "split"


def test_weights_are_compared_by_name_shape_and_bit() -> None:
    one = {"W1": np.ones((2, 2), np.float32), "b1": np.zeros(2, np.float32)}
    assert compare_weights(one, {name: value.copy() for name, value in one.items()}) == (0.0, "", 2)
    assert compare_weights(one, one | {"b1": np.array([0, 0.25], np.float32)}) == (0.25, "b1", 2)
    assert compare_weights(one, one | {"b1": np.array([0, -0.0], np.float32)})[1] == "b1"
    for other in ({"W1": one["W1"]}, one | {"b1": np.zeros(3)}, one | {"c": np.zeros(1)}):
        gap, where, _ = compare_weights(one, other)
        assert np.isnan(gap)
        assert where
