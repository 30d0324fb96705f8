"""`mlhw compare` of sweeps and seeds: a row a variant, none counted twice, trials that are not over among them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mlhw.cli import comparison
from mlhw.sweeps.records import Spread
from tests.cli.compare.made import VALS, asked, ids, made
from tests.cli.program import mlhw


def test_a_sweep_with_several_seeds_has_a_row_a_variant_with_n(outputs: Path, swept: str) -> None:
    found = asked(outputs, swept)
    assert [(found.name(row), row.n) for row in found.rows] == [("fast", 3), ("slow", 3), ("wild", 0)]
    spread = found.rows[0].measures["val_accuracy"]
    assert isinstance(spread, Spread)
    assert spread.mean == pytest.approx(0.93)
    assert spread.deviation == pytest.approx(0.02)
    assert "93.00 ± 2.00 %" in comparison.as_markdown(found)
    assert found.columns[:2] == ["n", "status"]
    assert not [name for name in found.columns if name.startswith("seed.")]
    assert asked(outputs, swept, columns=["val acc"]).columns == ["n", "val_accuracy"]  # no mean without its n
    each = asked(outputs, swept, folded=False)
    assert len(each.rows) == 7
    assert {"repeat", "run_id", "seed.init"} <= set(each.columns)


def test_seeds_folds_runs_and_counts_a_repeated_seed_once(outputs: Path) -> None:
    runs = ids(4)
    for run_id, seed, value in zip(runs, (0, 1, 1, 0), (0.8, 0.9, 0.9, 0.5), strict=True):
        made(outputs, run_id, f"seed.init={seed}", f"train.lr={0.1 if run_id == runs[3] else 0.2}", val_accuracy=value)
    found = asked(outputs, *runs, folded=True)
    assert [row.n for row in found.rows] == [2, 1]
    assert found.rows[0].run_ids == tuple(runs[:2])
    assert any(runs[2] in note and "once" in note for note in found.notes)
    record = found.record()["rows"]
    assert record[1]["metrics"]["val_accuracy"] == {"mean": 0.5, "deviation": None, "n": 1}
    assert not asked(outputs, *runs).folded


def test_trials_of_an_unfinished_sweep_are_there_though_its_table_has_them_not(outputs: Path, swept: str) -> None:
    run_id = made(outputs, "digits-cnn-20260101-000059-00ff", "train.lr=0.3")
    (outputs / run_id / "summary.json").unlink()
    trials = [{"variant": name, "repeat": repeat} for name in ("fast", "new") for repeat in (0, 1)]
    (outputs / "sweeps" / swept / "plan.json").write_text(json.dumps({"trials": trials}))
    (outputs / "sweeps" / swept / "journal.jsonl").write_text(json.dumps({"trial": 2, "run": run_id}) + "\n")
    rows = {(row.variant, row.repeat): row for row in asked(outputs, swept, folded=False).rows}
    assert len(rows) == 9
    assert rows["new", 0].status == "interrupted"
    assert rows["new", 1].status == "planned"
    assert rows["wild", 0].error == "the loss became inf"
    assert "repeat" in asked(outputs, swept).columns  # without it "new" would be there twice alike


def test_a_removed_member_keeps_its_numbers_and_is_said(outputs: Path, swept: str) -> None:
    shutil.rmtree(outputs / ids(6)[0])
    done = mlhw("compare", swept, "--json", MLHW_OUTPUTS=str(outputs))
    assert done.code == 4
    (gone,) = [row for row in done.json["rows"] if row["status"] == "removed"]
    assert gone["metrics"]["val_accuracy"] == VALS[0]
    assert gone["run_id"] == ids(6)[0]
