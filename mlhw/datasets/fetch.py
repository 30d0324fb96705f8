"""Public data sets brought into the data folder: the one place that writes there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from filelock import FileLock

from mlhw.datasets.download import Download, Progress, cannot_write, download
from mlhw.datasets.hashes import content_hash, file_hash
from mlhw.datasets.sources import Archive, PackedFile, Source
from mlhw.datasets.unpack import extract, gunzip
from mlhw.datasets.verify import archive_folder, archive_names, source_named, verify
from mlhw.errors import DataError, DataMissing

MOST_PACKED_BYTES = 200_000_000  # of one .gz
MOST_ZIP_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one file (or, for an archive, its folder)."""

    path: Path
    status: Literal["present", "unpacked", "fetched", "embedded"]


def fetch(
    source: Source | str,
    data_folder: Path,
    *,
    mirrors: Sequence[str] | None = None,
    progress: Progress = lambda what, done, total: None,
    offline: bool = False,
    wait_seconds: float = 0.5,
) -> list[Fetched]:
    """The files of ``source`` in ``data_folder``, each verified; only those that are missing or wrong are downloaded.

    Args:
        source: the data set, or its name.
        data_folder: MLHW_DATA; made where it is not there.
        mirrors: addresses to use in place of the source's own: of the folder that holds the files, or of the zip.
        progress: told the name, bytes (or files) done, and all of them.
        offline: download nothing (MLHW_OFFLINE=1).
        wait_seconds: before the second attempt at a connection; doubles with each.

    Raises:
        DataMissing: something is missing and cannot be had; names each file, its place and its address.
        DataError: every mirror sent something else.
        OutputError: the data folder cannot be written.
    """
    known = source_named(source)
    if known.course_file is not None:
        return [_course_file(known, data_folder)]
    if not known.files and known.archive is None:
        return [Fetched(Path(known.folder), "embedded")]
    if all(file.status == "ok" for file in verify(known, data_folder, progress)):
        return _present(known, data_folder)
    urls = tuple(mirrors or known.mirrors)
    if offline:
        _require_packed(known, data_folder, urls)
    root = data_folder / known.folder
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(root.parent / f".{known.name}.lock"):  # a second process waits, then finds all there
            if known.archive is not None:
                return [_fetch_archive(known, known.archive, data_folder, urls, progress, wait_seconds)]
            root.mkdir(exist_ok=True)
            return [_fetch_packed(known, file, root, urls, progress, wait_seconds) for file in known.files]
    except OSError as error:
        raise cannot_write(root, error) from error


def _course_file(source: Source, data_folder: Path) -> Fetched:
    (file,) = verify(source, data_folder)
    if file.status == "missing":
        raise DataMissing(
            f"{source.name} cannot be fetched: {file.path.name} comes from the course alone. Put it in "
            f"{file.path.parent}, or go on without: such data is then generated."
        )
    if file.status != "ok":
        raise DataError(
            f"{file.path}: {file.detail}. It cannot be fetched: put the course's own file there, or remove it and go on "
            "without: such data is then generated."
        )
    return Fetched(file.path, "present")


def _present(source: Source, data_folder: Path) -> list[Fetched]:
    if source.archive is not None:
        return [Fetched(archive_folder(source, data_folder), "present")]
    root = data_folder / source.folder
    paths = [root / file.name for file in source.files]
    return [Fetched(path if path.is_file() else path.with_name(f"{path.name}.gz"), "present") for path in paths]


def _fetch_packed(
    source: Source, file: PackedFile, root: Path, urls: tuple[str, ...], progress: Progress, wait: float
) -> Fetched:
    """``file`` in ``root``: as it is, or unpacked from a ``.gz`` that is there, or downloaded."""
    path, packed = root / file.name, root / f"{file.name}.gz"
    if path.is_file() and path.stat().st_size == file.size and file_hash(path) == file.sha256:
        return Fetched(path, "present")
    check = partial(_wrong_md5, expected=file.packed_md5)
    if packed.is_file() and check(packed) is None:
        gunzip(packed, path, file.size, file.sha256)
        return Fetched(path, "unpacked")
    addresses = [f"{url.rstrip('/')}/{file.name}.gz" for url in urls]
    part = packed.with_name(f"{packed.name}.part")
    job = Download(f"{source.name}/{packed.name}", addresses, part, check, MOST_PACKED_BYTES, wait)
    _download(job, progress, packed, source)
    gunzip(part, path, file.size, file.sha256)
    part.unlink()
    return Fetched(path, "fetched")


