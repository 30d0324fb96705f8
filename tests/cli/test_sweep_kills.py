"""kill -9 of a sweep at random moments, the same command again each time: the end is that of a sweep left alone."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlhw.sweeps.folder import every
from tests.cli.program import mlhw

YAML = """
name: tiny
data: {kind: digits, split_rows: 100, val_fraction: 0.2}
model: {kind: numpy-resnet}
train: {epochs: 1500, batch_size: 20, lr: 0.01}
"""
GRID = ("sweep", "tiny.yaml", "--grid", "train.lr=0.001,0.003,0.01,0.03", "--grid", "train.batch_size=20,40")
KILLS = int(os.environ.get("MLHW_TEST_KILLS", "20"))

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it")]


def starts(log: Path) -> list[int]:
    """After which epoch each sitting of a run began."""
    return [int(epoch) for epoch in re.findall(r"start after epoch (\d+)", log.read_text(encoding="utf-8"))]


def has_checkpoint(run: Path) -> bool:
    """Whether ``run``, or the stack that it is a member of, has one."""
    stack = run / "stack.json"
    last = (
        json.loads(stack.read_text(encoding="utf-8"))["checkpoint"]
        if stack.exists()
        else f"{run.name}/checkpoints/last.pt"
    )
    return (run.parent / last).exists()


@pytest.mark.parametrize(
    "how", [("processes", "--jobs", "2"), ("stack", "--jobs", "2"), ("auto",)], ids=lambda how: how[0]
)
def test_twenty_kills_change_nothing(how: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML)
    command = [*GRID, "--executor", *how]
    killed, moments = tmp_path / "killed", random.Random(20)
    begun: dict[Path, int] = {}  # runs that had a checkpoint when a kill came, and how often they had been started
    kills = 0
    for _ in range(KILLS):
        program = subprocess.Popen(
            [sys.executable, "-m", "mlhw", *command],
            cwd=tmp_path,
            env=os.environ | {"MLHW_OUTPUTS": str(killed)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            program.wait(timeout=moments.uniform(0.5, 5.0))
        except subprocess.TimeoutExpired:
            kills += 1
        program.kill()
        program.wait()
        for run in killed.glob("tiny-*"):
            if run not in begun and has_checkpoint(run):
                begun[run] = len(starts(run / "log.txt"))
        time.sleep(0.1)
    assert kills >= min(KILLS, 3), "the sweep had ended before it could be killed"

    tables = []
    for outputs in (killed, tmp_path / "whole"):
        done = mlhw(*command, cwd=tmp_path, MLHW_OUTPUTS=str(outputs), timeout_seconds=900)
        assert done.code == 0, done.err
        (sweep,) = every(outputs)[-1:]
        with sweep.table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        tables.append([{k: v for k, v in row.items() if k not in ("run_id", "seconds_training")} for row in rows])
    if how[0] == "auto":  # which way was found best may differ, and with it the last digits
        for mine, theirs in zip(*tables, strict=True):
            for key, cell in mine.items():
                assert cell == theirs[key] or float(cell) == pytest.approx(float(theirs[key]), rel=1e-6), key
    else:
        assert tables[0] == tables[1]
    for run, before in begun.items():
        assert 0 not in starts(run / "log.txt")[before:], f"{run.name} was begun again from the start"
