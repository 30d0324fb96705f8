"""A Python file with functions and their derivatives, checked in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from mlhw.checks.apart import check_apart
from mlhw.checks.calls import Fault
from mlhw.grading.lines import Line
from mlhw.grading.words import plural

_TELLING: Final = ("shape", "finite", "differences", "linear", "autograd", "transpose", "taylor")  # says most first


def grade_file(path: Path, *, seconds: float, memory_mb: int, part: str) -> list[Line]:
    """A line a function that ``mlhw check gradients --file`` finds in ``path``; one line where it finds nothing to check."""
    try:
        records = check_apart(path, jacobians=False, time_limit_seconds=seconds, memory_mb=memory_mb, quiet=True)
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
        return Line(what, "pass", "right", got=f"{plural(len(checks), 'check')} passed", part=part)
    words = list(dict.fromkeys(check["diagnosis"] or f"fails the test {check['test']}" for check in failed[:3]))
    others = [words[0], *(word for word in words[1:] if failed[0]["test"] not in ("shape", "finite"))]
    return Line(
        what, "fail", "right", f"{len(failed)} of {len(checks)} checks failed", reason="; ".join(others), part=part
    )


def _rank(check: dict[str, Any]) -> int:
    return _TELLING.index(check["test"]) if check["test"] in _TELLING else len(_TELLING)