def _fetch_archive(
    source: Source,
    archive: Archive,
    data_folder: Path,
    urls: tuple[str, ...],
    progress: Progress,
    wait: float,
) -> Fetched:
    """The archive's folder: unpacked beside its place and checked there, then moved in."""
    target = data_folder / source.folder
    if all(file.status == "ok" for file in verify(source, data_folder)):
        return Fetched(archive_folder(source, data_folder), "present")
    part = target.parent / f"{archive.name}.part"
    for left in target.parent.glob(f".{archive.name}.*"):  # by a killed process: the lock is ours, nobody unpacks now
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{archive.name}.", dir=target.parent) as temporary:
        check = partial(_wrong_archive, archive=archive, folder=Path(temporary) / "new", progress=progress)
        beside = target.parent / archive.name
        if beside.is_file() and check(beside) is None:
            _move_in(Path(temporary) / "new", target)
            return Fetched(target, "unpacked")
        job = Download(archive.name, urls, part, check, MOST_ZIP_BYTES, wait)
        _download(job, progress, beside, source)
        _move_in(Path(temporary) / "new", target)
    part.unlink(missing_ok=True)
    return Fetched(target, "fetched")


def _require_packed(source: Source, data_folder: Path, urls: tuple[str, ...]) -> None:
    """Raise DataMissing unless what is missing lies there packed; names every file, its place and its address."""
    root = data_folder / source.folder
    if source.archive is not None:
        wanted = [(root.parent / source.archive.name, urls[0])]
    else:
        broken = {file.path for file in verify(source, data_folder) if file.status != "ok"}
        names = [file.name for file in source.files if broken & {root / file.name, root / f"{file.name}.gz"}]
        wanted = [(root / f"{name}.gz", f"{urls[0].rstrip('/')}/{name}.gz") for name in names]
    absent = [f"{url} to {path}" for path, url in wanted if not path.is_file()]
    if absent:
        raise DataMissing(
            f"{source.name} is not all in {data_folder}, and MLHW_OFFLINE=1 forbids fetching it. "
            f"Elsewhere, download {'; '.join(absent)}; then run `mlhw data fetch {source.name}` again."
        )


def _download(job: Download, progress: Progress, place: Path, source: Source) -> None:
    """Download, or say which file to put where by hand."""
    try:
        download(job, progress)
    except DataError as error:
        by_hand = f"Or download {job.urls[0]} to {place} and run `mlhw data fetch {source.name}` again."
        raise type(error)(f"{error} {by_hand}") from error


def _wrong_md5(path: Path, expected: str) -> str | None:
    got = file_hash(path, "md5")
    return None if got == expected else f"expected md5 {expected}, got {got} ({path.stat().st_size:,} bytes)"


def _wrong_archive(path: Path, archive: Archive, folder: Path, progress: Progress) -> str | None:
    """Unpack the zip at ``path`` into ``folder``; what is wrong with it, or None where its content is as pinned."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        extract(path, archive.inside, folder, archive.most_bytes, progress)
        names = archive_names(folder, archive)
        absent = [name for name in names if not (folder / name).is_file()]
        if absent:
            return f"the zip lacks {absent[0]} and {len(absent) - 1} more"
        got = content_hash(folder, names)
    except DataError as error:
        return str(error).rstrip(".")
    return None if got == archive.sha256 else f"expected content sha256 {archive.sha256[:16]}…, got {got[:16]}…"


def _move_in(new: Path, target: Path) -> None:
    """Give ``new`` the name ``target``; where that is there already, replace its files one by one and keep the others."""
    if not target.exists():
        new.replace(target)
        return
    for file in sorted(path for path in new.rglob("*") if path.is_file()):
        place = target / file.relative_to(new)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
