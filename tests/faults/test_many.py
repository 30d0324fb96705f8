"""Many processes at once, on one folder of outputs and one cache: each has its own run, and what they share is made once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlhw.runs.store import Run
from tests.faults.killing import Training, assert_same, assert_same_run, leftovers
from tests.faults.warm import KILLED, Ended, Warm

MANY = 16


def test_sixteen_at_once_are_sixteen_runs_of_the_same_numbers_and_one_prepared_data_set(
    warm: Warm, tmp_path: Path
) -> None:
    training = Training.made("numpy", tmp_path / "many")
    arguments = ("train", str(training.config), "-s", "train.epochs=3", "-s", "train.patience_epochs=null", "--json")
    cache = tmp_path / "cache"
    asked = warm.request(*arguments, outputs=training.outputs, figures=False, MLHW_CACHE=str(cache))
    ended = warm.all_of([asked] * MANY)
    assert {each.code for each in ended} == {0}, [each.err for each in ended]
    assert len({each.json["run_id"] for each in ended}) == MANY
    assert len(training.runs()) == MANY
    for run in training.runs()[1:]:
        assert_same_run(run, training.runs()[0])
    assert len([path for path in (cache / "datasets").iterdir() if path.is_dir()]) == 1
    assert leftovers(tmp_path) == []


@pytest.fixture
def killed(warm: Warm, tmp_path: Path) -> Training:
    """A training that was killed in the middle."""
    training = Training.made("numpy", tmp_path / "killed")
    assert training.start(warm, die_at=200, figures=False).code == KILLED
    return training


def test_of_two_resumes_one_is_told_who_holds_the_run(killed: Training, warm: Warm, tmp_path: Path) -> None:
    (run,) = killed.runs()
    asked = warm.request("resume", run.name, outputs=killed.outputs)  # with figures: longer than the other waits
    ended: list[Ended] = sorted(warm.all_of([asked] * 2), key=lambda each: each.code)
    assert [each.code for each in ended] == [0, 5]
    assert f"held by process {ended[0].pid}" in ended[1].err
    whole = Training.made("numpy", tmp_path / "whole")
    assert whole.start(warm, figures=False).code == 0
    assert_same(killed, whole)


@pytest.mark.parametrize("command", [("rm", "--yes"), ("resume",)])
def test_a_run_that_another_process_holds_is_left_alone(command: tuple[str, ...], killed: Training, warm: Warm) -> None:
    (path,) = killed.runs()
    before = sorted(each.name for each in path.rglob("*"))
    with Run(path).lock():
        ended = warm.run(*command, path.name, outputs=killed.outputs)
        assert ended.code == 5
        assert "is held by process" in ended.err
        assert json.loads(warm.run("runs", "--json", outputs=killed.outputs).out)["status"] == "running"
    assert sorted(each.name for each in path.rglob("*") if ".tmp" not in each.name) == [
        name for name in before if ".tmp" not in name
    ]


def test_of_several_runs_none_is_removed_where_one_is_held(warm: Warm, tmp_path: Path) -> None:
    trainings = [Training.made("numpy", tmp_path / name) for name in ("a", "b")]
    for training in trainings:
        assert training.start(warm, die_at=60).code == KILLED
    (first,), (second,) = (training.runs() for training in trainings)
    second = second.rename(first.parent / second.name)
    with Run(second).lock():
        assert warm.run("rm", "--yes", first.name, second.name, outputs=first.parent).code == 5
    assert first.is_dir()
    assert second.is_dir()
    assert warm.run("rm", "--yes", first.name, second.name, outputs=first.parent).code == 0
    assert list(first.parent.iterdir()) == []


def test_the_lock_of_a_dead_process_holds_nobody_up(killed: Training, warm: Warm) -> None:
    (path,) = killed.runs()
    assert (path / "lock").exists()
    assert (path / "holder.json").exists()
    assert json.loads(warm.run("runs", "--json", outputs=killed.outputs).out)["status"] == "interrupted"
    assert killed.end(warm).code == 0


@pytest.mark.parametrize("die_at", [2, 5, 8])
def test_a_preparation_that_was_killed_is_done_again_and_leaves_nothing(
    die_at: int, warm: Warm, tmp_path: Path
) -> None:
    training, cache = Training.made("numpy", tmp_path / "run"), tmp_path / "cache"
    ended = training.start(warm, die_at=die_at, within=cache, figures=False, MLHW_CACHE=str(cache))
    assert ended.code == KILLED
    assert training.runs() == []
    assert training.start(warm, figures=False, MLHW_CACHE=str(cache)).code == 0
    assert len([path for path in (cache / "datasets").iterdir() if path.is_dir()]) == 1
    assert leftovers(cache) == []
