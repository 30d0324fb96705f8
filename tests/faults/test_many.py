"""Many processes at once, on one folder of outputs and one cache: each has its own run, and what they share is made once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from mlhw.runs.store import Run
from tests.commands.pictures_made import draw_pictures
from tests.faults.killing import Training, assert_same, assert_same_run, leftovers
from tests.faults.warm import KILLED, Ended, Warm

MANY = 16
PICTURES = """
name: by-pictures
data: {kind: folder, path: FOLDER, image_size_pixels: 16, val_fraction: 0.2, test_fraction: 0.2}
model: {kind: digits-cnn, channels: [2, 3], dropout: 0.1}
train: {epochs: 2, batch_size: 8, lr: 0.01, optimizer: {kind: adam}, augment: {shift_fraction: 0.1}}
threads: 1
"""


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
def pictures(tmp_path: Path) -> Training:
    """A training on 60 pictures in three class folders, which nobody has prepared."""
    folder = tmp_path / "pictures"
    for number, path in enumerate(draw_pictures(folder, 60)):
        path.rename(_made(folder / f"class {number % 3}") / path.name)
    config = tmp_path / "pictures.yaml"
    config.write_text(PICTURES.replace("FOLDER", json.dumps(str(folder))), encoding="utf-8")
    return Training("pictures", tmp_path / "outputs", config)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def preparers(traces: Sequence[Path]) -> int:
    """How many of the processes decoded pictures."""
    return sum("datasets/images.py:decode_splits" in trace.read_text(encoding="utf-8") for trace in traces)


@pytest.mark.parametrize("doomed", [0, MANY - 1])
def test_of_sixteen_at_once_on_a_folder_of_pictures_one_prepares_and_all_are_equal(
    doomed: int, pictures: Training, warm: Warm, tmp_path: Path
) -> None:
    """The first ``doomed`` of them are killed amid preparing, where it falls to them; another then does it.

    Of fifteen doomed some die, but for the once in a while that the one who is not comes first.
    """
    cache, arguments = tmp_path / "cache", ("train", str(pictures.config), "--json")
    preparing = (
        cache / "datasets" / ".folder"
    )  # what such folders' names begin with: waiting for the lock counts for nothing
    how = {"outputs": pictures.outputs, "within": preparing, "figures": False, "MLHW_CACHE": str(cache)}
    traces = [tmp_path / f"trace-{number}" for number in range(MANY + 1)]
    asked = [
        warm.request(*arguments, **how, trace=trace, die_at=5 if number < doomed else 0)
        for number, trace in enumerate(traces[:MANY])
    ]
    ended = warm.all_of(asked)
    done = [each for each in ended if each.code == 0]
    lost = [each for each in ended[:doomed] if each.code == KILLED]
    assert len(done) + len(lost) == MANY, [each.err for each in ended if each.code not in (0, KILLED)]
    assert preparers(traces[:MANY]) == len(lost) + 1
    assert len({each.json["run_id"] for each in done}) == len(pictures.runs()) == len(done)
    for run in pictures.runs()[1:]:
        assert_same_run(run, pictures.runs()[0])
    (folder,) = [path for path in (cache / "datasets").iterdir() if path.is_dir()]
    assert folder.name.startswith("folder-")
    assert leftovers(tmp_path) == []
    for path in tmp_path.rglob("*.lock"):
        with FileLock(path, timeout=0):
            pass
    assert warm.run(*arguments, **how, trace=traces[-1]).code == 0
    assert preparers(traces[-1:]) == 0
    assert_same_run(pictures.runs()[-1], pictures.runs()[0])


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
