"""Writes the files of runs while they train: metrics at once, checkpoints at most once a second and at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from mlhw.errors import RunError
from mlhw.protocols import EpochRow, Learner
from mlhw.runs import checkpoint
from mlhw.runs.metrics import MetricsFile
from mlhw.runs.store import Run
from mlhw.training.state import LoopState, MemberEpoch

VERSION = 2
MIN_SECONDS_BETWEEN = 1.0
_KINDS = (int, int, float, float, float, str)  # of a LoopState's fields
SHARE = 20.0  # checkpoints take at most one second in so many: sixty-four members' files take their time


class Recorder:
    """A watcher of the loop: a run folder for each member, and one checkpoint for all that train as one.

    best.pt goes to disk before the checkpoint: a crash between the two leaves a best that is newer than the checkpoint,
    which the resumed run, being the same run, writes again.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        learner: Learner,
        last: Path,
        states: Sequence[LoopState],
        *,
        has_val: bool,
        keep: Callable[[EpochRow, LoopState], bool],
    ) -> None:
        """``last`` is the checkpoint's file; of the rows that ``runs`` have, those stay that ``keep`` names."""
        self.runs, self.learner, self.last, self.has_val = runs, learner, last, has_val
        self.states = list(states) or [LoopState() for _ in runs]
        self.metrics: list[MetricsFile] = []
        for run, state in zip(runs, self.states, strict=True):
            # A member that is finished already, while the process ended as it finished another, keeps all of its rows.
            self.metrics.append(
                MetricsFile(run.metrics_file, _kept(keep, state) if run.whole_summary() is None else _all)
            )
        self._wait, self._written, self._dirty = MIN_SECONDS_BETWEEN, monotonic(), False
        self._best: dict[int, dict[str, Any]] = {}  # by member: the best weights, while they are not on disk yet
        self._places: dict[int, int] = {}  # where each member that still trains is in the learner

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        """Nothing: the grain of a run's files is the epoch."""

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None:
        self._places = {}
        for member, place, state, rows, improved in members:
            self.metrics[member].append(rows)
            self.states[member] = state
            if place is not None:
                self._places[member] = place
                if improved and self.has_val:
                    self._best[member] = self.learner.parameters(place)
        self._dirty = True
        if monotonic() - self._written >= self._wait:
            self.write()

    def write(self) -> None:
        """Bring metrics and checkpoints to disk."""
        if not self._dirty:
            return
        began = monotonic()
        for metrics in self.metrics:
            metrics.sync()
        if not self.has_val:
            self._best = {member: self.learner.parameters(place) for member, place in self._places.items()}
        for member, best in self._best.items():
            checkpoint.save(self.runs[member].best_checkpoint, best)
        self._best = {}
        value = {
            "version": VERSION,
            "loop": [state.to_dict() for state in self.states],
            "members": sorted(self._places),
            "learner": self.learner.state(),
        }
        checkpoint.save(self.last, value)
        self._dirty, self._written = False, monotonic()
        self._wait = max(MIN_SECONDS_BETWEEN, SHARE * (self._written - began))

    def close(self) -> None:
        """Close the files."""
        for metrics in self.metrics:
            metrics.close()


def _kept(keep: Callable[[EpochRow, LoopState], bool], state: LoopState) -> Callable[[EpochRow], bool]:
    return lambda row: keep(row, state)


def _all(row: EpochRow) -> bool:
    return True


def restore(last: Path, learner: Learner) -> list[LoopState]:
    """Put ``learner`` where the checkpoint ``last`` stands, and say where that is; empty where there is none yet.

    Raises:
        RunError: the checkpoint cannot be loaded, does not fit, or holds weights that are not finite.
    """
    if not last.exists():
        return []
    value = checkpoint.load(last)
    if value.get("version") != VERSION:
        raise RunError(
            f"{last}: a checkpoint of version {value.get('version')}, but this mlhw goes on from version {VERSION} alone. "
            "Train again."
        )
    try:
        states = _restored(value, learner)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
        raise RunError(
            f"{last}: does not fit this run ({type(error).__name__}: {' '.join(str(error).split())[:200]}). Train again."
        ) from error
    if not any(state.lost for state in states):
        _check_finite(last, learner)
    return states


def _restored(value: dict[str, Any], learner: Learner) -> list[LoopState]:
    states = [LoopState(**state) for state in value["loop"]]
    if len(states) != learner.members:
        raise ValueError(f"it is of {len(states)} members, and not of {learner.members}")
    for state in states:
        if (
            any(type(value) is not kind for value, kind in zip(vars(state).values(), _KINDS, strict=True))
            or state.epoch < 0
        ):
            raise ValueError(f"{state} is no place in a training")
    held = value["members"]
    if len(held) < len(states):
        learner.keep([member in held for member in range(len(states))])
    learner.restore(value["learner"])
    kept = learner.state()
    weights = kept["parameters"] if "parameters" in kept else kept["network"]
    _check_shapes(kept, {name: tuple(array.shape) for name, array in weights.items()})
    return states


def _check_shapes(value: Any, shapes: dict[str, tuple[int, ...]]) -> None:
    """Raise ValueError where what is remembered of a parameter, however deep in ``value``, has not its shape."""
    if isinstance(value, list):
        for item in value:
            _check_shapes(item, shapes)
    elif isinstance(value, dict):
        for name, item in value.items():
            shape = tuple(getattr(item, "shape", ()))
            if name in shapes and shape not in (shapes[name], shapes[name][1:], ()):  # [1:]: one member's of a stack
                raise ValueError(f"what it remembers of {name} is {shape}, should be {shapes[name]}")
            _check_shapes(item, shapes)


def _check_finite(last: Path, learner: Learner) -> None:
    for member in range(learner.members):
        for name, array in learner.parameters(member).items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise RunError(f"{last}: '{name}' holds values that are not finite (NaN or infinity). Train again.")
