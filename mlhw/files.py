"""Whole-file writes that either happen or do not, and files that grow by whole lines."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from mlhw.errors import OutputError

TOGETHER = 100  # times that a file may vanish as it is about to be deleted
_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name))


@contextlib.contextmanager
def atomic_write(path: Path, *, sync: bool = True, size: int = 0) -> Iterator[IO[bytes]]:
    """A binary file that takes the name ``path`` only when the block ends well.

    Prevents the half-written file that a crash, a full disk or Ctrl+C leaves behind: readers see the old content or the
    new one. The temporary file lies in the same folder, since ``os.replace`` is atomic within one file system only.
    ``size`` is the bytes that it will take, where they are known, for the message.

    Raises:
        OutputError: the folder cannot be written to, or the disk is full; names the path, and the space that it takes.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        # Not tempfile's: those files are for their owner alone, but who may read a folder should be able to read this.
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            temporary.replace(path)
            if sync and os.name == "posix":
                _sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise cannot_write(path, error, size) from error


def cannot_write(path: Path, error: OSError, size: int = 0) -> OutputError:
    """The OutputError to raise where ``error`` kept ``path`` from being written, which takes ``size`` bytes (0: unknown)."""
    text = f"cannot write {path}: {error.strerror or error}."
    if error.errno not in _FULL:
        return OutputError(f"{text} Free space or fix permissions.")
    import shutil  # it loads every compressor

    try:
        free = f"{shutil.disk_usage(path.parent).free:,}"
    except OSError:
        free = "?"
    takes = f"It takes {size:,} bytes, and {free} are free." if size else f"{free} bytes are free."
    return OutputError(f"{text} {takes} Free space.")


def _sync_folder(folder: Path) -> None:
    """Bring a rename in ``folder`` to the disk: without, a power cut may undo it. Windows offers no such call."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.tmp")


def remove_leftovers(folder: Path, name: str | None = None) -> None:
    """Delete the temporary files that writes cut off by a crash left in ``folder`` (of the file ``name`` alone, if given).

    For one who knows that nobody writes there now. What cannot be deleted stays: it is litter and does no harm.
    """
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            match = _TEMPORARY.fullmatch(path.name)
            if match and name in (None, match["name"]):
                with contextlib.suppress(OSError):
                    path.unlink()


def make_folder(path: Path) -> Path:
    """``path``, made with its parents where it was not there. Raises OutputError where it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {path}: {error.strerror or error}. Name one that you may write to."
        ) from error
    return path


def remove_folder(path: Path) -> None:
    """Delete the folder ``path`` with all that is in it; a second process may do so at the same time.

    Raises:
        OutputError: something in it cannot be deleted; what could be is gone.
    """
    import shutil  # with its compressors it takes longer to load than ten thousand runs to list

    for _ in range(TOGETHER):
        try:
            shutil.rmtree(path)
        except FileNotFoundError:  # the other one was faster, with a file or with all of it
            if path.exists():
                continue
        except OSError as error:
            inside = "" if error.filename in (None, str(path)) else f" (of {Path(error.filename).name} in it)"
            raise OutputError(f"cannot remove {path}: {error.strerror or error}{inside}.") from error
        return


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with ``\\n`` line ends, atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data``, atomically."""
    with atomic_write(path, size=len(data)) as file:
        file.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically. NaN and infinity, which JSON has not, become null."""
    write_text(path, json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in ``path``, or None where there is none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def finite(value: Any) -> Any:
    """``value`` with every float that JSON cannot hold (NaN, ±infinity) replaced by None."""
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


class LineFile:
    """A file that grows by whole lines. What ``append`` has returned from is the system's; ``sync`` brings it to the disk.

    Unbuffered, so that what could not be written is not tried again when the file is closed. A full disk may leave part of
    a line; readers leave it out, and a resume drops it.
    """

    def __init__(self, path: Path, start: bytes = b"", kept_bytes: int = 0) -> None:
        """Open ``path``; after its first ``kept_bytes`` comes ``start``, and what follows now is dropped.

        In place and not by replacement: content that stays as it is is there at every moment.

        Raises:
            OutputError: it cannot be written.
        """
        self.path = path
        try:
            self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        except OSError as error:
            raise cannot_write(path, error, len(start)) from error
        try:
            self._file.seek(kept_bytes)
            self.append(start)
            self._file.truncate()
        except OSError as error:
            self._file.close()
            raise cannot_write(path, error) from error
        except OutputError:
            self._file.close()
            raise

    def append(self, lines: bytes) -> None:
        """Add whole ``lines``. Raises OutputError where the disk is full."""
        rest = memoryview(lines)
        try:
            while rest:  # the system may take a part, as the last one that fits
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise cannot_write(self.path, error, len(rest)) from error

    def sync(self) -> None:
        """Bring all lines to the disk. Raises OutputError where it fails."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()
