"""`mlhw compare`: only what differs, best on val first, nothing hidden, nothing executed by who reads it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from mlhw.cli import comparison, comparison_table, screen
from mlhw.commands.compare.config import read_config
from mlhw.commands.compare.table import Comparison, compare
from mlhw.commands.settings import Settings
from mlhw.config import reader
from mlhw.config.load import dump, load
from mlhw.errors import ConfigError, RunError
from mlhw.runs import store
from mlhw.sweeps.records import Record, Spread, write
from tests.cli.program import mlhw

VALS = (0.91, 0.95, 0.93)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs"
    (folder / "sweeps").mkdir(parents=True)
    return folder


def made(outputs: Path, run_id: str, *overrides: str, name: str = "digits-cnn", **summary: Any) -> str:
    """A finished run of experiment ``name``, by its files alone."""
    folder = outputs / run_id
    folder.mkdir()
    (folder / "config.yaml").write_text(dump(load(name, overrides)), encoding="utf-8")
    record = {"run_id": run_id, "epochs": 3, "best_epoch": 3, "parameters": 100, "seconds_training": 1.5}
    record |= {f"{split}_loss": 0.5 for split in ("train", "val", "test")} | {"train_accuracy": 0.99}
    record |= {"val_accuracy": 0.9, "test_accuracy": 0.9} | summary
    (folder / "summary.json").write_text(json.dumps(record), encoding="utf-8")
    return run_id


def ids(count: int, name: str = "digits-cnn") -> list[str]:
    return [f"{name}-20260101-0000{place:02}-{place:04x}" for place in range(count)]


@pytest.fixture
def three(outputs: Path) -> list[str]:
    """Three runs that differ in the rate; the second is the best on val, the third on test."""
    tests = (0.90, 0.91, 0.99)
    return [
        made(outputs, run_id, f"train.lr={lr}", val_accuracy=val, test_accuracy=test)
        for run_id, lr, val, test in zip(ids(3), (0.1, 0.01, 0.001), VALS, tests, strict=True)
    ]


def asked(outputs: Path, *names: str, **how: Any) -> Comparison:
    return compare(Settings(data=outputs, outputs=outputs, cache=outputs), names, **how)


def test_only_what_differs_is_a_column_and_the_best_on_val_comes_first(outputs: Path, three: list[str]) -> None:
    found = asked(outputs, *three)
    measures = [f"{split}_{what}" for split in ("train", "val", "test") for what in ("loss", "accuracy")]
    assert found.columns == ["train.lr", *measures, "seconds"]
    assert [row.name for row in found.rows] == [three[1], three[2], three[0]]
    assert found.sorted_by == "val_accuracy"
    assert found.same["data.kind"] == "digits"
    assert "train.lr" not in found.same


def test_test_accuracy_never_sorts_unasked(outputs: Path) -> None:
    tests = (0.1, 0.9, 0.5)
    runs = [
        made(outputs, run_id, f"train.lr={place + 1}", val_accuracy=None, val_loss=None, test_accuracy=test)
        for place, (run_id, test) in enumerate(zip(ids(3), tests, strict=True))
    ]
    given = asked(outputs, *runs)
    assert [row.name for row in given.rows] == runs
    assert given.sorted_by is None
    assert "val_accuracy" not in given.columns
    assert [row.name for row in asked(outputs, *runs, sort="test acc").rows] == [runs[1], runs[2], runs[0]]


def test_any_column_sorts_both_ways_and_what_has_no_value_stays_last(outputs: Path, three: list[str]) -> None:
    other = made(outputs, "gmm-softmax-20260101-000000-0000", name="gmm-softmax", test_accuracy=None)
    by_rate = asked(outputs, *three, other, sort="lr")
    assert [row.config["train.lr"] for row in by_rate.rows] == sorted(row.config["train.lr"] for row in by_rate.rows)
    for reverse in (False, True):
        rows = asked(outputs, other, *three, sort="test_accuracy", reverse=reverse).rows
        assert rows[-1].name == other
        assert [row.name for row in rows[:3]] == (three if reverse else three[::-1])


def test_columns_are_picked_in_order_by_their_last_part_or_heading(outputs: Path, three: list[str]) -> None:
    assert asked(outputs, *three, columns=["val acc", "lr", "epochs"]).columns == ["val_accuracy", "train.lr", "epochs"]
    with pytest.raises(ConfigError, match=r"no column 'train\.lt'.*train\.lr"):
        asked(outputs, *three, sort="train.lt")
    with pytest.raises(ConfigError, match=r"'kind' could be .*data\.kind or .*model\.kind"):
        asked(outputs, *three, columns=["kind"])


def test_all_has_the_keys_that_do_not_differ_too(outputs: Path, three: list[str]) -> None:
    found = asked(outputs, *three, everything=True)
    assert {"train.batch_size", "description", "parameters", "status"} <= set(found.columns)
    assert found.record()["rows"][0]["config"].keys() == set(found.rows[0].config)


def sweep_of(outputs: Path, records: list[Record], name: str = "digits-cnn-20260101-000000-beef") -> str:
    (outputs / "sweeps" / name).mkdir()
    write(outputs / "sweeps" / name / "sweep.csv", records)
    return name


@pytest.fixture
def swept(outputs: Path) -> str:
    """Two variants of three seeds each, in the order of a sweep, and a trial that came to no run."""
    records = []
    for place, run_id in enumerate(ids(6)):
        seed, lr = place // 2, (0.1, 0.01)[place % 2]
        value = VALS[seed] - 0.1 * (place % 2)
        keys = (f"train.lr={lr}", f"seed.init={seed}", f"seed.data={seed}")
        made(outputs, run_id, *keys, val_accuracy=value)
        records.append(Record(("fast", "slow")[place % 2], seed, run_id, "done", val_accuracy=value))
    return sweep_of(outputs, [*records, Record("wild", 0, "", "failed", error="the loss became inf")])


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


NASTY = "=1+1|<b>\x1b[2J"


@pytest.fixture
def nasty(outputs: Path, three: list[str]) -> list[str]:
    for place, run_id in enumerate(three):
        config = outputs / run_id / "config.yaml"
        text = config.read_text(encoding="utf-8")
        config.write_text(f"{text}'=key|': {json.dumps(NASTY + str(place))}\nlow: {-place}\n", encoding="utf-8")
    return three


def test_csv_holds_no_formula_and_no_control_character_and_reads_back(outputs: Path, nasty: list[str]) -> None:
    text = comparison.as_csv(asked(outputs, *nasty))
    header, *lines = list(csv.reader(io.StringIO(text)))
    assert header[0] == "run_id"
    assert "'=key|" in header
    assert all(line[header.index("'=key|")].startswith("'=1+1|<b>") for line in lines)
    assert {line[header.index("low")] for line in lines} == {"0", "-1", "-2"}  # a number stays one
    assert [float(line[header.index("val_accuracy")]) for line in lines] == sorted(VALS, reverse=True)
    assert "\x1b" not in text


def test_markdown_keeps_its_columns_whatever_a_setting_holds(outputs: Path, nasty: list[str]) -> None:
    text = comparison.as_markdown(asked(outputs, *nasty))
    assert "\x1b" not in text
    assert "<b>" not in text
    bars = {line.replace("\\|", "").count("|") for line in text.splitlines()}
    assert len(bars) == 1


def shown(found: Comparison, width: int, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """What a terminal of ``width`` columns shows on stdout and stderr."""
    streams = []
    for name in ("results", "errors"):
        made_ = screen.Screen(stderr=name == "errors")
        made_.console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, soft_wrap=True)
        streams.append(made_)
        monkeypatch.setattr(comparison_table, name, lambda stream=made_: stream)
    comparison_table.print_comparison(found)
    out, err = (stream.console.file.getvalue() for stream in streams)  # type: ignore[attr-defined]
    return out, err


@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_a_table_is_no_wider_than_the_terminal_and_says_what_it_left_out(
    outputs: Path, nasty: list[str], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = made(
        outputs, "digits-cnn-20260101-000058-0058", "train.batch_size=7", "model.kind=numpy-mlp", "train.epochs=9"
    )
    out, err = shown(asked(outputs, *nasty, other), width, monkeypatch)
    lines = out.splitlines()
    assert len(lines) == 5
    assert max(map(cell_len, lines)) <= width
    assert "\x1b" not in out
    assert "val acc ↓" in lines[0]
    assert all(run_id in out for run_id in nasty)
    assert ("no room for" in err) is (width < 300)
    assert ("train loss" in lines[0]) is (width == 300)


def test_settings_are_short_in_the_terminal_and_whole_elsewhere(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [{"kind": "dense", "units": 16}] * 3
    runs = ids(2, "gmm-networks")
    for run_id, some in zip(runs, (layers, []), strict=True):
        made(outputs, run_id, f"model.layers={json.dumps(some)}", name="gmm-networks")
    found = asked(outputs, *runs)
    out, _ = shown(found, 160, monkeypatch)
    assert "dense 16 ×3" in out
    assert json.dumps(layers) in comparison.as_markdown(found)
    assert next(csv.DictReader(io.StringIO(comparison.as_csv(found))))["model.layers"] == json.dumps(layers)


def test_the_program_prints_each_format_alone_on_stdout(outputs: Path, three: list[str]) -> None:
    place = {"MLHW_OUTPUTS": str(outputs)}
    record = mlhw("compare", *three, "--json", **place).json
    assert set(record) == {"columns", "rows", "same", "sorted_by", "folded", "notes"}
    assert record["rows"][0]["config"] == {"train.lr": 0.01}
    assert mlhw("compare", *three, "--csv", **place).out.startswith("run_id,train.lr,")
    assert mlhw("compare", *three, "--md", **place).out.startswith("| run | train.lr |")
    assert mlhw("compare", *three, "--md", "--csv", **place).code == 2
    assert mlhw("compare", "--sort", "val_loss", "nosuch", **place).code == 5
    assert mlhw("compare", **place).code == 2


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


def test_nothing_heavy_is_loaded(outputs: Path, three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLHW_OUTPUTS", str(outputs))
    code = (
        "import sys\nfrom mlhw.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([n for n in ('torch', 'numpy', 'pandas', 'matplotlib', 'sklearn') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, "compare", *three], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"
    assert store.RUN_ID.fullmatch(done.stdout.splitlines()[1].split()[0])
