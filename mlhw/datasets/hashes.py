"""What is in a file or a folder, told by its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def file_hash(path: Path, kind: str = "sha256") -> str:
    """The hash of the file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


def content_hash(folder: Path, names: Iterable[str]) -> str:
    """One SHA-256 over the sorted paths and hashes of the files ``names`` in ``folder``; see ``sources.Archive``."""
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name}\0{file_hash(folder / name)}\n".encode())
    return digest.hexdigest()
