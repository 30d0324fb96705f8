"""A grade for a person to read: what was expected and came of it, and what fell short first of all."""

from __future__ import annotations

from rich.text import Text

from mlhw.cli.screen import plain, results, seconds
from mlhw.grading.lines import Entry, Grade, Line, Outcome
from mlhw.grading.words import amount, number, one_line

STYLES: dict[Outcome, str] = {"pass": "green", "fail": "bold red", "not run": "yellow"}
WIDTH = max(map(len, STYLES))


def print_experiments(found: Grade) -> None:
    """A heading for each experiment, and below it all its lines, or why it has none."""
    screen = results()
    for entry in found.entries:
        screen.print(plain(entry.name).plain, style="bold")
        for line in entry.lines:
            screen.console.print(_row(line), soft_wrap=not screen.console.is_terminal)
        for note in () if entry.lines else entry.notes:
            screen.print(f"  {note}", style=STYLES["not run"])
    if len(found.entries) > 1:
        screen.print()
    screen.print(f"{found.sentence()} in {seconds(found.seconds)}")


def _row(line: Line) -> Text:
    expected = f" (expected {line.expected})" if line.expected and not isinstance(line.got, str) else ""
    points = "" if line.points is None else f"  {amount(line.earned)} of {amount(line.points)} points"
    return Text.assemble(
        "  ",
        (f"{line.outcome:<{WIDTH}}", STYLES[line.outcome]),
        f"  {plain(line.what).plain}",
        plain(f" {number(line.got)}" if line.got is not None else ""),
        plain(expected),
        plain(f": {one_line(line.reason)}" if line.reason else ""),
        (points, "dim"),
    )


def print_students(found: Grade) -> None:
    """A row for each student, with what fell short beside it."""
    screen = results()
    with_points = any(entry.points for entry in found.entries)
    headers = ["student", "", "lines", *(["points"] if with_points else []), "what fell short"]
    rows: list[list[object]] = []
    for entry in found.entries:
        row: list[object] = [_short(entry.name), Text(entry.outcome, style=STYLES[entry.outcome])]
        row.append(f"{entry.count('pass')}/{len(entry.lines)}")
        if with_points:
            row.append("" if entry.points is None else "/".join(map(amount, entry.points)))
        rows.append([*row, _why(entry)])
    screen.print_table(headers, rows, right=(2, 3) if with_points else (2,))
    screen.print()
    total = f"{found.of_students()}; in {seconds(found.seconds)}"
    screen.console.print(plain(total), soft_wrap=not screen.console.is_terminal)
    if found.ignored:
        some = ", ".join(one_line(plain(name).plain) for name in found.ignored[:5])
        screen.print(f"not looked at: {some}{', …' if len(found.ignored) > 5 else ''}", style="dim")
    for path in found.files.values():
        screen.print(path)


def _why(entry: Entry) -> Text:
    """What did not pass, a line each; what is only not run is dim."""
    short = entry.short()
    short = [line for line in short if not line.reason.startswith("not measured")] or short
    told = Text()
    for place, line in enumerate(short[:4]):
        words = one_line(line.sentence().partition("\n")[0])
        told.append("\n" if place else "")
        told.append(words if len(words) <= 300 else f"{words[:299]}…", style="" if line.outcome == "fail" else "dim")
    if len(short) > 4:
        told.append(f"\n… and {len(short) - 4} more")
    return told


def _short(name: str, most: int = 28) -> str:
    name = one_line(name)
    return name if len(name) <= most else f"{name[: most - 1]}…"
