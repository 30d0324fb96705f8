"""`mlhw sweep` as a user runs it: variants, seeds, what is done already, what fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.program import Result, mlhw

YAML = """
name: tiny
data: {kind: digits, split_rows: 100, val_fraction: 0.2}
model: {kind: numpy-resnet}
train: {epochs: 2, batch_size: 20, lr: 0.01}
sweep:
  variants:
    linear: {}
    deeper: {model.layers: [{kind: dense, units: 8}]}
    wild: {train.lr: 1e9, model.loss: least-squares, model.dtype: float32}
"""


def test_variants_and_seeds_are_compared_and_one_that_fails_does_not_end_the_rest(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML)
    first = mlhw("sweep", "tiny.yaml", "--seeds", "2", "--json", cwd=tmp_path)
    assert first.code == 4, first.err
    found = first.json
    assert [(t["variant"], t["repeat"]) for t in found["trials"]] == [
        (v, r) for r in (0, 1) for v in ("linear", "deeper", "wild")
    ]
    assert [t["status"] for t in found["trials"]] == ["done", "done", "failed"] * 2
    assert found["spreads"]["linear"]["val_accuracy"]["n"] == 2
    assert found["spreads"]["wild"] == {}
    folder = Path(found["path"])
    assert {path.name for path in folder.iterdir()} >= {
        "plots",
        "sweep.csv",
        "sweep.yaml",
        "plan.json",
        "journal.jsonl",
    }
    assert {Path(file).name for file in found["files"]} == {"curves.png", "curves.svg", "accuracy.png", "accuracy.svg"}
    members = [folder.parents[1] / t["run_id"] for t in found["trials"] if t["status"] == "done"]
    assert all((member / "summary.json").is_file() and not any((member / "plots").iterdir()) for member in members)

    again = mlhw("sweep", "tiny.yaml", "--seeds", "2", "--json", cwd=tmp_path)
    assert again.json["sweep_id"] == found["sweep_id"]
    assert again.json["trials"] == found["trials"]  # what failed is not tried again either
    fewer = mlhw("sweep", "tiny.yaml", "--json", cwd=tmp_path)  # another sweep, whose runs are there
    assert fewer.json["sweep_id"] != found["sweep_id"]
    assert [t["run_id"] for t in fewer.json["trials"][:2]] == [t["run_id"] for t in found["trials"][:2]]


RATES = (
    "sweep-lr",
    "tiny.yaml",
    "--lrs",
    "0.001,0.01,1e9",
    "-s",
    "train.epochs=15",
    "-s",
    "model.loss=least-squares",
    "--json",
)
WORDS = ("run_id", "seconds_training", "error", "values")


def numbers(result: Result) -> list[dict[str, object]]:
    """The trials without what no two sweeps share."""
    return [{key: value for key, value in trial.items() if key not in WORDS} for trial in result.json["trials"]]


def assert_close(one: Result, other: Result) -> None:
    """The same words, and the same numbers to nine digits."""
    for mine, theirs in zip(numbers(one), numbers(other), strict=True):
        for key, value in mine.items():
            assert value == (pytest.approx(theirs[key], rel=1e-9) if isinstance(value, float) else theirs[key]), key


def test_a_stack_gives_the_numbers_of_single_runs_and_the_lost_member_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML)
    stacked, alone, spread = (
        mlhw(*RATES, "--again", "--executor", *how, cwd=tmp_path)
        for how in (("stack",), ("serial",), ("processes", "--jobs", "2"))
    )
    assert stacked.code == alone.code == spread.code == 4
    assert [trial["status"] for trial in stacked.json["trials"]] == ["done", "done", "failed"]
    assert numbers(spread) == numbers(alone)
    assert_close(stacked, alone)
    assert any("not finite" in line or "diverg" in line.lower() for line in stacked.json["discussion"]), stacked.json[
        "discussion"
    ]
    assert {Path(file).name for file in stacked.json["files"]} == {"curves.png", "curves.svg", "final.png", "final.svg"}
    member = stacked.json["trials"][0]["run_id"]
    assert mlhw("resume", member, cwd=tmp_path).code == 0  # it is done
    assert mlhw("show", member, cwd=tmp_path).code == 0


def test_seeds_of_data_stack_with_rows_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML[: YAML.index("sweep:")])
    results = [
        mlhw("sweep", "tiny.yaml", "--seeds", "3", "--again", "--executor", how, "--json", cwd=tmp_path)
        for how in ("stack", "serial")
    ]
    assert_close(*results)


def test_a_grid_is_every_combination_and_its_keys_are_columns(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML[: YAML.index("sweep:")])
    grid = ("--grid", "train.lr=log:1e-3:1e-2:2", "--grid", "train.batch_size=20,40")
    found = mlhw("sweep", "tiny.yaml", *grid, "--json", cwd=tmp_path).json
    assert [trial["variant"] for trial in found["trials"]] == [
        f"lr={lr} batch_size={rows}" for lr in ("0.001", "0.01") for rows in (20, 40)
    ]
    head = (Path(found["path"]) / "sweep.csv").read_text().splitlines()[0]
    assert head.startswith("variant,repeat,train.lr,train.batch_size,run_id,status,")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--grid", "train.lr"), "key=value"),
        (("--grid", "train.lr=0.1,0.1"), "twice"),
        (("--grid", "train.lr=log:0:1:3"), "log:1e-4:1:8"),
        (("--grid", "train.rate=0.1"), "unknown key 'train.rate'"),
        (("--executor", "stacks"), "stack"),
        (("--grid", "seed.init=1,2", "--grid", "seed.init=3"), "twice"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_anything_is_trained(
    flags: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML)
    result = mlhw("sweep", "tiny.yaml", *flags, cwd=tmp_path)
    assert result.code == 2
    assert said in result.err
    assert not (tmp_path / "outputs").exists()


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it")
@pytest.mark.parametrize("executor", ["stack", "serial"])
def test_a_sweep_that_is_killed_goes_on_and_ends_as_if_it_had_not_been(executor: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML[: YAML.index("sweep:")])
    command = ["sweep-lr", "tiny.yaml", "--lrs", "0.001,0.003,0.01", "-s", "train.epochs=1500", "--executor", executor]
    environment = os.environ | {"MLHW_OUTPUTS": str(tmp_path / "killed")}
    program = subprocess.Popen(
        [sys.executable, "-m", "mlhw", *command], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while not [*tmp_path.glob("killed/**/*.pt")] and program.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        program.kill()
        program.wait()
    kept = set(tmp_path.glob("killed/tiny-*"))
    finished = [
        mlhw(*command, "--json", cwd=tmp_path, MLHW_OUTPUTS=str(tmp_path / name)) for name in ("killed", "whole")
    ]
    assert finished[0].code == 0, finished[0].err
    assert numbers(finished[0]) == numbers(finished[1])
    assert kept <= set(tmp_path.glob("killed/tiny-*"))
    assert len([*tmp_path.glob("killed/tiny-*")]) == 3  # none was begun again in another folder


def test_a_variant_that_is_no_experiment_is_named_before_anything_is_trained(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML.replace("train.lr", "train.rate"))
    result = mlhw("sweep", "tiny.yaml", cwd=tmp_path)
    assert result.code == 2
    assert "sweep.variants.wild" in result.err
    assert "train.rate" in result.err
    assert not (tmp_path / "outputs").exists()
