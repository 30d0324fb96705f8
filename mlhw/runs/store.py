"""Run folders: made, found, listed, locked and removed. Everything known of a run is in its files."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mlhw.errors import OutputError, RunError, did_you_mean
from mlhw.files import read_json, remove_folder, write_text
from mlhw.runs import ambiguous, locks, summaries

RUN_ID = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]*)-(?P<time>[0-9]{8}-[0-9]{6})-(?P<tail>[0-9a-f]{4})")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")

Status = Literal["done", "failed", "running", "interrupted"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run folder. Holds no state but its path."""

    path: Path

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def config_file(self) -> Path:
        return self.path / "config.yaml"

    @property
    def metrics_file(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def summary_file(self) -> Path:
        return self.path / "summary.json"

    @property
    def error_file(self) -> Path:
        return self.path / "error.json"

    @property
    def environment_file(self) -> Path:
        return self.path / "environment.json"

    @property
    def predictions_file(self) -> Path:
        return self.path / "test_predictions.csv"

    @property
    def preparation_file(self) -> Path:
        return self.path / "preparation.json"

    @property
    def regions_file(self) -> Path:
        return self.path / "decision_regions.npz"

    @property
    def plots(self) -> Path:
        return self.path / "plots"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's log of the training; a run that has the folder keeps one."""
        return self.path / "tensorboard"

    @property
    def last_checkpoint(self) -> Path:
        return self.path / "checkpoints" / "last.pt"

    @property
    def best_checkpoint(self) -> Path:
        return self.path / "checkpoints" / "best.pt"

    @property
    def stack_file(self) -> Path:
        """What the run trained with as one model, and where their checkpoint is; absent for a run of its own."""
        return self.path / "stack.json"

    @property
    def started(self) -> str:
        """The moment of its start as in the id, ``yyyymmdd-hhmmss`` in UTC: sorts as time does."""
        match = RUN_ID.fullmatch(self.id)
        return match["time"] if match else ""

    def status(self) -> Status:
        """Done once the summary is written, failed with an error.json, running while its lock is held."""
        if self.summary_file.exists():
            return "done"
        if self._is_locked():
            return "running"
        return "failed" if self.error_file.exists() else "interrupted"

    def summary(self) -> dict[str, Any] | None:
        """The contents of summary.json, or None before the run is done (or where the file is damaged).

        Its ``path`` is where the folder lies now: it may have come from another machine.
        """
        found = summaries.read(self.summary_file)
        return None if found is None else found | {"path": str(self.path)}

    def whole_summary(self) -> dict[str, Any] | None:
        """The summary where nothing is missing in it: of one that lacks something, the run can be finished again."""
        found = self.summary()
        return found if found is not None and summaries.is_whole(found) else None

    def error(self) -> dict[str, Any] | None:
        """The ``kind`` and ``message`` of error.json, or None where there is none that can be read."""
        found = read_json(self.error_file)
        return found and {key: str(found.get(key, "")) for key in ("kind", "message")}

    def log(self, line: str) -> None:
        """Add one line, with the time in UTC, to log.txt; a full disk must not end a run for the sake of its log."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with contextlib.suppress(OSError), (self.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {line}\n")

    def unfinished(self, error: OutputError) -> OutputError:
        """``error`` with the command that goes on: it is no fault of the run, which is interrupted and has not failed.

        With a summary the run is done, and a figure is all that can be missing.
        """
        if self.summary_file.exists():
            return OutputError(f"{error} The run is done; then draw its figures: mlhw plot {self.id}")
        return OutputError(f"{error} Then go on: mlhw resume {self.id}")

    @contextlib.contextmanager
    def lock(self, *, note: bool = True) -> Iterator[None]:
        """Hold the run while the block lasts. The system frees the lock of a process that dies.

        Raises:
            RunError: another process holds it; names the process.
        """
        with locks.hold(self.path, f"run {self.id}", note=note):
            yield

    def _is_locked(self) -> bool:
        return locks.is_held(self.path)


def create(outputs: Path, name: str, config_text: str) -> Run:
    """A new run folder ``<name>-<UTC time>-<4 hex>`` with its config.yaml; mkdir makes two starts at once differ.

    Raises:
        OutputError: the folder cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        outputs.mkdir(parents=True, exist_ok=True)
        while True:
            path = outputs / f"{name}-{stamp}-{os.urandom(2).hex()}"
            try:
                path.mkdir()
                break
            except FileExistsError:
                continue
        (path / "checkpoints").mkdir()
        (path / "plots").mkdir()
    except OSError as error:
        raise OutputError(
            f"cannot make a run folder in {outputs}: {error.strerror or error}. "
            "Set MLHW_OUTPUTS to a folder that you may write to."
        ) from error
    try:
        write_text(path / "config.yaml", config_text)
    except OutputError:
        with contextlib.suppress(OutputError):
            remove_folder(path)
        raise
    return Run(path)


def run_ids(outputs: Path, beginning: str = "") -> list[str]:
    """The ids in ``outputs`` that begin with ``beginning``, newest first. One look at the folder: about 2 µs a run."""
    try:
        with os.scandir(outputs) as entries:
            named = [entry for entry in entries if entry.name.startswith(beginning)]
        matches = [(RUN_ID.fullmatch(entry.name), entry) for entry in named]
        found = [(match["time"], entry.name) for match, entry in matches if match and entry.is_dir()]
    except OSError:
        return []
    return [name for _, name in sorted(found, reverse=True)]


def all_runs(outputs: Path, most: int | None = None) -> list[Run]:
    """The newest ``most`` runs in ``outputs`` (every one where None), newest first."""
    return [Run(outputs / name) for name in run_ids(outputs)[:most]]


def find(outputs: Path, name: str) -> Run:
    """The run that ``name`` means: a whole id, a prefix that only one run has, or ``latest``.

    Raises:
        RunError: malformed, none, or several; names the newest candidates, and what would name one.
    """
    if not _SAFE.fullmatch(name):
        raise RunError(f"'{name}' is not a run id: letters, digits and dashes alone. `mlhw runs` lists the runs.")
    ids = run_ids(outputs)
    if not ids:
        raise RunError(f"there are no runs in {outputs}. `mlhw train digits-cnn` makes one.")
    if name == "latest":
        return latest([Run(outputs / one) for one in ids])
    matches = [one for one in ids if one == name] or [one for one in ids if one.startswith(name)]
    if not matches:
        raise RunError(f"no run '{name}' in {outputs}. {did_you_mean(name, ids[:50])}")
    if len(matches) > 1:
        newest = latest([Run(outputs / one) for one in ids]).id
        raise RunError(ambiguous.explained(name, matches, ids, newest))
    return Run(outputs / matches[0])


def latest(runs: list[Run]) -> Run:
    """The newest of ``runs`` (newest first); of those started within one second, the one whose config came last."""
    candidates = [run for run in runs if run.started == runs[0].started]

    def written(run: Run) -> int:
        try:
            return run.config_file.stat().st_mtime_ns
        except OSError:
            return 0

    return max(candidates, key=written)
