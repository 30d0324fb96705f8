"""Run folders: found by prefix, never outside, never twice, never removed while alive."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlhw.errors import OutputError, RunError
from mlhw.files import write_json
from mlhw.runs import removal, store


def make(outputs: Path, name: str, stamp: str, tail: str) -> store.Run:
    path = outputs / f"{name}-{stamp}-{tail}"
    path.mkdir(parents=True)
    (path / "config.yaml").write_text("name: x\n", encoding="utf-8")
    return store.Run(path)


def test_a_new_run_has_an_id_of_name_time_and_tail(tmp_path: Path) -> None:
    run = store.create(tmp_path, "digits-cnn", "name: x\n")
    assert store.RUN_ID.fullmatch(run.id)
    assert run.id.startswith("digits-cnn-")
    assert run.config_file.read_text(encoding="utf-8") == "name: x\n"


def test_starts_in_one_second_never_collide(tmp_path: Path) -> None:
    ids = {store.create(tmp_path, "x", "").id for _ in range(100)}
    assert len(ids) == 100


def test_a_unique_prefix_and_latest_find_a_run(tmp_path: Path) -> None:
    old = make(tmp_path, "b", "20260101-000000", "aaaa")
    new = make(tmp_path, "a", "20260102-000000", "bbbb")
    assert store.find(tmp_path, "b-2026").id == old.id
    assert store.find(tmp_path, "latest").id == new.id
    assert [run.id for run in store.all_runs(tmp_path)] == [new.id, old.id]


def test_ids_are_completed_newest_first_and_files_are_no_runs(tmp_path: Path) -> None:
    assert store.run_ids(tmp_path / "missing") == []
    ids = [make(tmp_path, "ab", f"2026010{day}-000000", "aaaa").id for day in (1, 3, 2)]
    make(tmp_path, "b", "20260105-000000", "aaaa")
    (tmp_path / "ab-20260104-000000-aaaa").touch()
    (tmp_path / "ab-sweep").mkdir()
    assert store.run_ids(tmp_path, "ab") == [ids[1], ids[2], ids[0]]
    assert [run.id for run in store.all_runs(tmp_path, 2)] == ["b-20260105-000000-aaaa", ids[1]]


def test_of_two_runs_in_one_second_latest_is_the_one_made_last(tmp_path: Path) -> None:
    import os

    first = make(tmp_path, "x", "20260101-000000", "ffff")
    second = make(tmp_path, "x", "20260101-000000", "0000")
    os.utime(first.config_file, ns=(1, 1))
    os.utime(second.config_file, ns=(2, 2))
    assert store.find(tmp_path, "latest").id == second.id


def test_an_id_that_begins_another_is_itself(tmp_path: Path) -> None:
    run = make(tmp_path, "x", "20260101-000000", "aaaa")
    make(tmp_path, "x-20260101-000000-aaaa", "20260101-000000", "bbbb")
    assert store.find(tmp_path, run.id).id == run.id


def test_an_ambiguous_prefix_names_the_candidates(tmp_path: Path) -> None:
    make(tmp_path, "x", "20260101-000000", "aaaa")
    make(tmp_path, "x", "20260101-000000", "bbbb")
    with pytest.raises(RunError, match=r"(?s)beginning of 2 runs.*bbbb.*aaaa") as caught:
        store.find(tmp_path, "x-")
    assert caught.value.exit_code == 5


def test_an_ambiguous_word_is_answered_with_ways_that_work(tmp_path: Path) -> None:
    ids = [make(tmp_path, "digits-cnn", f"2026010{day}-000000", "aaaa").id for day in range(1, 8)]
    last = make(tmp_path, "mnist", "20260109-000000", "bbbb").id
    with pytest.raises(RunError) as caught:
        store.find(tmp_path, "digits-cnn")
    first, *listed, more, ways = str(caught.value).splitlines()
    assert first == "'digits-cnn' is the beginning of 7 runs, the newest first:"
    assert [line.strip() for line in listed] == ids[:1:-1]
    assert "2 more" in more
    longer = re.search(r"a longer beginning, as (\S+), or", ways)
    assert longer
    assert store.find(tmp_path, longer[1]).id == ids[-1]
    assert len(longer[1]) < len(ids[-1])
    assert ways.endswith(f"`latest`, which is {last}.")
    (tmp_path / last).rename(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="`latest`, which is the first of these"):
        store.find(tmp_path, "digits-cnn")


def test_runs_of_the_very_name_come_before_those_of_a_sweep_of_it(tmp_path: Path) -> None:
    own = make(tmp_path, "digits-cnn", "20260101-000000", "aaaa").id
    for day in range(2, 9):
        make(tmp_path, "digits-cnn-lr-0-1", f"2026010{day}-000000", "bbbb")
    with pytest.raises(RunError) as caught:
        store.find(tmp_path, "digits-cnn")
    first, second, *_ = str(caught.value).splitlines()
    assert first.endswith("8 runs, the newest of that very name first:")
    assert second.strip() == own


def test_an_id_that_begins_another_has_no_longer_beginning_to_offer(tmp_path: Path) -> None:
    make(tmp_path, "x-20260102-000000-aaaa", "20260101-000000", "bbbb")
    run = make(tmp_path, "x", "20260102-000000", "aaaa")
    with pytest.raises(RunError, match="Give the whole id, a longer beginning, or `latest`") as caught:
        store.find(tmp_path, "x-")
    assert run.id in str(caught.value)


@pytest.mark.parametrize("name", ["../x", "..", "", "a/b", "a\\b", "x y", "-x", "x\n", "é", "a:b"])
def test_a_malformed_id_is_refused_before_any_path_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="not a run id"):
        store.find(tmp_path, name)


def test_an_unknown_run_is_answered_with_the_nearest(tmp_path: Path) -> None:
    run = make(tmp_path, "digits", "20260101-000000", "aaaa")
    with pytest.raises(RunError, match=run.id):
        store.find(tmp_path, "digits-20260101-000000-aaab")
    with pytest.raises(RunError, match="there are no runs"):
        store.find(tmp_path / "none", "latest")


def test_status_follows_from_the_files(tmp_path: Path) -> None:
    run = make(tmp_path, "x", "20260101-000000", "aaaa")
    assert run.status() == "interrupted"
    write_json(run.error_file, {"message": "m"})
    assert run.status() == "failed"
    write_json(run.summary_file, {})
    assert run.status() == "done"


HOLD = """
import sys
from pathlib import Path
from mlhw.runs.store import Run
with Run(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_keeps_others_out_and_dies_with_its_process(tmp_path: Path) -> None:
    run = make(tmp_path, "x", "20260101-000000", "aaaa")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        assert run.status() == "running"
        with pytest.raises(RunError, match=str(holder.pid)), run.lock():
            pass
        with pytest.raises(RunError, match="is held by"):
            removal.put_away(run)
        assert run.path.is_dir()
        holder.kill()
    assert run.status() == "interrupted"
    with run.lock():
        pass


def test_removal_takes_the_folder_and_no_other(tmp_path: Path) -> None:
    run, other = make(tmp_path, "x", "20260101-000000", "aaaa"), make(tmp_path, "x", "20260101-000000", "bbbb")
    removal.put_away(run)
    assert store.run_ids(run.path.parent) == [other.id]
    removal.erase(run)
    assert [entry.name for entry in tmp_path.iterdir()] == [other.id]


def test_outputs_that_cannot_be_made_are_an_error_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="MLHW_OUTPUTS"):
        store.create(tmp_path / "file" / "outputs", "x", "")


def test_what_is_no_run_is_not_listed(tmp_path: Path) -> None:
    make(tmp_path, "x", "20260101-000000", "aaaa")
    (tmp_path / "plots").mkdir()
    (tmp_path / "README.md").write_text("", encoding="utf-8")
    assert len(store.all_runs(tmp_path)) == 1
