"""Finished runs and sweeps by their files alone, and what `compare` makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlhw.commands.compare.table import Comparison, compare
from mlhw.commands.settings import Settings
from mlhw.config.load import dump, load
from mlhw.sweeps.records import Record, write

VALS = (0.91, 0.95, 0.93)


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


def asked(outputs: Path, *names: str, **how: Any) -> Comparison:
    return compare(Settings(data=outputs, outputs=outputs, cache=outputs), names, **how)


def sweep_of(outputs: Path, records: list[Record], name: str = "digits-cnn-20260101-000000-beef") -> str:
    (outputs / "sweeps" / name).mkdir()
    write(outputs / "sweeps" / name / "sweep.csv", records)
    return name
