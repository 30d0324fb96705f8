"""Which runs a sweep makes, and what it says of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mlhw.sweeps import records
from mlhw.sweeps.plan import plan
from mlhw.sweeps.records import Record


def test_every_variant_is_seen_once_before_any_is_seen_twice() -> None:
    trials = plan({"a": {"train.lr": 0.1}, "b": {"model.layers": [{"kind": "dense"}]}}, 2, {"init": 5, "data": 7})
    assert [(trial.variant, trial.repeat) for trial in trials] == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert trials[2].overrides == ("train.lr=0.1", "seed.init=6", "seed.data=8")
    assert trials[1].overrides[0] == 'model.layers=[{"kind": "dense"}]'


def test_without_variants_the_experiment_itself_is_the_one() -> None:
    assert [trial.variant for trial in plan({}, 3, {"init": 0})] == ["base"] * 3


def record(variant: str, repeat: int, accuracy: float | None, status: str = "done") -> Record:
    return Record(variant, repeat, f"run-{variant}-{repeat}", status, val_accuracy=accuracy)


def test_mean_spread_and_n_are_of_the_finished_runs() -> None:
    found = records.spreads(
        [record("a", 0, 0.4), record("b", 0, 0.9), record("a", 1, 0.6), record("a", 2, None, "failed")]
    )
    assert found["a"]["val_accuracy"].mean == pytest.approx(0.5)
    assert found["a"]["val_accuracy"].deviation == pytest.approx(0.1 * 2**0.5)
    assert found["a"]["val_accuracy"].n == 2
    assert found["b"]["val_accuracy"] == records.Spread(0.9, 0.0, 1)
    assert "test_accuracy" not in found["a"]


def test_the_table_has_one_line_a_trial(tmp_path: Path) -> None:
    records.write(tmp_path / "sweep.csv", [record("a", 0, 0.4), Record("b", 0, "", "failed", error='a "quoted", line')])
    with (tmp_path / "sweep.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["variant"] for row in rows] == ["a", "b"]
    assert rows[0]["val_accuracy"] == "0.4"
    assert rows[1]["error"] == 'a "quoted", line'
