"""Writes a run's files while it trains: metrics at once, checkpoints at most once a second and at the end."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from mlhw.protocols import EpochRow, Learner
from mlhw.runs import checkpoint
from mlhw.runs.metrics import MetricsFile
from mlhw.runs.store import Run
from mlhw.training.fit import LoopState

VERSION = 1
MIN_SECONDS_BETWEEN = 1.0


class Recorder:
    """A watcher of the loop for one run folder.

    best.pt goes to disk before last.pt: a crash between the two leaves a best that is newer than the checkpoint, which the
    resumed run, being the same run, writes again.
    """

    def __init__(self, run: Run, learner: Learner, *, has_val: bool, keep: Callable[[EpochRow], bool]) -> None:
        self.run, self.learner, self.has_val = run, learner, has_val
        self.metrics = MetricsFile(run.metrics_file, keep)
        self._written = monotonic()
        self._best: dict[str, Any] | None = None  # the best weights, while they are not on disk yet
        self._state: LoopState | None = None

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        """Nothing: the grain of a run's files is the epoch."""

    def on_epoch(self, state: LoopState, rows: list[EpochRow], improved: bool) -> None:
        self.metrics.append(rows)
        if improved and self.has_val:
            self._best = self.learner.parameters()
        self._state = state
        if monotonic() - self._written >= MIN_SECONDS_BETWEEN:
            self.write()

    def write(self) -> None:
        """Bring metrics and checkpoints to disk."""
        if self._state is None:
            return
        self.metrics.sync()
        if not self.has_val:
            self._best = self.learner.parameters()
        if self._best is not None:
            checkpoint.save(self.run.best_checkpoint, self._best)
            self._best = None
        value = {"version": VERSION, "loop": self._state.to_dict(), "learner": self.learner.state()}
        checkpoint.save(self.run.last_checkpoint, value)
        self._state = None
        self._written = monotonic()

    def close(self) -> None:
        """Close the files."""
        self.metrics.close()


def restore(run: Run, learner: Learner) -> LoopState | None:
    """Put ``learner`` where the run's last checkpoint stands, and say where that is; None where there is none yet.

    Raises:
        RunError: the checkpoint cannot be loaded.
        ConfigError: its weights do not fit.
    """
    if not run.last_checkpoint.exists():
        return None
    value = checkpoint.load(run.last_checkpoint)
    learner.restore(value["learner"])
    return LoopState(**value["loop"])
