"""The picture files that a user names: files as they are, and what folders hold."""

# A name stays as it was typed, "./" and all, which pathlib would change.
# ruff: noqa: PTH100, PTH116, PTH118, PTH208

from __future__ import annotations

import collections
import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlhw.datasets.headers import is_named, starts_like_one
from mlhw.datasets.names import escape_name
from mlhw.errors import ConfigError, DataMissing, nearest

SHOWN = 5  # missing paths in a message

_Key = tuple[str, ...]  # what sorts the finds of one argument: the names on the way to a file


@dataclass(frozen=True, slots=True)
class Found:
    """One candidate: its ``path`` to open, its ``name`` as typed, and a ``problem`` where it cannot even be tried."""

    path: Path
    name: str
    problem: str | None = None


def find(paths: Sequence[str], recursive: bool) -> list[Found]:
    """The files that ``paths`` name, in their order, those of a folder sorted by name; each file once.

    A file is taken whatever it is called. A folder gives the files that are named like pictures, opened here or not, and of
    all others those that start like one. So ``notes.txt`` and ``Thumbs.db`` are passed over, ``photo`` without a suffix is
    found, and a broken ``cat.jpg`` is kept, to be reported. What is hidden (``.name``, ``__MACOSX``) is passed over.

    Links are followed. A file that two ways lead to is given once, by its own name where that is among them; a folder is
    entered once, so that loops end. What is named like a picture and is none (a folder, a pipe, a link to nothing) is
    given with its problem, as are folders that cannot be read and, beside others, folders without a picture.

    Args:
        paths: files and folders as the user typed them; undecodable bytes as Python's surrogates.
        recursive: also look into the folders of folders.

    Raises:
        ConfigError: ``paths`` is empty.
        DataMissing: some of them are not there, or there is no picture in any of them.
    """
    if not paths:
        raise ConfigError("no picture is named. Name files or folders, as in `mlhw pretrained classify ./images`.")
    absent = [name for name in paths if not _is_there(name)]
    if absent:
        raise DataMissing(_absent(absent))
    walk = _Walk(recursive)
    found = [item for name in paths for item in walk.from_argument(name)]
    if not walk.candidates:
        # "in .", with the sentence's full stop, would name the folder above.
        names = ["this folder" if name == "." else escape_name(name) for name in paths[:SHOWN]]
        folders = ", ".join(names) + (", …" if len(paths) > SHOWN else "")
        deeper = " --recursive looks into the folders in it." if walk.passed_folders else ""
        raise DataMissing(f"no pictures in {folders}. Name pictures, or a folder that has some.{deeper}")
    return found


def _is_there(name: str) -> bool:
    try:
        os.lstat(name)
    except ValueError:  # a zero byte
        return False
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
    return True


def _absent(names: Sequence[str]) -> str:
    """The message for paths that are not there; for a single one with the names it is near to."""
    listed = ", ".join(escape_name(name) for name in names[:SHOWN])
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    folder, last = os.path.split(names[0].rstrip("/"))
    try:
        close = nearest(last, os.listdir(folder or ".")) if len(names) == 1 else []
    except (OSError, ValueError):
        close = []
    hint = " or ".join(escape_name(os.path.join(folder, name)) for name in close)
    advice = f"Did you mean {hint}?" if hint else "Name files or folders that are there."
    return f"there is no {listed}{more}. {advice}"


@dataclass(slots=True)
class _Folder:
    """A folder to look into."""

    key: _Key
    name: str
    real: str


@dataclass(slots=True)
class _Walk:
    """A search over several arguments; what one of them gave is not given again."""

    recursive: bool
    candidates: int = 0  # also such as were given before
    passed_folders: int = 0
    files: set[str] = field(default_factory=set)  # real paths
    folders: set[str] = field(default_factory=set)
    found: list[tuple[_Key, Found]] = field(default_factory=list)
    pending: collections.deque[_Folder] = field(default_factory=collections.deque)
    links: list[tuple[_Key, str]] = field(default_factory=list)

    def from_argument(self, name: str) -> list[Found]:
        """What ``name`` gives and no argument before it gave."""
        before, self.found = self.candidates, []
        try:
            facts = os.stat(name)
        except OSError as error:
            self._report((), name, _why(error))
        else:
            if stat.S_ISDIR(facts.st_mode):
                folder = _Folder((), name, os.path.realpath(name))
                new = folder.real not in self.folders
                self.pending.append(folder)
                self._walk()
                if new and self.candidates == before:
                    self.found.append(((), Found(Path(name), name, "a folder without pictures")))
            elif stat.S_ISREG(facts.st_mode):
                self._take((), name, os.path.realpath(name))
            else:
                self._report((), name, "not a plain file")
        return [item for _, item in sorted(self.found, key=lambda pair: pair[0])]

    def _walk(self) -> None:
        """Look into all pending folders; links come last, so that a file goes by its own name."""
        while self.pending or self.links:
            if self.pending:
                folder = self.pending.popleft()
                if folder.real not in self.folders:
                    self.folders.add(folder.real)
                    self._look_into(folder)
            else:
                links, self.links = sorted(self.links), []
                for key, name in links:
                    self._follow(key, name)

    def _look_into(self, folder: _Folder) -> None:
        try:
            with os.scandir(folder.name) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._report(folder.key, folder.name, _why(error))
            return
        shown = [entry for entry in listed if not entry.name.startswith(".") and entry.name != "__MACOSX"]
        for entry in shown:
            self._sort(folder, entry)
        if not shown and folder.key and is_named(folder.key[-1]):
            self._report(folder.key, folder.name, "a folder, not a file")

    def _sort(self, folder: _Folder, entry: os.DirEntry[str]) -> None:
        """Deal with one entry of ``folder``, or put it off."""
        key, real = (*folder.key, entry.name), os.path.join(folder.real, entry.name)
        if entry.is_symlink():
            self.links.append((key, entry.path))
        elif entry.is_dir(follow_symlinks=False):
            self._enter(_Folder(key, entry.path, real))
        elif entry.is_file(follow_symlinks=False):
            if is_named(entry.name) or starts_like_one(entry.path):
                self._take(key, entry.path, real)
        elif is_named(entry.name):
            self._report(key, entry.path, "not a plain file")

    def _enter(self, folder: _Folder) -> None:
        if self.recursive:
            self.pending.append(folder)
        elif is_named(folder.key[-1]):
            self._report(folder.key, folder.name, "a folder, not a file")
        else:
            self.passed_folders += 1

    def _follow(self, key: _Key, name: str) -> None:
        """Take what the link ``name`` leads to."""
        try:
            facts = os.stat(name)
        except OSError as error:
            if is_named(name):
                self._report(key, name, _why(error))
            return
        if stat.S_ISDIR(facts.st_mode):
            self._enter(_Folder(key, name, os.path.realpath(name)))
        elif stat.S_ISREG(facts.st_mode):
            if is_named(name) or starts_like_one(name):
                self._take(key, name, os.path.realpath(name))
        elif is_named(name):
            self._report(key, name, "not a plain file")

    def _take(self, key: _Key, name: str, real: str, problem: str | None = None) -> None:
        self.candidates += 1
        if real not in self.files:
            self.files.add(real)
            self.found.append((key, Found(Path(name), name, problem)))

    def _report(self, key: _Key, name: str, problem: str) -> None:
        self._take(key, name, os.path.abspath(name), problem)


def _why(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a link that leads to itself"
    if error.errno == errno.ENOENT:
        return "a link to nothing"
    return f"cannot be read ({error.strerror or error})"
