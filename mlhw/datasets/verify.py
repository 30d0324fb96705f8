"""Whether the files of a public data set are there and are what they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlhw.datasets import grocery
from mlhw.datasets.hashes import content_hash, file_hash
from mlhw.datasets.sources import SOURCES, Archive, CourseFile, PackedFile, Source
from mlhw.errors import ConfigError, DataError, DataMissing, did_you_mean

Status = Literal["ok", "missing", "size", "corrupt"]


@dataclass(frozen=True, slots=True)
class FileStatus:
    """One file: ``ok``, ``missing``, of the wrong ``size``, or ``corrupt`` (its hash differs); ``detail`` in words."""

    path: Path
    status: Status
    detail: str = ""


def source_named(source: Source | str) -> Source:
    """The source of that name. Raises ConfigError, which names the nearest, where there is none."""
    if isinstance(source, Source):
        return source
    if source not in SOURCES:
        raise ConfigError(f"no data set named '{source}'. {did_you_mean(source, SOURCES)}")
    return SOURCES[source]


def verify(
    source: Source | str, data_folder: Path, progress: Callable[[str, int, int], None] = lambda what, done, total: None
) -> list[FileStatus]:
    """The state of each file of ``source``, by size and hash; empty where it is embedded in a library.

    An archive's pictures are pinned together: one record stands for all that are there, beside one for each missing.
    """
    known = source_named(source)
    if known.course_file is not None:
        return [_verify_plain(data_folder / known.folder / known.course_file.name, known.course_file)]
    if known.archive is not None:
        return _verify_archive(known, known.archive, data_folder, progress)
    found = []
    for done, file in enumerate(known.files, 1):
        found.append(_verify_packed(data_folder / known.folder, file))
        progress(f"verifying {known.name}", done, len(known.files))
    return found


def archive_folder(source: Source, data_folder: Path) -> Path:
    """Where an archive's files lie: where ``grocery.find`` finds them, else where a fetch puts them."""
    try:
        return grocery.find(data_folder)
    except DataMissing:
        return data_folder / source.folder


def archive_names(folder: Path, archive: Archive) -> list[str]:
    """The tables, and the pictures that the lists among them name. Raises DataError for a malformed list."""
    lists = [name for name in archive.tables if name.endswith(".txt")]
    return [*archive.tables, *(line.path for name in lists for line in grocery.read_list(folder / name))]


def _verify_packed(folder: Path, file: PackedFile) -> FileStatus:
    """The unpacked file where it is there, else the packed one."""
    path, packed = folder / file.name, folder / f"{file.name}.gz"
    if path.is_file() or not packed.is_file():
        return _verify_plain(path, file)
    return _by_hash(packed, file.packed_md5, "md5")


def _verify_plain(path: Path, file: PackedFile | CourseFile) -> FileStatus:
    if not path.is_file():
        return FileStatus(path, "missing")
    if (size := path.stat().st_size) != file.size:
        return FileStatus(path, "size", f"expected {file.size:,} bytes, got {size:,}")
    return _by_hash(path, file.sha256, "sha256")


def _by_hash(path: Path, expected: str, kind: str) -> FileStatus:
    got = file_hash(path, kind)
    if got != expected:
        return FileStatus(path, "corrupt", f"expected {kind} {expected[:12]}…, got {got[:12]}…")
    return FileStatus(path, "ok")


def _verify_archive(
    source: Source, archive: Archive, data_folder: Path, progress: Callable[[str, int, int], None]
) -> list[FileStatus]:
    folder = archive_folder(source, data_folder)
    what = f"verifying {source.name}"
    found = []
    for name, sha256 in archive.tables.items():
        path = folder / name
        found.append(_by_hash(path, sha256, "sha256") if path.is_file() else FileStatus(path, "missing"))
    if any(file.status != "ok" for file in found):
        return found
    try:
        names = archive_names(folder, archive)
    except DataError as error:  # a list whose hash holds is well formed, unless the table above is not
        return [*found, FileStatus(folder, "corrupt", str(error))]
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        return [*found, *(FileStatus(folder / name, "missing") for name in absent)]
    progress(what, 0, len(names))
    whole = content_hash(folder, names) == archive.sha256
    progress(what, len(names), len(names))
    detail = f"{archive.files - len(archive.tables):,} pictures" + ("" if whole else ": one or more differ")
    return [*found, FileStatus(folder, "ok" if whole else "corrupt", detail)]
