"""A run in a folder's MLflow store: an SQLite file and a folder of artifacts, which ``mlflow ui`` opens."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mlhw.errors import OutputError
from mlhw.files import make_folder
from mlhw.protocols import EpochRow

TAG: Final = "mlhw.run_id"  # by which a run is known again
_STATUS: Final = {"done": "FINISHED", "failed": "FAILED", "interrupted": "KILLED", "running": "RUNNING"}
_MOST: Final = {"metrics": 1000, "params": 100}  # that one call takes
_LONGEST: Final = 6000  # letters of a parameter's value


@dataclass(frozen=True)
class Told:
    """What is told of a run. ``config`` has dotted keys; ``artifacts`` are files with the folder they go to ("": the top)."""

    run_id: str
    experiment: str
    started: str  # yyyymmdd-hhmmss, UTC
    status: str
    config: Mapping[str, Any]
    rows: Sequence[EpochRow]
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[Path, str] = field(default_factory=dict)


def store(folder: Path, runs: Sequence[Told]) -> list[Path]:
    """Put ``runs`` into the store in ``folder``, each once: one that is there already is replaced. Returns the database's path.

    Raises:
        OutputError: it cannot be written.
    """
    folder = make_folder(folder).resolve()
    with _quiet():
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        try:
            client = MlflowClient(tracking_uri=f"sqlite:///{(folder / 'mlflow.db').as_posix()}")
            for told in runs:
                _put(client, told, folder)
        except (MlflowException, OSError) as error:
            text = " ".join(str(error).split())[:300]
            raise OutputError(f"cannot write the MLflow store in {folder}: {text}. Name another folder.") from error
    return [folder / "mlflow.db"]


def _put(client: Any, told: Told, folder: Path) -> None:
    found = client.get_experiment_by_name(told.experiment)
    place = (folder / "artifacts" / told.experiment).as_uri()
    where = found.experiment_id if found else client.create_experiment(told.experiment, artifact_location=place)
    earlier = client.search_runs([where], filter_string=f"tags.`{TAG}` = '{told.run_id}'")
    began = round(_seconds(told.started) * 1000)
    run = client.create_run(where, start_time=began, run_name=told.run_id, tags={TAG: told.run_id, **told.tags})
    name = run.info.run_id
    metrics = _metrics(told.rows, began)
    for place_ in range(0, len(metrics), _MOST["metrics"]):
        client.log_batch(name, metrics=metrics[place_ : place_ + _MOST["metrics"]])
    params = _params(told.config)
    for place_ in range(0, len(params), _MOST["params"]):
        client.log_batch(name, params=params[place_ : place_ + _MOST["params"]])
    for path, into in told.artifacts.items():
        client.log_artifact(name, str(path), into or None)
    end = began + round(1000 * sum(row.seconds for row in told.rows))
    client.set_terminated(name, status=_STATUS[told.status], end_time=end)
    for other in earlier:  # last, so that the run is there at every moment
        client.delete_run(other.info.run_id)


def _metrics(rows: Sequence[EpochRow], began: int) -> list[Any]:
    from mlflow.entities import Metric

    found, spent = [], 0.0
    for row in rows:
        spent += row.seconds
        values = {f"{row.split}_loss": row.loss, f"{row.split}_accuracy": row.accuracy}
        values |= {"lr": row.lr} if row.split == "train" else {}
        time = began + round(1000 * spent)
        found += [Metric(key, value, time, row.epoch) for key, value in values.items() if math.isfinite(value)]
    return found


def _params(config: Mapping[str, Any]) -> list[Any]:
    from mlflow.entities import Param

    return [Param(key, str(value)[:_LONGEST]) for key, value in config.items() if value is not None]


def _seconds(started: str) -> float:
    return datetime.strptime(started, "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp() if started else 0.0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """A block in which MLflow does not say how it sets up its database, nor what is outdated in its libraries."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
