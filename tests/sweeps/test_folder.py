"""The journal of a sweep: which runs were begun, whatever was left of the last line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlhw.sweeps import folder as folders

RUNS = [f"tiny-20260101-000000-{number:04x}" for number in range(4)]


@pytest.fixture
def sweep(tmp_path: Path) -> folders.SweepFolder:
    return folders.create(tmp_path, "tiny", "name: tiny\n", {"signature": "s"})


def test_the_newest_run_of_a_trial_counts(sweep: folders.SweepFolder) -> None:
    for trial, run in ((0, RUNS[0]), (1, RUNS[1]), (0, RUNS[2])):
        sweep.begin(trial, run)
    assert sweep.begun() == {0: RUNS[2], 1: RUNS[1]}


@pytest.mark.parametrize("cut", range(1, 52))
def test_a_line_that_was_torn_costs_no_other(cut: int, sweep: folders.SweepFolder) -> None:
    sweep.begin(0, RUNS[0])
    sweep.begin(1, RUNS[1])
    journal = sweep.path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    sweep.begin(2, RUNS[2])
    begun = sweep.begun()
    assert (begun[0], begun[2]) == (RUNS[0], RUNS[2])
    assert set(begun) <= {0, 1, 2}


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "", "tiny", None, 3, f"../{RUNS[0]}", f"{RUNS[0]}/.."])
def test_a_name_that_is_no_run_s_leads_nowhere(name: object, sweep: folders.SweepFolder) -> None:
    sweep.begin(0, RUNS[0])
    with (sweep.path / "journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write(json.dumps({"trial": 0, "run": name}) + "\n")
    assert sweep.begun() == {0: RUNS[0]}
