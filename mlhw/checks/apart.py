"""A learner's file, checked in a process of its own: it may hang, crash or end Python, and is told so in one sentence."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import mlhw
from mlhw.checks.calls import Fault


def check_apart(
    path: Path,
    *,
    jacobians: bool,
    forward: str | None = None,
    backward: str | None = None,
    seed: int = 0,
    time_limit_seconds: float = 30.0,
    memory_mb: int | None = None,
    quiet: bool = False,
) -> list[dict[str, Any]]:
    """The records of all checks of the file at ``path``; see :func:`mlhw.checks.own.check_file`.

    What the file prints goes to stderr, or nowhere where ``quiet``. ``memory_mb`` bounds what it may take (on Linux). When it
    is over, or the time limit has passed, the process and all that it started are ended. It runs with the user's own rights:
    this guards against accidents, not against malice.

    Raises:
        Fault: ``file`` where it cannot be checked, ``work`` where its functions fail, crash or take too long.
    """
    request = {
        "path": str(path),
        "jacobians": jacobians,
        "forward": forward,
        "backward": backward,
        "seed": seed,
        "time_limit_seconds": time_limit_seconds,
        "memory_mb": memory_mb,
    }
    with tempfile.TemporaryDirectory(prefix="mlhw-check-", ignore_cleanup_errors=True) as folder:
        report = Path(folder) / "report.jsonl"
        report.write_text(json.dumps(request) + "\n", encoding="utf-8")
        code = _run(report, time_limit_seconds, quiet)
        lines = [_parsed(line) for line in report.read_text(encoding="utf-8", errors="replace").splitlines()[1:]]
    for line in lines:
        if "checks" in line:
            return list(line["checks"])
        if "fault" in line:
            named = line["fault"].startswith(path.name)
            raise Fault(line["kind"], line["fault"] if named else f"{path.name}: {line['fault']}")
    stage = next((line["stage"] for line in reversed(lines) if "stage" in line), "")
    raise Fault("work", _ending(path, code, stage, time_limit_seconds))


def _run(report: Path, time_limit_seconds: float, quiet: bool) -> int | None:
    """The exit code of the child process; None where it did not end in time."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    home = str(Path(mlhw.__file__).parents[1])  # this same mlhw, also where it is run from a checkout
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
    added = {"MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8:replace", "PYTHONPATH": path}
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "mlhw.checks.child",
            str(report),
        ],  # -P: a random.py lying about is not the library's
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quiet else 2,  # stdout holds the results, and what the learner prints is none
        stderr=subprocess.DEVNULL if quiet else None,
        env={**threads, **os.environ, **added},
        start_new_session=os.name == "posix",
    )
    try:
        return process.wait(time_limit_seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # the session's: children that outlive it too
    else:
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
    process.wait()


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:  # the last line of a process that died while it wrote
        return {}
    return value if isinstance(value, dict) else {}


def _ending(path: Path, code: int | None, stage: str, time_limit_seconds: float) -> str:
    where = f" in {stage}" if stage else ""
    if code is None:
        return (
            f"{path.name}: not finished{where} after {time_limit_seconds:g} s. "
            "An endless loop? --time-limit SECONDS gives it longer."
        )
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        why = {"SIGKILL": ": killed, perhaps for want of memory", "SIGSEGV": ": a segmentation fault"}.get(name, "")
        return f"{path.name}: Python crashed{where} ({name}{why})."
    return f"{path.name}: Python was ended{where} with exit code {code} (os._exit?); a function must return."
