"""What MLflow reads back from its store is what the run's files hold."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import mlhw as api
from tests.cli.program import mlhw

pytestmark = [
    pytest.mark.slow,  # MLflow takes its time to be imported, and to set up a database
    pytest.mark.filterwarnings("ignore"),  # of its own libraries
]


def client(database: Path) -> Any:
    pytest.importorskip("mlflow", reason="MLflow is not installed: pip install mlflow")
    pytest.importorskip("sqlalchemy", reason="MLflow is there without its stores: pip install mlflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient
    return MlflowClient(tracking_uri=f"sqlite:///{database.as_posix()}")


def test_a_store_has_parameters_metrics_by_epoch_tags_and_artifacts_and_each_run_once(tmp_path: Path) -> None:
    runs = [api.train("gmm-softmax", epochs=3, seed=seed) for seed in (0, 1)]
    found = client(tmp_path / "store" / "mlflow.db")
    for _ in range(2):
        done = mlhw("export", *(run.id for run in runs), "--to", "mlflow", "--out", str(tmp_path / "store"))
        assert done.code == 0, done.err
    experiment = found.get_experiment_by_name("gmm-softmax")
    stored = {run.info.run_name: run for run in found.search_runs([experiment.experiment_id])}
    assert set(stored) == {run.id for run in runs}
    for run in runs:
        mine = stored[run.id]
        assert mine.info.status == "FINISHED"
        assert mine.data.params["train.epochs"] == "3"
        assert mine.data.tags["mlhw.run_id"] == run.id
        assert mine.data.tags["mlhw.status"] == "done"
        for split in ("train", "val"):
            rows = run.metrics[run.metrics.split == split]
            for what in ("loss", "accuracy"):
                history = found.get_metric_history(mine.info.run_id, f"{split}_{what}")
                assert [(each.step, each.value) for each in history] == list(zip(rows.epoch, rows[what], strict=True))
        names = {item.path for item in found.list_artifacts(mine.info.run_id)}
        assert {"config.yaml", "metrics.csv", "summary.json", "plots", "checkpoints"} <= names
        kept = tmp_path / "store" / "artifacts" / "gmm-softmax" / mine.info.run_id / "artifacts" / "metrics.csv"
        assert kept.read_bytes() == (run.path / "metrics.csv").read_bytes()
    assert mlhw("export", runs[0].id, "--to", "mlflow", "--json").json["files"] == [
        str(runs[0].path / "export" / "mlflow" / "mlflow.db")
    ]
