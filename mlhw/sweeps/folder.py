"""outputs/sweeps/<id>/: what a sweep was asked, which runs its trials have, and what came of them.

sweep.yaml     the experiment        plan.json      the trials, how they are grouped, and why so
journal.jsonl  one line a run that was begun for a trial: {"trial": 3, "run": "…"}
sweep.csv      one line a trial that is over          stacks/*.pt   checkpoints of trials that train as one model
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlhw.errors import OutputError
from mlhw.files import make_folder, read_json, write_json, write_text
from mlhw.runs import locks
from mlhw.runs.store import RUN_ID

SWEEP_ID = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]*)-(?P<time>[0-9]{8}-[0-9]{6})-(?P<tail>[0-9a-f]{4})")


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """One sweep's folder. Holds no state but its path."""

    path: Path

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def table(self) -> Path:
        """sweep.csv."""
        return self.path / "sweep.csv"

    @property
    def plots(self) -> Path:
        return self.path / "plots"

    def stack(self, number: int) -> Path:
        """The checkpoint of the trials of unit ``number``."""
        return self.path / "stacks" / f"{number}.pt"

    def plan(self) -> dict[str, Any] | None:
        """plan.json, or None where there is none that can be read."""
        return read_json(self.path / "plan.json")

    def begun(self) -> dict[int, str]:
        """The newest run of each trial that was begun; a torn last line is left out."""
        try:
            lines = (self.path / "journal.jsonl").read_text(encoding="utf-8").split("\n")
        except OSError:
            return {}
        found = {}
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                note = json.loads(line)
                if RUN_ID.fullmatch(note["run"]):  # no name that leads elsewhere
                    found[int(note["trial"])] = note["run"]
        return found

    def begin(self, trial: int, run: str) -> None:
        """Put on record that ``run`` is that of ``trial``. Several processes may do so at once.

        Raises:
            OutputError: the journal cannot be written.
        """
        # The line feed before it ends a line that was torn when its writer was killed; an empty line is no note.
        line = "\n" + json.dumps({"trial": trial, "run": run}) + "\n"
        try:
            # One write of one short line in append mode: lines of several processes do not mix.
            handle = os.open(self.path / "journal.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                if os.write(handle, line.encode()) < len(line):  # a disk that fills up takes the part that fits
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            finally:
                os.close(handle)
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {error.strerror or error}. Free space, then go on."
            ) from error

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the sweep while the block lasts. Raises RunError where another process holds it."""
        with locks.hold(self.path, f"sweep {self.id}"):
            yield


def create(outputs: Path, name: str, config: str, plan: dict[str, Any]) -> SweepFolder:
    """A new folder for a sweep of the experiment ``config`` (YAML), with its plan written last: with it the sweep exists."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    path = make_folder(outputs / "sweeps") / f"{name}-{stamp}-{secrets.token_hex(2)}"
    make_folder(path / "stacks")
    write_text(path / "sweep.yaml", config)
    write_json(path / "plan.json", plan)
    return SweepFolder(path)


def newest(outputs: Path, signature: str) -> SweepFolder | None:
    """The newest sweep whose trials are those of ``signature``, or None."""
    for folder in reversed(every(outputs)):
        plan = folder.plan()
        if plan is not None and plan.get("signature") == signature:
            return folder
    return None


def every(outputs: Path) -> list[SweepFolder]:
    """Every sweep in ``outputs``, oldest first."""
    try:
        names = [entry.name for entry in os.scandir(outputs / "sweeps") if entry.is_dir()]
    except OSError:
        return []
    matches = [match for name in names if (match := SWEEP_ID.fullmatch(name))]
    matches.sort(key=lambda match: (match["time"], match.string))
    return [SweepFolder(outputs / "sweeps" / match.string) for match in matches]


def signature_of(kind: str, trials: Sequence[str]) -> str:
    """What tells one sweep from another: its kind, and the signatures of its trials' runs in their order."""
    return hashlib.sha256(json.dumps([1, kind, *trials]).encode()).hexdigest()
