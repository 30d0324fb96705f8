"""A Python file with functions and their derivatives, checked in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlhw.checks.apart import check_apart
from mlhw.checks.calls import Fault
from mlhw.grading.lines import Line
from mlhw.grading.words import plural

_TELLING: Final = ("shape", "finite", "differences", "linear", "autograd", "transpose", "taylor")  # says most first


@dataclass(frozen=True)
class AskedFile:
    """A Python file to grade, and what it may take."""

    path: Path
    part: str
    seconds: float
    memory_mb: int


def grade_file(asked: AskedFile) -> list[Line]:
    """A line a function that ``mlhw check gradients --file`` finds in it; one line where it finds nothing to check."""
    path, part = asked.path, asked.part
    try:
        records = check_apart(
            path, jacobians=False, time_limit_seconds=asked.seconds, memory_mb=asked.memory_mb, quiet=True
        )
    except Fault as fault:
        reason = str(fault).removeprefix(f"{path.name}: ").replace("--time-limit", "--timeout")
        return [Line("functions", "fail", reason=reason, part=part)]
    by_function: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_function.setdefault(str(record["of"]), []).append(record)
    return [_line(of, checks, part) for of, checks in by_function.items()]


def _line(of: str, checks: list[dict[str, Any]], part: str) -> Line:
    failed = sorted((check for check in checks if not check["passed"]), key=_rank)
    what = f"gradient of {of}"
    if not failed:
        return Line(what, "pass", got=f"{plural(len(checks), 'check')} passed", part=part)
    reason = "; ".join(_words(check) for check in _telling(failed))
    return Line(what, "fail", "", f"{len(failed)} of {len(checks)} checks failed", reason=reason, part=part)


def _words(check: dict[str, Any]) -> str:
    return str(check["diagnosis"] or f"fails the test {check['test']}").rstrip(".")


def _telling(failed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the checks of each argument the one that says most; the whole's Taylor test where nothing else failed."""
    best: dict[str, dict[str, Any]] = {}
    for check in failed:
        best.setdefault(check["name"], check)
    named = [check for name, check in best.items() if name or check["test"] != "taylor"]
    return named or list(best.values())


def _rank(check: dict[str, Any]) -> int:
    return _TELLING.index(check["test"]) if check["test"] in _TELLING else len(_TELLING)
