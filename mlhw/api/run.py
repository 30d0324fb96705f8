"""A run as a notebook sees it: what its folder holds, read when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlhw.api.showing import run_as_html
from mlhw.errors import RunError
from mlhw.runs import store

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

    from mlhw.runs.judge import Judgement


@dataclass(frozen=True)
class Run:
    """A run folder. Holds nothing but its path: what is read is what is there now."""

    path: Path

    @cached_property
    def _run(self) -> store.Run:
        return store.Run(self.path)

    @property
    def id(self) -> str:
        """The folder's name, which names the run on the command line too."""
        return self._run.id

    @property
    def status(self) -> store.Status:
        """``done``, ``failed``, ``running`` or ``interrupted``."""
        return self._run.status()

    @property
    def summary(self) -> dict[str, Any]:
        """What ``mlhw train --json`` prints: {} before the run is done."""
        return self._run.summary() or {}

    @property
    def config(self) -> dict[str, Any]:
        """The whole resolved experiment, as nested dicts, as it was written. Raises RunError where there is none."""
        from mlhw.config.reader import read

        try:
            value = read(self._run.config_file.read_bytes(), str(self._run.config_file)).value
        except OSError as error:
            raise RunError(f"{self._run.config_file}: cannot be read: {error.strerror or error}.") from error
        return value if isinstance(value, dict) else {}

    @property
    def environment(self) -> dict[str, Any]:
        """Versions, processor, threads, device and command that it was computed with; {} where there is no record."""
        from mlhw.runs.environment import read_environment

        return read_environment(self._run.environment_file)

    @property
    def metrics(self) -> pd.DataFrame:
        """One row an epoch and split: epoch, split, loss, accuracy (0 to 1), lr, seconds.

        Raises:
            RunError: there is no epoch yet, or the file is damaged.
        """
        import pandas as pd

        from mlhw.runs.metrics import HEADER, read_metrics

        return pd.DataFrame(read_metrics(self._run.metrics_file), columns=HEADER.split(","))

    @property
    def predictions(self) -> pd.DataFrame:
        """One row a test row: row, target, predicted (class indices), probability of that, target_name, predicted_name.

        Raises:
            RunError: the run has none, as before it is done or without test rows.
        """
        import pandas as pd

        from mlhw.runs import predictions

        if not self._run.predictions_file.exists():
            raise RunError(f"run {self.id} ({self.status}) has no predictions: a finished run with test rows has.")
        found = pd.DataFrame(predictions.read(self._run.predictions_file)._asdict())
        found.insert(0, "row", range(len(found)))
        names = dict(enumerate(self.summary.get("class_names", ())))
        return found.assign(target_name=found.target.map(names), predicted_name=found.predicted.map(names))

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The reported weights by name (W1, b1, …). Raises RunError where there is no checkpoint yet."""
        from mlhw.runs.checkpoint import load_weights

        return load_weights(self._run.best_checkpoint)

    @property
    def verdict(self) -> Judgement | None:
        """Underfitting, overfitting or generalizing, with the numbers that say so; None before the first epoch."""
        from mlhw.commands.inspect import judgement

        return judgement(self._run)

    def plot(self, kind: str = "curves") -> Figure:
        """The figure ``kind``: curves, confusion, classes, confused or regions. Nothing is written.

        Raises:
            ConfigError: there is no such figure, or the run has not what it shows.
            RunError: there is no epoch yet, or a file is damaged.
        """
        from mlhw.commands.draw import figure

        return figure(self._run, kind)

    def __repr__(self) -> str:
        reached = [
            f"{split} {100 * accuracy:.2f} %"
            for split in ("train", "val", "test")
            if (accuracy := self.summary.get(f"{split}_accuracy")) is not None
        ]
        return f"<Run {self.id}: {', '.join([self.status, *reached])}>"

    def _repr_html_(self) -> str:
        return run_as_html(self.id, self.status, self._run.error(), self.summary, self.verdict, str(self.path))
