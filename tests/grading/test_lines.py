"""Totals of lines, and text made harmless."""

from __future__ import annotations

import pytest

from mlhw.grading.lines import Entry, Grade, Line, Outcome
from mlhw.grading.words import cell, clean, number
from tests.grading.made import HOSTILE, grade


@pytest.mark.parametrize(
    ("outcomes", "of_all"),
    [
        (["pass", "pass"], "pass"),
        (["pass", "not run"], "not run"),
        (["pass", "not run", "fail"], "fail"),
        ([], "not run"),
    ],
)
def test_the_worst_line_is_the_outcome_of_all(outcomes: list[Outcome], of_all: Outcome) -> None:
    assert Entry("a", [Line("x", outcome) for outcome in outcomes]).outcome == of_all


def test_points_are_earned_by_lines_that_passed_alone() -> None:
    anna = grade().entries[0]
    assert anna.points == (3.0, 6.0)
    assert grade().entries[1].points == (3.0, 3.0)
    assert Entry("a", [Line("x", "pass")]).points is None
    record = anna.record()
    assert (record["passed"], record["failed"], record["not_run"]) == (2, 1, 1)
    assert [line["earned"] for line in record["lines"]] == [None, 3, 0, 0]


def test_what_fell_short_comes_before_what_was_not_run() -> None:
    assert [line.what for line in grade().entries[0].short()] == ["val_accuracy", "seconds_ratio"]


def test_the_mean_of_points_is_told_where_all_can_earn_as_many() -> None:
    entries = [Entry(name, [Line("x", outcome, points=4)]) for name, outcome in (("a", "pass"), ("b", "fail"))]  # type: ignore[arg-type]
    assert Grade("g", entries).of_students() == "1 of 2 passed every line; 2 of 4 points on average"
    assert "average" not in Grade("g", [*entries, Entry("c", [Line("x", "fail")])]).of_students()


@pytest.mark.parametrize("text", HOSTILE)
def test_text_has_no_sign_that_is_not_to_be_seen(text: str) -> None:
    for found in (clean(text), cell(text), Line(text, "pass", reason=text).reason, Entry(text, []).name):
        assert not [sign for sign in found if (ord(sign) < 32 and sign not in "\n\t") or 127 <= ord(sign) < 160]
        assert not set(found) & set("\u202e\udce9")
        found.encode("utf-8")
    assert not cell(text).startswith(("=", "+", "-", "@", "\t"))


def test_text_is_bounded_and_words_of_other_scripts_are_kept() -> None:
    assert len(clean("x" * 10**6)) == 2000
    for name in ("Zoë", "李雷", "می‌خواهم", "👩‍🔬"):
        assert clean(name) == cell(name) == name


@pytest.mark.parametrize(("value", "words"), [(98533, "98,533"), (0.9912345, "0.991235"), (None, ""), (1.0, "1")])
def test_numbers_read_well(value: float | None, words: str) -> None:
    assert number(value) == words
    assert number(float("nan")) == "nan"
