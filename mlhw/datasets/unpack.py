"""What was fetched, unpacked: a ``.gz`` or a zip, never outside its folder, never more than it should hold."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from mlhw.datasets.download import cannot_write
from mlhw.errors import DataError
from mlhw.files import atomic_write

BLOCK_BYTES = 1 << 20
MOST_MEMBERS = 100_000


def gunzip(packed: Path, target: Path, size: int, sha256: str) -> None:
    """Write the unpacked ``packed`` to ``target``, which takes its name only when size and hash hold.

    Raises:
        DataError: what comes out is not what it should be.
        OutputError: ``target`` cannot be written.
    """
    digest, done = hashlib.sha256(), 0
    with atomic_write(target) as out, gzip.open(packed) as file:
        try:
            while block := file.read(BLOCK_BYTES):
                done += len(block)
                if done > size:
                    break
                digest.update(block)
                out.write(block)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{packed}: damaged or cut off ({error}). Remove it and fetch again.") from error
        if done != size or digest.hexdigest() != sha256:
            raise DataError(f"{packed}: unpacked it is not {target.name} (expected {size:,} bytes, sha256 {sha256}).")


def extract(
    packed: Path, inside: str, target: Path, most_bytes: int, progress: Callable[[str, int, int], None]
) -> None:
    """Write the zip's members below ``<any>/<inside>/`` (or ``<inside>/``) to ``target``.

    Raises:
        DataError: the zip is damaged, too large, or has a member with an absolute name, ``..`` or a link.
        OutputError: ``target`` cannot be written.
    """
    try:
        with zipfile.ZipFile(packed) as archive:
            chosen = _chosen(packed, archive, inside, most_bytes)
            for done, (member, name) in enumerate(chosen, 1):
                _extract_one(archive, member, target / name)
                progress(f"unpacking {packed.name.removesuffix('.part')}", done, len(chosen))
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise DataError(f"{packed}: not a whole zip ({error}). Remove it and fetch again.") from error


def _extract_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, path.open("wb") as out:
            shutil.copyfileobj(source, out, BLOCK_BYTES)
    except OSError as error:
        raise cannot_write(path, error) from error


def _chosen(
    packed: Path, archive: zipfile.ZipFile, inside: str, most_bytes: int
) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The file members to extract with their names below ``inside``; every member is held to be harmless first."""
    members = archive.infolist()
    size = sum(member.file_size for member in members)  # zipfile stops a member at the size that it states
    if len(members) > MOST_MEMBERS or size > most_bytes:
        raise DataError(f"{packed}: {len(members):,} members of {size:,} bytes, above the {most_bytes:,} allowed.")
    chosen = []
    for member in members:
        path = PurePosixPath(member.filename)
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in member.filename or is_link:
            raise DataError(
                f"{packed}: the member '{member.filename[:80]}' leads out of the folder. Nothing was unpacked."
            )
        below = next((path.parts[depth:] for depth in (1, 2) if path.parts[depth - 1 : depth] == (inside,)), ())
        if below and not member.is_dir():
            chosen.append((member, PurePosixPath(*below)))
    if not chosen:
        raise DataError(f"{packed}: has no folder '{inside}'.")
    return chosen
