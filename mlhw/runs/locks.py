"""Who works in a folder: a lock that the system frees when its process dies, and a note that names the process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from mlhw.errors import OutputError, RunError
from mlhw.files import read_json, remove_leftovers, write_json

SECONDS = 0.3  # to wait: longer than a look at the status holds a lock
WRITTEN = ("checkpoints", "plots")  # folders in it where its holder alone writes


@contextlib.contextmanager
def hold(folder: Path, what: str, *, note: bool = True) -> Iterator[None]:
    """Hold ``folder`` while the block lasts; ``what`` it is, for the message. What a crash left half written there is removed.

    Without ``note`` nothing is written: for one who removes the folder, perhaps because the disk is full.

    Raises:
        RunError: another process holds it; names the process.
        OutputError: the folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock", timeout=SECONDS)
    try:
        lock.acquire()
    except Timeout:
        holder = read_json(folder / "holder.json") or {}
        who = f"process {holder.get('pid', '?')} on {holder.get('host', '?')}"
        raise RunError(f"{what} is held by {who}. Wait until it ends, or stop it.") from None
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}.") from error
    try:
        for part in (folder, *map(folder.joinpath, WRITTEN)):
            remove_leftovers(part)
        if note:
            import socket

            write_json(folder / "holder.json", {"pid": os.getpid(), "host": socket.gethostname()})
        yield
    finally:
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether a living process holds ``folder``."""
    path = folder / "lock"
    if not path.exists():
        return False
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False
