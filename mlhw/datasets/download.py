"""One file over HTTP: resumed where it broke off, checked by its hash, from the first mirror that has it."""

from __future__ import annotations

import errno
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import IO

from mlhw.errors import DataError, DataMissing, OutputError

Progress = Callable[[str, int, int], None]

ATTEMPTS = 5  # connections to one mirror for one file
TIMEOUT_SECONDS = 30.0
BLOCK_BYTES = 1 << 16
HEADERS = {"User-Agent": "mlhw", "Accept-Encoding": "identity"}


class _NotHere(Exception):
    """This mirror does not have the file, or serves something else: go on to the next."""


class _BrokeOff(Exception):
    """The connection failed or ended early: another attempt may get the rest."""


@dataclass(frozen=True, slots=True)
class Download:
    """What to fetch: its name for messages, URLs in order of preference, the ``.part`` file, a check and a size bound.

    ``check`` tells what is wrong with a whole file, or gives None where its hash holds. ``setting`` is the environment
    variable that says where ``part`` lies, for the message where it cannot be written.
    """

    name: str
    urls: Sequence[str]
    part: Path
    check: Callable[[Path], str | None]
    most_bytes: int
    wait_seconds: float = 0.5  # before the second attempt; doubles with each
    setting: str = "MLHW_DATA"


def download(job: Download, progress: Progress) -> None:
    """Bring the file to ``job.part``; when this returns, its hash holds. What is there already is continued.

    A wrong hash discards the file and tries that mirror from zero once more, then the next.

    Raises:
        DataMissing: no mirror could be reached, or none has the file.
        DataError: every mirror that answered sent a file with a wrong hash, or a page of HTML.
        OutputError: the file cannot be written.
    """
    failures: list[str] = []
    corrupt = False
    for url in job.urls:
        try:
            for _ in range(2):
                _whole(job, url, progress)
                wrong = job.check(job.part)
                if wrong is None:
                    return
                job.part.unlink(missing_ok=True)
            corrupt = True
            failures.append(f"{url}: {wrong}, twice")
        except (_NotHere, _BrokeOff) as error:
            failures.append(f"{url}: {error}")
    kind = DataError if corrupt else DataMissing
    raise kind(f"{job.name} could not be fetched: {'; '.join(failures)}.")


def _whole(job: Download, url: str, progress: Progress) -> None:
    """Get all bytes of ``url``, in as many connections as it takes up to ``ATTEMPTS``."""
    if not url.startswith(("http://", "https://")):
        raise _NotHere("not an http or https address")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _connect(job, url, progress)
            return
        except _BrokeOff as error:
            if attempt == ATTEMPTS:
                raise _BrokeOff(f"{error} ({ATTEMPTS} attempts)") from error
            time.sleep(job.wait_seconds * 2 ** (attempt - 1))


def _connect(job: Download, url: str, progress: Progress) -> None:
    """One connection: the rest of the file, or all of it where the server will not send a part."""
    have = job.part.stat().st_size if job.part.is_file() else 0
    request = urllib.request.Request(url, headers={**HEADERS, **({"Range": f"bytes={have}-"} if have else {})})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            _receive(job, response, have, progress)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and have:  # nothing after what we have: the check tells whether it is the file
                return
            text = f"the server answered {error.code} {error.reason}"
            raise (_BrokeOff(text) if error.code >= 500 or error.code == 429 else _NotHere(text)) from error
    except urllib.error.URLError as error:
        raise _BrokeOff(f"no connection ({error.reason})") from error
    except (http.client.HTTPException, OSError) as error:
        raise _BrokeOff(f"the connection broke off ({error or type(error).__name__})") from error


def _receive(job: Download, response: HTTPResponse, have: int, progress: Progress) -> None:
    """Append (206) or write anew (200) what ``response`` carries. Raises _BrokeOff where it is less than announced."""
    resumed = response.status == 206 and (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-")
    if response.status == 206 and not resumed:
        job.part.unlink(missing_ok=True)
        raise _BrokeOff("the server sent another part of the file than asked for")
    done = have if resumed else 0
    length = response.headers.get("Content-Length")
    total = done + int(length) if length and length.isdigit() else 0
    block = response.read(BLOCK_BYTES)
    if not resumed and _is_html(block):  # seen before the file is opened: what came earlier may still be good
        raise _NotHere("a web page came in place of the file (a login or proxy page?)")
    with _writing(job, "ab" if resumed else "wb") as file:
        while block:
            _put(file, block, job)
            done += len(block)
            if done > job.most_bytes:
                job.part.unlink(missing_ok=True)
                raise _NotHere(f"more than the {job.most_bytes:,} bytes allowed")
            progress(job.name, done, max(total, done))
            block = response.read(BLOCK_BYTES)
    if done < total:
        raise _BrokeOff(f"the connection broke off at {done:,} of {total:,} bytes")


def _is_html(block: bytes) -> bool:
    start = block[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml"))


def _writing(job: Download, mode: str) -> IO[bytes]:
    try:
        return job.part.open(mode)
    except OSError as error:
        raise cannot_write(job.part, error, job.setting) from error


def _put(file: IO[bytes], block: bytes, job: Download) -> None:
    try:
        file.write(block)
        file.flush()
    except OSError as error:
        raise cannot_write(job.part, error, job.setting) from error


def cannot_write(path: Path, error: OSError, setting: str = "MLHW_DATA") -> OutputError:
    """The OutputError to raise for ``error`` at ``path``: is space or permission short, and which ``setting`` moves it."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = f"Free space, or set {setting} to another disk" if full else f"Set {setting} to a folder you may write to"
    return OutputError(f"cannot write {path}: {error.strerror or error}. {advice}; what has come is kept.")
