"""Run folders made of files alone: what a report is of needs no training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mlhw.config.load import dump, load
from mlhw.files import write_json
from mlhw.protocols import EpochRow
from mlhw.runs import predictions
from mlhw.runs.metrics import MetricsFile
from mlhw.sweeps.folder import SweepFolder
from mlhw.sweeps.plan import Trial
from mlhw.sweeps.records import of_summary, write

TEST_ROWS = 1297  # of digits-cnn


def epochs(count: int, seed: int = 0, *, test: bool = True) -> list[EpochRow]:
    """Rows of a run whose loss falls and whose accuracy rises, each with its own noise."""
    rng = np.random.default_rng(seed)
    rows = []
    for epoch in range(1, count + 1):
        for split, worse in (("train", 0.0), ("val", 0.02)):
            loss = float(2.0 * np.exp(-epoch / 3) + worse + 0.01 * rng.random())
            rows.append(EpochRow(epoch, split, loss, float(1 - loss / 4), 0.01, 0.1))
    if test:
        rows.append(EpochRow(count, "test", rows[-1].loss + 0.01, rows[-1].accuracy - 0.01, 0.01, 0.1))
    return rows


def run(
    outputs: Path,
    run_id: str,
    *overrides: str,
    name: str = "digits-cnn",
    rows: list[EpochRow] | None = None,
    seed: int = 0,
    status: str = "done",
    wrong: int = 40,
    names: tuple[str, ...] = tuple("0123456789"),
    **summary: Any,
) -> str:
    """A run of ``name``, with predictions of its test rows where it is done: ``wrong`` of them are."""
    folder = outputs / run_id
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(dump(load(name, overrides)), encoding="utf-8")
    rows = epochs(6, seed) if rows is None else rows
    file = MetricsFile(folder / "metrics.csv")
    file.append(rows)
    file.close()
    command = ["mlhw", "train", name, *(word for each in overrides for word in ("-s", each))]
    packages = {"numpy": "2.0", "torch": "2.9"}
    environment = {"command": command, "python": "3.11", "threads": 1, "device": "cpu", "packages": packages}
    write_json(folder / "environment.json", environment | {"processor": "a processor", "data": "digits-0"})
    if status == "failed":
        write_json(folder / "error.json", {"kind": "TrainingDiverged", "message": "the loss became nan"})
    if status != "done":
        return run_id
    last = {row.split: row for row in rows}
    record: dict[str, Any] = {"run_id": run_id, "experiment": name, "epochs": 6, "best_epoch": 6, "parameters": 9930}
    for split in ("train", "val", "test"):
        row = last.get(split)
        record |= {f"{split}_loss": row.loss if row else None, f"{split}_accuracy": row.accuracy if row else None}
    record |= {"seconds_training": 1.5, "class_names": list(names), "rows": {"train": 450, "val": 50, "test": 1297}}
    if wrong >= 0:
        predict(folder, seed, wrong, len(names))
    (folder / "summary.json").write_text(json.dumps(record | summary), encoding="utf-8")
    return run_id


def predict(folder: Path, seed: int, wrong: int, classes: int) -> None:
    """Test predictions of the run in ``folder``: the targets are the same whatever the seed, the mistakes are not."""
    targets = np.random.default_rng(7).integers(0, classes, TEST_ROWS)
    rng = np.random.default_rng(seed)
    said = targets.copy()
    for row in rng.choice(TEST_ROWS, wrong, replace=False):
        said[row] = (said[row] + 1) % classes
    chances = np.full((TEST_ROWS, classes), 0.1 / classes)
    chances[np.arange(TEST_ROWS), said] = 0.5 + 0.4 * rng.random(TEST_ROWS)
    predictions.write(folder / "test_predictions.csv", targets, chances)


def sweep(outputs: Path, sweep_id: str, runs: dict[str, tuple[str, int]]) -> str:
    """A sweep of the finished ``runs``: by id the variant and the place among its seeds."""
    folder = SweepFolder(outputs / "sweeps" / sweep_id)
    folder.path.mkdir(parents=True)
    trials = [Trial(variant, repeat, ()) for variant, repeat in runs.values()]
    plan = [{"variant": trial.variant, "repeat": trial.repeat} for trial in trials]
    write_json(folder.path / "plan.json", {"kind": "sweep", "signature": "0", "trials": plan})
    records = []
    for place, (run_id, trial) in enumerate(zip(runs, trials, strict=True)):
        folder.begin(place, run_id)
        records.append(of_summary(trial, json.loads((outputs / run_id / "summary.json").read_text(encoding="utf-8"))))
    write(folder.table, records)
    return sweep_id


def ids(count: int, name: str = "digits-cnn") -> list[str]:
    """So many ids of runs."""
    return [f"{name}-20260101-0000{place:02}-{place:04x}" for place in range(count)]


def five(outputs: Path) -> str:
    """A sweep of five seeds."""
    members = ids(5)
    for place, run_id in enumerate(members):
        run(outputs, run_id, f"seed.init={place}", f"seed.data={place}", seed=place)
    return sweep(
        outputs, "digits-cnn-20260102-000000-abcd", {run_id: ("base", place) for place, run_id in enumerate(members)}
    )
