"""Outputs with three runs, or with a sweep, made of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlhw.sweeps.records import Record
from tests.cli.compare.made import VALS, ids, made, sweep_of


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs"
    (folder / "sweeps").mkdir(parents=True)
    return folder


@pytest.fixture
def three(outputs: Path) -> list[str]:
    """Three runs that differ in the rate; the second is the best on val, the third on test."""
    tests = (0.90, 0.91, 0.99)
    return [
        made(outputs, run_id, f"train.lr={lr}", val_accuracy=val, test_accuracy=test)
        for run_id, lr, val, test in zip(ids(3), (0.1, 0.01, 0.001), VALS, tests, strict=True)
    ]


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
