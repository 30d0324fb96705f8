"""Runs told to TensorBoard while they train, and to TensorBoard or MLflow afterwards: from the run's own files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mlhw.commands.display import Display
from mlhw.commands.inspect import export as export_weights
from mlhw.commands.inspect import find_runs
from mlhw.commands.settings import Settings
from mlhw.errors import ConfigError, RunError, did_you_mean
from mlhw.protocols import EpochRow
from mlhw.runs import store
from mlhw.runs.metrics import read_metrics
from mlhw.trackers import extras

if TYPE_CHECKING:
    from mlhw.trackers.events import EventLog

LIVE = ("tensorboard",)
FORMATS = ("weights", *extras.TRACKERS)
_TOLD = ("config.yaml", "environment.json", "metrics.csv", "summary.json", "test_predictions.csv")


def check_live(tracker: str) -> None:
    """Raise ConfigError where ``tracker`` is none that can be told of a run while it trains, or is not installed."""
    if tracker not in LIVE:
        later = " MLflow takes runs that are done: mlhw export RUN --to mlflow." if tracker == "mlflow" else ""
        raise ConfigError(f"--log {tracker}: should be {' or '.join(LIVE)}.{later}")
    extras.check(tracker)


class Log:
    """Who is told of a run's epochs while it trains: nobody."""

    def on_epoch(self, rows: Sequence[EpochRow]) -> None:
        """An epoch gave ``rows``, which metrics.csv has already."""

    def finish(self) -> None:
        """The run's files are whole, but for its summary."""

    def close(self) -> None:
        """It is over, or was cut off."""


NO_LOG: Final = Log()


def live_log(run: store.Run, display: Display) -> Log:
    """The log that ``run`` keeps, by its folder; where TensorBoard is gone since, none, and a warning."""
    if not run.tensorboard.is_dir():
        return NO_LOG
    try:
        extras.check("tensorboard")
    except ConfigError as error:
        display.warn(f"the log in {run.tensorboard.name} stays as it is: {error}")
        return NO_LOG
    return LiveLog(run)


class LiveLog(Log):
    """A run's TensorBoard log while it trains, in its folder ``tensorboard``. Begins with what is in metrics.csv."""

    def __init__(self, run: store.Run) -> None:
        self.run = run
        self._log: EventLog | None = None
        self._count = 0  # rows that it has

    def on_epoch(self, rows: Sequence[EpochRow]) -> None:
        if self._log is None:
            self._begin()
        else:
            self._log.rows(rows)
            self._count += len(rows)

    def finish(self) -> None:
        log = self._log or self._begin()
        rows = read_metrics(self.run.metrics_file)
        log.rows(rows[self._count :])
        log.figures(sorted(self.run.plots.glob("*.png")), max((row.epoch for row in rows), default=0))

    def close(self) -> None:
        if self._log is not None:
            self._log.close()

    def _begin(self) -> EventLog:
        from mlhw.trackers.events import EventLog

        self._log = EventLog(self.run.tensorboard, self.run.started)
        self._log.config(self.run.config_file.read_text(encoding="utf-8"), _flat_config(self.run))
        rows = read_metrics(self.run.metrics_file)
        self._log.rows(rows)
        self._count = len(rows)
        return self._log


def export(settings: Settings, names: Sequence[str], to: str, folder: Path | None) -> list[Path]:
    """Write the runs ``names`` for others to read: their ``weights``, or all that is known of them for a tracker.

    Of one run into ``folder``, else into its own folder ``export``; of several into a folder for each in ``folder``, but MLflow
    has one store for all. What an earlier export wrote is replaced.

    Raises:
        ConfigError: ``to`` is none of :data:`FORMATS`, or is not installed.
        RunError: there is no such run, or it has not what is to be written.
        OutputError: the folder cannot be written.
    """
    if to not in FORMATS:
        raise ConfigError(f"--to '{to}' is not one. {did_you_mean(to, FORMATS)}")
    runs = find_runs(settings, names)
    if to == "weights":
        places = [None if folder is None else folder if len(runs) == 1 else folder / run.id for run in runs]
        return [
            path for run, place in zip(runs, places, strict=True) for path in export_weights(settings, run.id, place)
        ]
    extras.check(to)
    if empty := [run.id for run in runs if not run.metrics_file.exists() or not read_metrics(run.metrics_file)]:
        raise RunError(f"run {empty[0]} has no epoch yet: there is nothing to export.")
    if to == "tensorboard":
        return [
            _to_tensorboard(
                run, run.path / "export" / to if folder is None else folder / run.id if len(runs) > 1 else folder
            )
            for run in runs
        ]
    from mlhw.trackers.mlflow_store import store as to_mlflow

    if folder is not None:
        return to_mlflow(folder, [_told(run) for run in runs])
    return [path for run in runs for path in to_mlflow(run.path / "export" / to, [_told(run)])]


def _to_tensorboard(run: store.Run, folder: Path) -> Path:
    from mlhw.trackers.events import EventLog

    rows = read_metrics(run.metrics_file)
    log = EventLog(folder, run.started)
    try:
        log.config(run.config_file.read_text(encoding="utf-8"), _flat_config(run))
        log.rows(rows)
        log.figures(sorted(run.plots.glob("*.png")), max(row.epoch for row in rows))
    finally:
        log.close()
    return log.path


def _told(run: store.Run) -> Any:
    from mlhw.trackers.mlflow_store import Told

    summary, config = run.summary() or {}, _flat_config(run)
    tags: dict[str, str] = {"mlhw.status": run.status()}
    tags |= {
        f"mlhw.{key}": str(summary[key])
        for key in ("best_epoch", "parameters", "device", "signature")
        if key in summary
    }
    files = {run.path / name: "" for name in _TOLD if (run.path / name).exists()}
    files |= {run.best_checkpoint: "checkpoints"} if run.best_checkpoint.exists() else {}
    files |= dict.fromkeys(sorted(run.plots.iterdir()), "plots") if run.plots.is_dir() else {}
    name = str(config.get("name") or run.id)
    return Told(run.id, name, run.started, run.status(), config, read_metrics(run.metrics_file), tags, files)


def _flat_config(run: store.Run) -> dict[str, Any]:
    from mlhw.commands.compare.config import flat, read_config

    return dict(flat(read_config(run.config_file.read_bytes(), run.id)))
