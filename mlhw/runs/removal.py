"""Removing a run so that it is listed whole or not at all, however the removal ends: renamed first, then deleted."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from mlhw.errors import OutputError, RunError
from mlhw.files import remove_folder
from mlhw.runs import store


def find(outputs: Path, name: str) -> store.Run:
    """The run that ``name`` means, or whose removal was cut short where ``name`` is its whole id.

    Raises:
        RunError: see :func:`mlhw.runs.store.find`.
    """
    if store.RUN_ID.fullmatch(name) and _grave(run := store.Run(outputs / name)).is_dir():
        return run
    return store.find(outputs, name)


def check(run: store.Run) -> None:
    """Raise RunError where ``run`` is a link, whose folder lies elsewhere, or where another process holds it."""
    if run.path.is_symlink():
        raise RunError(
            f"run {run.id} is a link to {run.path.resolve()}, and is left as it is. Delete the link by hand."
        )
    if run.path.exists() or not _grave(run).is_dir():
        with run.lock(note=False):
            pass


def put_away(run: store.Run) -> None:
    """Take the run from the list, whole, in one step: what is deleted afterwards is nobody's run.

    Where that was done before, nothing is left to do.

    Raises:
        RunError: another process holds it, or it is a link.
        OutputError: the folder cannot be renamed; it is as it was.
    """
    check(run)
    if not run.path.exists():
        return
    remove_folder(_grave(run))  # of a run that had this id before
    with contextlib.ExitStack() as held:
        held.enter_context(run.lock(note=False))
        if os.name == "nt":
            held.close()  # Windows renames no folder that holds an open file
        try:
            run.path.rename(_grave(run))
        except OSError as error:
            raise OutputError(
                f"cannot remove {run.path}: {error.strerror or error}. It is as it was. Repair the cause, or delete it by hand."
            ) from error


def put_back(run: store.Run) -> bool:
    """List the run again that was put away; whether that went well. Where not, a second removal finishes."""
    try:
        _grave(run).rename(run.path)
    except OSError:
        return False
    return True


def erase(run: store.Run) -> None:
    """Delete the folder of a run that was put away. Raises OutputError where some of it cannot be."""
    remove_folder(_grave(run))


def _grave(run: store.Run) -> Path:
    return run.path.with_name(f".{run.id}.removed")
