"""A run's folder as bytes, to be sent from the machine that made it to the one that asked for it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from mlhw.errors import DataError, OutputError

_END = bytes(2 * tarfile.BLOCKSIZE)  # how every archive ends
_OFFENDING = ("\\", ":", "\0")  # parts of a path on some system, of a name on another


def pack(folder: Path) -> bytes:
    """The plain files and folders in ``folder`` as a tar archive, uncompressed: weights do not shrink.

    Raises:
        OutputError: the folder cannot be read, or has a link or a device in it.
    """
    archive = io.BytesIO()
    try:
        with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path in sorted(folder.rglob("*")):
                if path.is_symlink() or not (path.is_file() or path.is_dir()):
                    raise OutputError(f"cannot send {path}: it is no plain file. Put the file itself there.")
                entry = tar.gettarinfo(path, path.relative_to(folder).as_posix())
                entry.type = (
                    tarfile.DIRTYPE if path.is_dir() else tarfile.REGTYPE
                )  # a second name of a file is a file too
                entry.linkname = entry.uname = entry.gname = ""
                entry.uid = entry.gid = 0
                if path.is_dir():
                    tar.addfile(entry)
                    continue
                content = path.read_bytes()
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    except OSError as error:
        raise OutputError(f"cannot read {folder}: {error.strerror or error}.") from error
    return archive.getvalue()


def unpack(data: bytes, folder: Path, *, replace: bool = False) -> None:
    """Make ``folder`` of what :func:`pack` made; the whole of it, or nothing.

    The files are written to a folder beside it, which then takes its name. With ``replace``, a folder that is there is put
    aside first and deleted last.

    Raises:
        DataError: the archive is damaged, or names something outside the folder, a link or a device.
        OutputError: the folder exists, or cannot be written.
    """
    if folder.exists() and not replace:
        raise OutputError(f"cannot write {folder}: it exists.")
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    aside = beside.with_suffix(".old")
    try:
        beside.mkdir(parents=True)
        _extract(data, beside)
        if folder.exists():
            folder.rename(aside)
        beside.rename(folder)
    except OSError as error:
        with contextlib.suppress(OSError):  # then the next `mend` does it
            if aside.exists() and not folder.exists():
                aside.rename(folder)
        raise OutputError(
            f"cannot write {folder}: {error.strerror or error}. Free space or fix permissions."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)


def mend(folder: Path) -> None:
    """Put ``folder`` back where :func:`unpack` was killed as it replaced it, and delete what it left beside it.

    For one who knows that nobody replaces it now. What cannot be renamed or deleted stays.
    """
    left = re.compile(rf"\.{re.escape(folder.name)}\.[0-9a-f]{{8}}\.(tmp|old)")
    with contextlib.suppress(OSError):
        for path in [path for path in folder.parent.iterdir() if left.fullmatch(path.name)]:
            if path.suffix == ".old" and not folder.exists():
                path.rename(folder)
            else:
                shutil.rmtree(path, ignore_errors=True)


def _extract(data: bytes, folder: Path) -> None:
    if len(data) % tarfile.RECORDSIZE or data[-len(_END) :] != _END:
        raise DataError("the archive of a run's folder is cut short. Run that trial again.")
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for entry in tar:
                target = folder / _safe(entry)
                if entry.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                source = tar.extractfile(entry)
                content = source.read() if source else b""
                if len(content) != entry.size:
                    raise DataError(
                        f"the archive of a run's folder is damaged at '{entry.name}'. Run that trial again."
                    )
                with target.open("xb") as file:  # x: no name comes twice
                    file.write(content)
                os.utime(target, (entry.mtime, entry.mtime))
    except FileExistsError as error:
        raise DataError(f"the archive of a run's folder names '{Path(error.filename).name}' twice; refused.") from error
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise DataError(f"the archive of a run's folder is damaged ({error}). Run that trial again.") from error


def _safe(entry: tarfile.TarInfo) -> PurePosixPath:
    """The relative path of a plain file or folder; anything else is refused."""
    path = PurePosixPath(entry.name)
    plain = entry.isdir() or (entry.isreg() and not entry.issparse())
    named = path.parts and not path.is_absolute() and ".." not in path.parts
    if not plain or not named or any(sign in entry.name for sign in _OFFENDING):
        raise DataError(
            f"the archive of a run's folder has {entry.name!r} in it, which is no plain file of it; refused."
        )
    return path
