"""A grade as CSV (a row an entry), Markdown, and JUnit XML (a test case a line)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from xml.etree import ElementTree

from mlhw.grading.lines import Entry, Grade, Line, counts, points_words
from mlhw.grading.words import amount, cell, number, one_line

_HEAD = ("name", "experiment", "outcome", "passed", "failed", "not_run", "points", "points_of")


def as_csv(grade: Grade) -> str:
    """A row an entry: totals, then each line's outcome (and what was measured), last all that fell short."""
    whats = list(dict.fromkeys(line.what for line in grade.lines))
    measured = {line.what for line in grade.lines if isinstance(line.got, int | float)}
    header = [*_HEAD]
    for what in whats:
        header += [cell(what), *([cell(f"{what} measured")] if what in measured else [])]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*header, "fell_short", "notes"])
    for entry in grade.entries:
        row = _totals(entry)
        for what in whats:
            found = [line for line in entry.lines if line.what == what]
            row += [_outcome(found), *([_values(found)] if what in measured else [])]
        row += [cell("; ".join(_told(line) for line in entry.short())), cell("; ".join(entry.notes))]
        table.writerow(row)
    return text.getvalue()


def _totals(entry: Entry) -> list[str]:
    found = counts(entry.lines)
    numbers = ["" if found[key] is None else amount(found[key]) for key in _HEAD[3:]]
    return [cell(entry.name), cell(entry.experiment), entry.outcome, *numbers]


def _outcome(lines: list[Line]) -> str:
    """The worst of the lines' outcomes; empty where there is none."""
    found = {line.outcome for line in lines}
    return next((outcome for outcome in ("fail", "not run", "pass") if outcome in found), "")


def _values(lines: list[Line]) -> str:
    """The numbers measured, as they are: one for each run that was handed in."""
    return " ".join(repr(line.got) for line in lines if isinstance(line.got, int | float))


def _told(line: Line) -> str:
    return f"{line.part}: {line.sentence()}" if line.part else line.sentence()


def as_markdown(grade: Grade) -> str:
    """A table with a row a line, and the totals above it."""
    out = [f"**{_escaped(grade.title)}**: {grade.sentence()}", ""]
    out += ["| | line | expected | got | outcome | points | why |", "|---|---|---|---|---|---:|---|"]
    for entry in grade.entries:
        if not entry.lines:
            out.append(f"| {_escaped(entry.name)} | | | | {entry.outcome} | | {_escaped('; '.join(entry.notes))} |")
        for place, line in enumerate(entry.lines):
            name = f"{entry.name} ({line.part})" if line.part and line.part != entry.name else entry.name
            cells = [name if place == 0 or line.part else "", line.what, line.expected, number(line.got), line.outcome]
            cells += ["" if line.points is None else f"{amount(line.earned)}/{amount(line.points)}", line.reason]
            out.append(f"| {' | '.join(map(_escaped, cells))} |")
    return "\n".join(out) + "\n"


def _escaped(text: str) -> str:
    text = re.sub(r"[\\|`*\[\]~]|(?<!\w)_|_(?!\w)", r"\\\g<0>", one_line(text))  # Markdown takes a_b for what it is
    return text.replace("&", "&amp;").replace("<", "&lt;")


def as_junit(grade: Grade) -> str:
    """JUnit XML as test reporters read it: a suite an entry, a case a line; a line not run is a skipped case."""
    root = ElementTree.Element("testsuites", {"name": one_line(grade.title)} | _numbers(grade.lines, grade.seconds))
    for entry in grade.entries:
        suite = ElementTree.SubElement(root, "testsuite", {"name": entry.name} | _numbers(entry.lines, entry.seconds))
        for line in entry.lines:
            where = f"{entry.name}.{line.part}" if line.part else entry.name
            case = ElementTree.SubElement(suite, "testcase", {"classname": where, "name": line.what, "time": "0"})
            if line.outcome == "fail":
                fault = ElementTree.SubElement(case, "failure", {"message": one_line(line.sentence()), "type": "grade"})
                fault.text = line.sentence()
            elif line.outcome == "not run":
                ElementTree.SubElement(case, "skipped", {"message": one_line(line.sentence())})
        told = [f"{points_words(*entry.points)}"] if entry.points else []
        if told or entry.notes:
            ElementTree.SubElement(suite, "system-out").text = "\n".join([*told, *entry.notes])
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _numbers(lines: Iterable[Line], seconds: float) -> dict[str, str]:
    found = counts(list(lines))
    total = found["passed"] + found["failed"] + found["not_run"]
    return {
        "tests": str(total),
        "failures": str(found["failed"]),
        "errors": "0",
        "skipped": str(found["not_run"]),
        "time": f"{seconds:.3f}",
    }
