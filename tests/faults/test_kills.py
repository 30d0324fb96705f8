"""Killed anywhere, a training goes on and ends as if nothing had happened.

``MLHW_TEST_KILLS`` says how many kills there shall be (20 where it does not), ``MLHW_TEST_SEED`` another set of moments;
``--log-cli-level=INFO`` shows the count.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import numpy as np
import pytest

from tests.faults.killing import Training, assert_same, live
from tests.faults.kinds import KINDS
from tests.faults.warm import KILLED, Warm

KILLS = int(os.environ.get("MLHW_TEST_KILLS", "20"))
SEED = int(os.environ.get("MLHW_TEST_SEED", "0"))
LIVES = 4


@pytest.mark.parametrize("kind", KINDS)
def test_killed_anywhere_it_ends_as_if_it_had_not_been(kind: str, warm: Warm, tmp_path: Path) -> None:
    whole = Training.made(kind, tmp_path / "whole")
    undisturbed = whole.start(warm)
    assert undisturbed.code == whole.good, undisturbed.err
    kills, chains, rng = 0, 0, np.random.default_rng([SEED, *kind.encode()])
    while kills < KILLS / len(KINDS):
        chains += 1
        got = Training.made(kind, tmp_path / f"killed-{chains}")
        kills += live(got, warm, undisturbed, rng, LIVES)
        assert_same(got, whole)
    logging.getLogger(__name__).info("%s: %d kills in %d runs", kind, kills, chains)


@pytest.mark.parametrize("unfinished", [0, 1, 2])
def test_a_stack_that_was_killed_as_its_members_were_finished_loses_no_row(
    unfinished: int, warm: Warm, tmp_path: Path
) -> None:
    whole, got = (Training.made("stack", tmp_path / name) for name in ("whole", "got"))
    for training in (whole, got):
        assert training.start(warm, figures=False, each_epoch=False).code == training.good
    run = got.runs()[unfinished]
    for name in ("summary.json", "test_predictions.csv"):
        (run / name).unlink()
    ended = warm.run("resume", run.name, outputs=got.outputs, figures=False)
    assert ended.code == 0, ended.err
    assert_same(got, whole)


def test_a_run_that_goes_on_elsewhere_says_what_differs_and_records_it(warm: Warm, tmp_path: Path) -> None:
    for elsewhere in (False, True):
        training = Training.made("numpy", tmp_path / f"run-{elsewhere}")
        assert training.start(warm, die_at=200, figures=False).code == KILLED
        (run,) = training.runs()
        if elsewhere:
            facts = json.loads((run / "environment.json").read_text(encoding="utf-8"))
            facts |= {"processor": "another", "packages": facts["packages"] | {"numpy": "0.1"}}
            (run / "environment.json").write_text(json.dumps(facts), encoding="utf-8")
        ended = training.go_on(warm, figures=False)
        log = (run / "log.txt").read_text(encoding="utf-8")
        assert ended.code == 0, ended.err
        for difference in ("processor another then", "numpy 0.1 then"):
            assert (f"warning: {difference}" in ended.err) == elsewhere
            assert (f"resumed with a difference: {difference}" in log) == elsewhere
