"""What `mlhw compare` reads: names of runs and sweeps, folders that are unfinished, damaged or of another kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlhw.commands.compare.config import read_config
from mlhw.config import reader
from mlhw.config.load import dump, load
from mlhw.errors import ConfigError, RunError
from mlhw.sweeps.records import Record
from tests.cli.compare.made import VALS, asked, ids, made, sweep_of
from tests.cli.program import mlhw


def test_unfinished_failed_and_damaged_runs_are_shown_with_what_they_have(outputs: Path, three: list[str]) -> None:
    (outputs / three[0] / "summary.json").unlink()
    (outputs / three[0] / "metrics.csv").write_text(
        "epoch,split,loss,accuracy,lr,seconds\n1,train,0.9,0.5,0.1,1.0\n2,train,0.8,0.6,0.1,1.0\n2,val,0.7,0.4,0.1,0.5\n3,tra"
    )
    (outputs / three[1] / "summary.json").unlink()
    (outputs / three[1] / "error.json").write_text('{"kind": "TrainingDiverged", "message": "inf at step 3"}')
    (outputs / three[2] / "config.yaml").write_text("a: [")
    good = made(outputs, "digits-cnn-20260101-000009-0009", "train.lr=1")
    done = mlhw("compare", *three, good, "--json", MLHW_OUTPUTS=str(outputs))
    assert done.code == 4
    rows = {row["run_id"]: row for row in done.json["rows"]}
    interrupted, failed, damaged, whole = (rows[run_id] for run_id in (*three, good))
    assert [row["status"] for row in (interrupted, failed, damaged, whole)] == [
        "interrupted",
        "failed",
        "damaged",
        "done",
    ]
    assert interrupted["epoch"] == 2
    assert interrupted["metrics"]["val_accuracy"] == 0.4
    assert interrupted["metrics"]["seconds"] == 2.5
    assert "after epoch 2 of " in done.err
    assert failed["error"] == "inf at step 3"
    assert "config.yaml" in damaged["error"]
    assert damaged["metrics"]["val_accuracy"] == VALS[2]
    assert whole["error"] is None
    table = mlhw("compare", *three, good, MLHW_OUTPUTS=str(outputs))
    assert table.code == 4
    assert "interrupted" in table.out
    for summary in ("{", "[]", '{"val_accuracy": "high"}'):
        (outputs / good / "summary.json").write_text(summary)
        assert asked(outputs, *three, good).damaged[-1].startswith(f"{good}: damaged: ")


def test_names_are_ids_beginnings_latest_and_sweeps_and_what_is_two_things_is_refused(
    outputs: Path, swept: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ids(6)
    assert {row.name for row in asked(outputs, "latest", runs[0][:-2]).rows} == {runs[0], runs[5]}
    assert len(asked(outputs, "latest-sweep").rows) == len(asked(outputs, f"sweeps/{swept[:-2]}").rows) == 3
    with pytest.raises(RunError, match=rf"(?s)6 runs and 1 sweep.*{runs[5]}.*sweeps/{swept}.*`latest`"):
        asked(outputs, "digits-cnn")
    (outputs / "sweeps" / runs[0]).mkdir()
    with pytest.raises(RunError, match="Write sweeps/"):
        asked(outputs, runs[0], runs[1])
    for bad in ("nothing", "../x", "a b", "", "\x1b[2J"):
        with pytest.raises(RunError):
            asked(outputs, bad, runs[1])
    with pytest.raises(ConfigError, match="newest runs"):
        asked(outputs)
    with pytest.raises(ConfigError, match="mlhw show"):
        asked(outputs, runs[1], runs[1])


def test_a_table_that_names_a_folder_outside_is_not_followed(outputs: Path, three: list[str]) -> None:
    (outputs / "sweeps" / "x").mkdir()
    name = sweep_of(outputs, [Record("a", 0, "../" + three[0], "done"), Record("b", 0, three[1], "done")])
    rows = {row.variant: row for row in asked(outputs, name).rows}
    assert rows["a"].status == "removed"
    assert not rows["a"].config
    (outputs / "sweeps" / name / "sweep.csv").write_text("one,two\n1,2\n")
    with pytest.raises(RunError, match="variant, run_id and status"):
        asked(outputs, name)


def test_pretrained_runs_have_their_own_measures_and_mixing_is_said(outputs: Path, three: list[str]) -> None:
    run_id = "pretrained-compare-20260101-000000-0000"
    (outputs / run_id).mkdir()
    (outputs / run_id / "config.yaml").write_text(
        "name: pretrained-compare\npretrained: {kind: compare, models: [a, b]}\n"
    )
    agreement = {"pictures": 4, "all_agree": 3, "networks": [{"name": "a", "top1_accuracy": 0.75}]}
    summary = {"models": [{}, {}], "pictures": {"classified": 4, "skipped": 1}, "agreement": agreement}
    (outputs / run_id / "summary.json").write_text(json.dumps(summary))
    found = asked(outputs, run_id, *three)
    (row,) = [row for row in found.rows if row.name == run_id]
    assert row.measures["all_agree"] == 0.75
    assert row.measures["top1_accuracy.a"] == 0.75
    assert found.notes[0].startswith("nothing to compare between the 3 trained and the 1")


def test_different_data_is_said(outputs: Path, three: list[str]) -> None:
    other = made(outputs, "gmm-softmax-20260101-000000-0000", name="gmm-softmax")
    assert any("of different data (digits, gmm)" in note for note in asked(outputs, three[0], other).notes)
    assert not asked(outputs, *three).notes


def test_a_config_is_read_as_the_strict_reader_reads_it_and_a_deep_one_ends_nothing() -> None:
    for name in ("digits-cnn", "gmm-networks", "grocery-cnn"):
        text = dump(load(name)).encode()
        assert read_config(text, "x") == reader.read(text, "x").value
    for text in (b"a: &x [1, no]\nb: *x\n", b"a: 1e-3\nb: 'x'\nc: [1:30, ~, {d: .nan}]"):
        assert repr(read_config(text, "x")) == repr(reader.read(text, "x").value)
    for text in (
        b"[" * 100_000,
        b"a: " + b"{a: " * 5_000 + b"1" + b"}" * 5_000,
        b"a: 1\na: 2",
        b"a: !!python/name:os.system x",
        b"\xff",
    ):
        with pytest.raises(ConfigError):
            read_config(text, "x")
