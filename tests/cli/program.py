"""The program as a user runs it: a process with its own folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """Exit code and streams of one invocation."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)


def mlhw(*arguments: str, cwd: Path | None = None, timeout_seconds: float = 300, **environment: str) -> Result:
    """Run ``mlhw`` with ``arguments`` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "mlhw", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        cwd=cwd,
        env={"PYTHONIOENCODING": "utf-8", **os.environ, **environment},
        timeout=timeout_seconds,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)
