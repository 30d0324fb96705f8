"""A grade as one HTML page: nothing is fetched, nothing handed in can run, light and dark, and it prints."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from html import escape
from importlib import resources

from mlhw.grading.lines import Entry, Grade, Line, Outcome, points_words
from mlhw.grading.words import amount, clean, number, plural

MARKS: dict[Outcome, str] = {"pass": "✓", "fail": "✗", "not run": "–"}
ORDER: dict[Outcome, int] = {"fail": 0, "not run": 1, "pass": 2}  # what wants a look comes first
CLASSES: dict[Outcome, str] = {"pass": "pass", "fail": "fail", "not run": "idle"}


def as_html(grade: Grade, now: datetime) -> str:
    """The whole page. Every text goes through :func:`_text`; the policy allows our own script and style, and no other."""
    script, style = (
        resources.files("mlhw.grading").joinpath(name).read_text("utf-8") for name in ("page.js", "page.css")
    )
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    with_points = any(entry.points for entry in grade.entries)
    rows = "".join(_rows(entry, with_points) for entry in grade.entries)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{_text(grade.title)}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{_text(grade.title)}</h1>
<p class="lead">{_text(grade.of_students())}.</p>
{_bar(grade)}
<table id="grades">
<caption class="hidden">One hand-in a row, with what fell short below it. The headings sort.</caption>
<thead><tr>{_headings(with_points)}</tr></thead>
{rows}</table>
{_ignored(grade)}
<footer>Graded {now:%Y-%m-%d %H:%M} UTC in {grade.seconds:.1f} s. Numbers of runs were measured here from the weights that were
handed in; <em>claimed</em> ones are those of the hand-in.</footer>
</main>
<script>{script}</script>
</body>
</html>
"""


def _text(value: object) -> str:
    """The one door through which text comes onto the page."""
    return escape(clean(value), quote=True)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _headings(with_points: bool) -> str:
    names = ["student", "result", "lines", *(["points"] if with_points else []), "experiment"]
    return "".join(
        f'<th scope="col" class="{name}"{_sorted(name)}><button type="button">{name}</button></th>' for name in names
    )


def _sorted(name: str) -> str:
    return ' aria-sort="ascending"' if name == "result" else ""


def _bar(grade: Grade) -> str:
    """A strip of how many hand-ins passed, failed, and were not run."""
    counts = grade.outcomes()
    parts = "".join(
        f'<rect class="{CLASSES[outcome]}" x="{1000 * _before(counts, outcome) / len(grade.entries):.2f}" '
        f'width="{1000 * count / len(grade.entries):.2f}" height="10"/>'
        for outcome, count in counts.items()
        if count
    )
    words = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    return (
        f'<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="hand-ins: {words}">'
        f"{parts}</svg>"
    )


def _before(counts: dict[Outcome, int], outcome: Outcome) -> int:
    names = list(counts)
    return sum(counts[name] for name in names[: names.index(outcome)])


def _rows(entry: Entry, with_points: bool) -> str:
    """A body of two rows: the totals, and the lines; those that did not pass are open to see."""
    passed, count = entry.count("pass"), len(entry.lines)
    points = entry.points
    cells = [
        f'<th scope="row" class="student" data-key="{_text(entry.name.casefold())}">{_text(entry.name)}</th>',
        f'<td class="result" data-key="{ORDER[entry.outcome]}"><span class="mark {CLASSES[entry.outcome]}">'
        f"{MARKS[entry.outcome]} {entry.outcome}</span></td>",
        f'<td class="lines" data-key="{passed / max(count, 1):.6f}">{passed} of {count}</td>',
    ]
    if with_points:
        share = "" if points is None else f"{points[0]:.6f}"
        cells.append(
            f'<td class="points" data-key="{share}">{"–" if points is None else _text("/".join(map(amount, points)))}</td>'
        )
    cells.append(f'<td class="experiment" data-key="{_text(entry.experiment)}">{_text(entry.experiment) or "–"}</td>')
    short = entry.short()
    passing = [line for line in entry.lines if line.outcome == "pass"]
    body = _listed(short)
    body += "".join(f'<p class="note">{_text(note)}</p>' for note in entry.notes)
    if passing:
        body += f"<details><summary>{plural(len(passing), 'line')} passed</summary>{_listed(passing)}</details>"
    more = f'<tr class="more"><td colspan="{len(cells)}">{body}</td></tr>'
    return f'<tbody class="{CLASSES[entry.outcome]}"><tr>{"".join(cells)}</tr>{more}</tbody>\n'


def _listed(lines: list[Line]) -> str:
    """The lines, under the name of the run or file that they are about."""
    parts: dict[str, list[Line]] = {}
    for line in lines:
        parts.setdefault(line.part, []).append(line)
    return "".join(
        (f'<p class="part">{_text(part)}</p>' if part else "") + f"<ul>{''.join(map(_item, items))}</ul>"
        for part, items in parts.items()
    )


def _item(line: Line) -> str:
    facts = [f"expected {line.expected}"] if line.expected else []
    facts += [f"claimed {number(line.claimed)}"] if line.claimed is not None else []
    facts += [points_words(line.earned, line.points)] if line.points is not None else []
    aside = f' <span class="aside">{_text(" · ".join(facts))}</span>' if facts else ""
    got = f' <span class="got">{_text(number(line.got))}</span>' if line.got is not None else ""
    kind = "reason block" if "\n" in line.reason else "reason"
    reason = f'<span class="{kind}">{_text(line.reason)}</span>' if line.reason else ""
    kind = CLASSES[line.outcome]
    mark = f'<span class="mark {kind}">{MARKS[line.outcome]}<span class="hidden"> {line.outcome}</span></span>'
    what = f'<span class="what">{_text(line.what)}</span>'
    return f'<li class="{kind}">{mark} {what}{got}{aside} {reason}</li>'


def _ignored(grade: Grade) -> str:
    if not grade.ignored:
        return ""
    some = ", ".join(grade.ignored[:50])
    return f'<p class="note">Not looked at, being no folder and no .py file: {_text(some)}.</p>'
