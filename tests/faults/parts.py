"""Parts of mlhw that no command comes to without a network or a cluster, as programs for the server of forks."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from mlhw.cli.guard import guarded
from mlhw.datasets import sources, subset
from mlhw.datasets.fetch import fetch
from mlhw.datasets.hashes import content_hash
from mlhw.datasets.sources import Archive, PackedFile
from mlhw.sweeps.folders import mend, pack, unpack


def run_part(name: str, arguments: Sequence[str]) -> None:
    """Run the function ``name`` of this module as a command is run: an error is a message and an exit code."""
    try:
        guarded(globals()[name])(*arguments)
    except typer.Exit as end:
        sys.exit(end.exit_code)


def shop(made: str, data: str) -> None:
    """Bring the zip that lies in ``data`` into its place; ``made`` is the folder that it was made of."""
    folder = Path(made)
    tables = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sources.GROCERY.archive.tables}
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    archive = Archive("Shop.zip", "dataset", tables, len(names), 1, content_hash(folder, names), 10_000_000)
    fetch(replace(sources.GROCERY, archive=archive), Path(data), offline=True)


def digits(made: str, data: str) -> None:
    """Unpack the ``.gz`` files that lie in ``data``; ``made`` has them unpacked."""
    files = []
    for plain in sorted(Path(made).iterdir()):
        packed = (Path(data) / sources.MNIST.folder / f"{plain.name}.gz").read_bytes()
        content = plain.read_bytes()
        sha256, md5 = hashlib.sha256(content).hexdigest(), hashlib.md5(packed, usedforsecurity=False).hexdigest()
        files.append(PackedFile(plain.name, len(content), sha256, len(packed), md5))
    fetch(replace(sources.MNIST, files=tuple(files)), Path(data), offline=True)


def parcel(sent: str, there: str) -> None:
    """Replace the folder ``there`` by a copy of ``sent``, as a sweep on a cluster does, after what its begin mends."""
    mend(Path(there))
    unpack(pack(Path(sent)), Path(there), replace=True)


def large(*arguments: str) -> None:
    """Run the program where rows of any size are too large for memory."""
    from mlhw.cli.start import run_app

    subset.MEMORY_BYTES = 0
    sys.argv = ["mlhw", *arguments]
    run_app()
