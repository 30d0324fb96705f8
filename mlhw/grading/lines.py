"""What was looked at and what came of it: lines, those of one experiment or student, and all together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from mlhw.grading.words import amount, clean, number

Outcome = Literal["pass", "fail", "not run"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("pass", "fail", "not run")


@dataclass(frozen=True)
class Line:
    """One thing that was expected.

    ``got`` was measured here, ``claimed`` is what a hand-in says; ``points`` is what the line is worth, None where nothing
    is said. ``part`` is the run or file that it is about.
    """

    what: str
    outcome: Outcome
    expected: str = ""
    got: float | str | None = None
    claimed: float | None = None
    points: float | None = None
    reason: str = ""
    part: str = ""

    def __post_init__(self) -> None:
        for name in ("what", "expected", "reason", "part", "got"):
            if isinstance(value := getattr(self, name), str):
                object.__setattr__(self, name, clean(value))

    @property
    def earned(self) -> float:
        """Its points where it passed, else 0."""
        return self.points or 0.0 if self.outcome == "pass" else 0.0

    def sentence(self) -> str:
        """``test_accuracy 0.91 (expected >= 0.98; claimed 0.99): diverged``, less what is not known."""
        aside = [f"expected {self.expected}"] if self.expected and self.outcome != "pass" else []
        aside += [f"claimed {number(self.claimed)}"] if self.claimed is not None and self.outcome != "pass" else []
        text = " ".join(filter(None, [self.what, number(self.got)]))
        text += f" ({'; '.join(aside)})" if aside else ""
        return f"{text}: {self.reason}" if self.reason else text


@dataclass
class Entry:
    """The lines of one experiment, or of all that one student handed in; ``notes`` are worth reading and no result."""

    name: str
    lines: list[Line]
    experiment: str = ""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.name, self.experiment = clean(self.name, 200), clean(self.experiment, 200)
        self.notes = [clean(note) for note in self.notes]

    @property
    def outcome(self) -> Outcome:
        """Fail where a line failed, else not run where one was not (or there is none), else pass."""
        found = {line.outcome for line in self.lines}
        return "fail" if "fail" in found else "pass" if found == {"pass"} else "not run"

    def count(self, outcome: Outcome) -> int:
        """How many lines have this ``outcome``."""
        return sum(line.outcome == outcome for line in self.lines)

    @property
    def points(self) -> tuple[float, float] | None:
        """Points earned, and those there are; None where no line is worth any."""
        return total_points(self.lines)

    def short(self) -> list[Line]:
        """The lines that did not pass, failures first."""
        return [line for outcome in OUTCOMES[1:] for line in self.lines if line.outcome == outcome]

    def record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            "experiment": self.experiment,
            "outcome": self.outcome,
            **counts(self.lines),
            "seconds": round(self.seconds, 3),
            "notes": self.notes,
            "lines": [asdict(line) | {"earned": None if line.points is None else line.earned} for line in self.lines],
        }


@dataclass
class Grade:
    """All entries. ``title`` says what was graded; ``ignored`` what lay there and is no hand-in."""

    title: str
    entries: list[Entry]
    ignored: list[str] = field(default_factory=list)
    seconds: float = 0.0
    files: dict[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> list[Line]:
        """Those of all entries."""
        return [line for entry in self.entries for line in entry.lines]

    @property
    def without_lines(self) -> list[Entry]:
        """The entries of which nothing is expected: they neither pass nor fail."""
        return [entry for entry in self.entries if not entry.lines]

    def record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "title": self.title,
            **counts(self.lines),
            "seconds": round(self.seconds, 3),
            "entries": [entry.record() for entry in self.entries],
            "ignored": self.ignored,
            "files": self.files,
        }

    def sentence(self) -> str:
        """``12 passed, 1 failed, 3 not run; 8 of 10 points``, and how many entries have no line to hold them to."""
        empty = len(self.without_lines)
        if empty == len(self.entries):
            return "nothing to hold it to" if empty == 1 else "nothing to grade"
        text = count_sentence(self.lines)
        return f"{text}; {empty:,} of {len(self.entries):,} with nothing to hold to" if empty else text

    def outcomes(self) -> dict[Outcome, int]:
        """How many entries have each outcome."""
        return {outcome: sum(entry.outcome == outcome for entry in self.entries) for outcome in OUTCOMES}

    def of_students(self) -> str:
        """``22 of 47 passed every line; 6.4 of 8.5 points on average``; the latter where all can earn as many."""
        text = f"{self.outcomes()['pass']:,} of {len(self.entries):,} passed every line"
        points = [entry.points for entry in self.entries if entry.points]
        if len(points) != len(self.entries) or len({of for _, of in points}) != 1:
            return text
        mean = math.fsum(earned for earned, _ in points) / len(points)
        return f"{text}; {points_words(round(mean, 2), points[0][1])} on average"


def total_points(lines: Iterable[Line]) -> tuple[float, float] | None:
    """Points earned, and those there are; None where no line is worth any."""
    worth = [line for line in lines if line.points is not None]
    if not worth:
        return None
    return math.fsum(line.earned for line in worth), math.fsum(line.points or 0.0 for line in worth)


def counts(lines: Sequence[Line]) -> dict[str, Any]:
    """How many passed, failed and were not run, and the points (None where no line is worth any)."""
    points = total_points(lines)
    found: dict[str, Any] = {
        key: sum(line.outcome == outcome for line in lines)
        for key, outcome in zip(("passed", "failed", "not_run"), OUTCOMES, strict=True)
    }
    return found | {"points": points[0] if points else None, "points_of": points[1] if points else None}


def count_sentence(lines: Sequence[Line]) -> str:
    """``12 passed, 1 failed, 3 not run; 8 of 10 points``, less what there is none of."""
    found = counts(lines)
    parts = [f"{found[key]:,} {key.replace('_', ' ')}" for key in ("passed", "failed", "not_run") if found[key]]
    text = ", ".join(parts) or "nothing to grade"
    return text if found["points_of"] is None else f"{text}; {points_words(found['points'], found['points_of'])}"


def points_words(earned: float, of: float) -> str:
    """``8 of 10 points``"""
    return f"{amount(earned)} of {amount(of)} points"
