"""A grade with everything in it, and names that want to do harm."""

from __future__ import annotations

from mlhw.grading.lines import Entry, Grade, Line

HOSTILE = (
    "<script>alert(1)</script>",
    "</td></tr></table><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    '=HYPERLINK("x")',
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "\t=1+1",
    "esc\x1b[31m\x07\x9b2J",
    "bidi\u202etxt.exe",
    "half\udce9",
    "line\nbreak | bar `tick` *star* _under_",
    "]]>&amp;",
)


def grade() -> Grade:
    """Passing, failing and missing lines with points, and an entry for each hostile name."""
    lines = [
        Line("run", "pass", got="finished"),
        Line("test_accuracy", "pass", ">= 0.9", 0.95, 0.95, 3),
        Line("val_accuracy", "fail", ">= 0.9", 0.25, 0.99, 2, "its loss is not finite"),
        Line("seconds_ratio", "not run", "<= 2", points=1, reason="it was trained on another machine"),
    ]
    entries = [Entry("anna", lines, "digits-cnn", ["the best of 2 runs counts"], 1.5)]
    entries.append(Entry("bertil", [Line("run", "pass"), Line("test_accuracy", "pass", ">= 0.9", 1.0, 1.0, 3)]))
    entries += [Entry(name, [Line(name, "fail", name, name, reason=name, part=name)], name, [name]) for name in HOSTILE]
    return Grade(HOSTILE[0], entries, list(HOSTILE), 2.5)
