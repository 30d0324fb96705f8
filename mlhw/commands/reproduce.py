"""``mlhw reproduce``: run a run's own config again, and hold the two against each other to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlhw.commands.display import Display
from mlhw.commands.settings import Settings
from mlhw.commands.train import train
from mlhw.config import load as config
from mlhw.errors import RunError
from mlhw.protocols import EpochRow
from mlhw.runs import checkpoint, store
from mlhw.runs.environment import differences, read_environment
from mlhw.runs.metrics import read_metrics

COMPARED = ("loss", "accuracy", "lr")  # of a row; its seconds no two runs share


@dataclass(frozen=True)
class Reproduced:
    """What came of running a run again. Of the metrics the first row that differs is told, of the weights the largest gap."""

    run_id: str
    again_id: str
    rows: int
    first_difference: dict[str, Any] | None  # epoch, split, column, then, now
    weights: int  # arrays compared
    largest_difference: float  # between two weights of one place; nan where their names or shapes differ
    largest_in: str  # the array that has it; "" where there is none
    differences: list[str]  # what was otherwise: versions, threads, device, data
    path: str

    @property
    def identical(self) -> bool:
        """Whether metrics and weights are the same to the last bit."""
        return self.first_difference is None and not self.largest_in


def reproduce(name: str, settings: Settings, display: Display) -> Reproduced:
    """Train the config of the finished run ``name`` in a new folder, with as many threads as then, and compare.

    Raises:
        RunError: there is no such run, it is not finished, or it trained nothing.
        ConfigError, DataError, OutputError: as for the training of any experiment.
    """
    run = store.find(settings.outputs, name)
    if (then := run.whole_summary()) is None:
        raise RunError(f"run {run.id} is not finished: there is nothing to compare with. First: mlhw resume {run.id}")
    if config.is_pretrained(run.config_file):
        raise RunError(
            f"run {run.id} asked networks that were trained before, and trained none. Run its command again."
        )
    experiment = config.load_file(run.config_file)
    before = read_environment(run.environment_file)
    match = store.RUN_ID.fullmatch(run.id)
    if threads := before.get("threads"):  # a worker's share may have been fewer than the experiment asks for
        experiment = experiment.model_copy(update={"threads": threads})
    again, summary = train(experiment, settings, display, label=match["name"] if match else None)
    told = differences(before, read_environment(again.environment_file))
    if run.stack_file.exists():
        told.append("trained as one with others then, alone now: the same to rounding")
    if "time limit" in (then.get("stopped_by"), summary.get("stopped_by")):
        told.append("a time limit ended the training: how far it comes depends on the machine's speed")
    rows = read_metrics(run.metrics_file)
    largest, where, count = compare_weights(*(checkpoint.load_weights(each.best_checkpoint) for each in (run, again)))
    first = first_difference(rows, read_metrics(again.metrics_file))
    return Reproduced(run.id, again.id, len(rows), first, count, largest, where, told, str(again.path))


def first_difference(then: Sequence[EpochRow], now: Sequence[EpochRow]) -> dict[str, Any] | None:
    """The first value that differs between two histories, with its place; None where they are the same."""
    for old, new in zip(then, now, strict=False):
        if (old.epoch, old.split) != (new.epoch, new.split):
            return {"epoch": old.epoch, "split": old.split, "column": "split", "then": old.split, "now": new.split}
        for column in COMPARED:
            values = getattr(old, column), getattr(new, column)
            if repr(values[0]) != repr(values[1]):
                return {"epoch": old.epoch, "split": old.split, "column": column, "then": values[0], "now": values[1]}
    if len(then) != len(now):
        longer = max(then, now, key=len)[min(len(then), len(now))]
        return {"epoch": longer.epoch, "split": longer.split, "column": "rows", "then": len(then), "now": len(now)}
    return None


def compare_weights(then: Mapping[str, np.ndarray], now: Mapping[str, np.ndarray]) -> tuple[float, str, int]:
    """The largest difference between two sets of weights, the array that has it ("" where all are equal), and their number."""
    largest, where = 0.0, ""
    for name in sorted(then.keys() | now.keys()):
        if name not in then or name not in now or then[name].shape != now[name].shape:
            return float("nan"), name, len(then)
        if then[name].tobytes() == now[name].tobytes():
            continue
        gap = np.abs(then[name].astype(np.float64) - now[name].astype(np.float64)).max()
        if not where or not gap <= largest:
            largest, where = float(gap), name
    return largest, where, len(then)
