"""What lies in a folder of hand-ins: an entry a student, with the run folders and Python files in it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mlhw.errors import ConfigError

MOST_DEPTH: Final = 4  # folders within a student's own: moodle/name_123_assignsubmission_file/outputs/run
MOST_PARTS: Final = 50  # run folders and files of one student
MOST_ENTRIES: Final = 20_000  # looked at, of one student
_PACKED: Final = (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz")
_SKIPPED: Final = ("__pycache__", "__MACOSX")


@dataclass
class HandIn:
    """What one student handed in: ``runs`` (folders with a config.yaml) and Python ``files``; ``faults`` say what is amiss."""

    name: str
    path: Path
    runs: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def part(self, path: Path) -> str:
        """How a run or file of it is named."""
        return path.name if path == self.path else path.relative_to(self.path).as_posix()


def hand_ins(folder: Path) -> tuple[list[HandIn], list[str]]:
    """One a folder, run folder or Python file in ``folder``, by name; and the names of what is none of these.

    Links are not followed: a link may lead to somebody else's run.

    Raises:
        ConfigError: there is no such folder, or nothing in it to grade.
    """
    if not folder.is_dir():
        what = "is a file: name the folder that it lies in" if folder.exists() else "there is no such folder"
        raise ConfigError(f"--submission {folder}: {what}. It should hold one folder or .py file for each student.")
    if (folder / "config.yaml").is_file():
        raise ConfigError(
            f"--submission {folder}: is a run's own folder. Name the folder above it, with one folder for each student."
        )
    found, ignored = [], []
    for entry in _entries(folder):
        path = folder / entry.name
        kind = _kind(path)
        if kind == "folder":
            found.append(_of_folder(path))
        elif kind == "file" and path.suffix == ".py":
            found.append(HandIn(path.stem, path, files=[path]))
        elif kind == "file" and path.suffix.lower() in (*_PACKED, ".ipynb"):
            found.append(HandIn(path.name, path, faults=[_unreadable(path)]))
        elif kind == "link":
            found.append(HandIn(path.name, path, faults=["is a link: links are not followed"]))
        else:
            ignored.append(entry.name)
    if not found:
        raise ConfigError(
            f"--submission {folder}: nothing to grade. It should hold one folder or .py file for each student."
        )
    return found, ignored


def _of_folder(path: Path) -> HandIn:
    found = HandIn(path.name, path)
    _walk(path, found, 0, [0])
    if not (found.runs or found.files or found.faults):
        found.faults.append("nothing to grade: no run folder (with a config.yaml) and no .py file")
    return found


def _walk(folder: Path, found: HandIn, depth: int, seen: list[int]) -> None:
    if _kind(folder / "config.yaml") in ("file", "link"):
        found.runs.append(folder)
        return
    for entry in _entries(folder, found):
        seen[0] += 1
        if seen[0] > MOST_ENTRIES or len(found.runs) + len(found.files) >= MOST_PARTS:
            text = f"more than {MOST_PARTS} runs and files, or {MOST_ENTRIES:,} others: the rest was not looked at"
            if text not in found.faults:
                found.faults.append(text)
            return
        path = folder / entry.name
        kind = _kind(path)
        if kind == "folder" and depth < MOST_DEPTH:
            _walk(path, found, depth + 1, seen)
        elif kind == "file" and path.suffix == ".py":
            found.files.append(path)
        elif kind == "file" and path.suffix.lower() in (*_PACKED, ".ipynb"):
            found.faults.append(f"{found.part(path)}: {_unreadable(path)}")
        elif kind == "link":
            found.faults.append(f"{found.part(path)}: is a link: links are not followed")


def _unreadable(path: Path) -> str:
    if path.suffix == ".ipynb":
        return "is a notebook: its functions belong into a .py file"
    return "is packed: unpack it and grade again"


def _entries(folder: Path, found: HandIn | None = None) -> list[os.DirEntry[str]]:
    """What lies in ``folder``, by name, less what is hidden."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry for entry in entries if not entry.name.startswith(".") and entry.name not in _SKIPPED),
                key=lambda entry: entry.name,
            )
    except OSError as error:
        if found is None:
            raise ConfigError(f"--submission {folder}: cannot be read: {error.strerror or error}.") from error
        found.faults.append(f"{found.part(folder)}: cannot be read: {error.strerror or error}")
        return []


def _kind(path: Path) -> str:
    """``file``, ``folder``, ``link`` or ``other`` (a pipe, a device, nothing there)."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return "other"
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def plain_file(folder: Path, name: str, most_bytes: int) -> Path:
    """The regular file ``name`` within ``folder``, reached through no link.

    Raises:
        ConfigError: it is not there, is a link or a device, or is larger than ``most_bytes``.
    """
    path = folder
    for step in name.split("/"):
        path = path / step
        if _kind(path) == "link":
            raise ConfigError(f"{name}: is a link: links are not followed")
    if _kind(path) != "file":
        raise ConfigError(f"{name}: {'is not a file' if path.exists() else 'is missing'}")
    if (size := path.lstat().st_size) > most_bytes:
        raise ConfigError(f"{name}: {size:,} bytes is too large, at most {most_bytes:,}")
    return path
