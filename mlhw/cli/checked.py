"""What ``mlhw check`` found, for a person to read: a row for each derivative, a column for each test, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from mlhw.cli.screen import plain, results, seconds

Record = dict[str, Any]

NUMERIC = ("differences", "transpose", "autograd")
COLUMNS = {"differences": "entries", "transpose": "transpose", "autograd": "autograd"}
ORDER = ("shape", "finite", "differences", "linear", "autograd", "transpose", "taylor")  # which diagnosis tells most
ALSO = {
    "repeatable": "the same result when called again",
    "untouched": "arguments left as they are",
    "float64": "float64 throughout",
    "linear": "backward linear in d_out",
}


def print_checks(record: Record) -> None:
    """Print the table, what is wrong or remarkable, and where the figure is."""
    screen, checks = results(), record["checks"]
    screen.print(record["title"], style="bold")
    screen.print(", ".join(record["notes"]), style="dim")
    screen.print()
    _print_table(checks)
    if also := [ALSO[test] for test in ALSO if _all_passed(checks, test)]:
        screen.print(f"also: {', '.join(also)}")
    remarks = [check for check in checks if check["diagnosis"] and check["passed"] and check["test"] != "taylor"]
    for check in remarks:
        screen.print(f"{_where(check)}: {check['diagnosis']}", style="dim")
    several = len({check["of"] for check in checks}) > 1
    for check in _telling([check for check in checks if not check["passed"]]):
        screen.print(Text.assemble(("wrong  ", "bold red"), plain(_fault(check, several))))
    screen.print()
    passed = sum(check["passed"] for check in checks)
    screen.print(f"{passed} of {len(checks)} checks passed in {seconds(record['seconds'])}")
    for file in record["files"]:
        screen.print(file)


def _fault(check: Record, several: bool) -> str:
    """What is wrong, with where it is unless the sentence names it: in one of ``several`` functions, or in none by name."""
    words = check["diagnosis"] or f"fails the test {check['test']}"
    if check["test"] in ("taylor", "transpose"):
        return f"{_where(check)}: {words}"
    return f"{check['of']}: {words}" if several and check["of"] not in words.split()[0] else words


def _print_table(checks: Sequence[Record]) -> None:
    """A row for each function and argument that has numbers; 80 columns wide at most."""
    groups: dict[tuple[str, str], dict[str, Record]] = {}
    for check in checks:
        if check["test"] in ("taylor", "shape", *NUMERIC):
            groups.setdefault((check["of"], check["name"]), {})[check["test"]] = check
    several = len({of for of, _ in groups}) > 1
    shaped = any(check["shape"] for tests in groups.values() for check in tests.values()) and not several
    columns = [test for test in NUMERIC if any(test in tests for tests in groups.values())]
    sloped = any("taylor" in tests for tests in groups.values())
    what = "layer" if any(of.startswith("layer ") for of, _ in groups) else "function"
    headers = [*([what] if several else []), "by", *(["shape"] if shaped else [])]
    headers += [*(["slopes"] if sloped else []), *(COLUMNS[test] for test in columns), ""]
    rows = []
    for (of, name), tests in groups.items():
        shape = next((check["shape"] for check in tests.values() if check["shape"]), None)
        row: list[object] = [*([of.removeprefix("layer ")] if several else []), name or "all at once"]
        row += ["×".join(map(str, shape)) if shape else ""] if shaped else []
        row += [_slopes(tests.get("taylor"))] if sloped else []
        row += [_error(tests.get(test)) for test in columns]
        failed = any(not check["passed"] for check in tests.values())
        rows.append([*row, Text("wrong", "bold red") if failed else Text("ok", "green")])
    right = [index for index, header in enumerate(headers) if header in COLUMNS.values()]
    if rows:
        results().print_table(headers, rows, right=right)


def _slopes(check: Record | None) -> str:
    if check is None:
        return ""
    first, second = check["slope_of_change"], check["slope"]
    last = "exact" if second is None else f"{second:.2f}"
    return f"{'–' if first is None else f'{first:.2f}'} {last}"


def _error(check: Record | None) -> str:
    if check is None:
        return ""
    return "–" if check["error"] is None else f"{check['error']:.1e}"


def _all_passed(checks: Sequence[Record], test: str) -> bool:
    found = [check["passed"] for check in checks if check["test"] == test]
    return bool(found) and all(found)


def _where(check: Record) -> str:
    return " ".join(part for part in (check["of"], check["name"]) if part)


def _telling(failed: Sequence[Record]) -> list[Record]:
    """Of the checks that failed for one derivative the one that says most; the whole's Taylor test where none else failed."""
    best: dict[tuple[str, str], Record] = {}
    for check in sorted(failed, key=_rank):
        best.setdefault((check["of"], check["name"]), check)
    named = {of for of, name in best if name}
    return [check for (of, name), check in best.items() if name or check["test"] != "taylor" or of not in named]


def _rank(check: Record) -> int:
    return ORDER.index(check["test"]) if check["test"] in ORDER else len(ORDER)


def failures(failed: Sequence[Record]) -> str:
    """``W1 (differences, autograd), b1 (…)``: which derivatives failed, and in which tests."""
    tests: dict[str, list[str]] = {}
    for check in failed:
        tests.setdefault(_where(check), []).append(check["test"])
    return ", ".join(f"{where} ({', '.join(dict.fromkeys(names))})" for where, names in tests.items())
