"""The program as forks of a warm process: real processes that can be killed, a fraction of a second each."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

KILLED = -signal.SIGKILL if sys.platform != "win32" else -9
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code (-9 where it was killed), streams, seconds, and how many operations on files it did.

    ``failed`` is the path that an injected error befell, "" where none did; ``pid`` what the process was.
    """

    code: int
    out: str
    err: str
    seconds: float
    operations: int
    failed: str
    pid: int

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)


class Warm:
    """A server of forks."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is for the programs' streams."""
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **THREADS},
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError("the server of forks did not start")

    def run(self, *arguments: str, **how: Any) -> Ended:
        """Run ``mlhw`` with ``arguments``; for ``how`` see :meth:`request`."""
        return self.all_of([self.request(*arguments, **how)])[0]

    def request(
        self,
        *arguments: str,
        outputs: Path,
        within: Path | None = None,
        kill_after: float | None = None,
        die_at: int = 0,
        fail_at: int = 0,
        lasting: bool = True,
        error: int = errno.ENOSPC,
        most_bytes: int = 0,
        each_epoch: bool = True,
        figures: bool = True,
        limit: float = 120,
        trace: Path | None = None,
        part: str = "",
        **environment: str,
    ) -> dict[str, Any]:
        """One program to run.

        It is killed after ``kill_after`` seconds, or in the middle of operation ``die_at`` on a file ``within`` a folder
        (that of ``outputs``); from operation ``fail_at`` on (at it alone, unless ``lasting``) ``error`` befalls them; no file
        may grow beyond ``most_bytes``. With ``each_epoch`` a checkpoint is written after every epoch instead of once a
        second: there is more to hit. Figures take longer than these trainings; without ``figures`` none are drawn.
        Into ``trace`` goes a line an operation: its number, the path, and the functions of mlhw that it was done by, and
        its kind (``os.rename``, ``write``). With ``part`` that function of ``parts.py`` runs in place of the program.
        """
        return {
            "arguments": arguments,
            "environment": {"MLHW_OUTPUTS": str(outputs), "COLUMNS": "200", **environment},
            "folder": str(self.folder),
            "within": str(within or outputs),
            "kill_after": kill_after,
            "die_at": die_at,
            "fail_at": fail_at,
            "lasting": lasting,
            "error": error,
            "most_bytes": most_bytes,
            "each_epoch": each_epoch,
            "figures": figures,
            "limit": limit,
            "trace": str(trace or ""),
            "part": part,
        }

    def all_of(self, requests: Sequence[dict[str, Any]]) -> list[Ended]:
        """Run all of ``requests`` at once, and wait for them."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        streams = [(self.folder / f"out-{place}", self.folder / f"err-{place}") for place in range(len(requests))]
        asked = [
            request | {"out": str(out), "err": str(err)} for request, (out, err) in zip(requests, streams, strict=True)
        ]
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answers = json.loads(self.process.stdout.readline())
        return [
            Ended(out=out.read_text(errors="replace"), err=err.read_text(errors="replace"), **answer)
            for answer, (out, err) in zip(answers, streams, strict=True)
        ]

    def __enter__(self) -> Warm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
