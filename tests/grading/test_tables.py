"""CSV, Markdown and JUnit: whole, parseable, and nothing in them runs."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree

from mlhw.grading import tables
from tests.grading.made import HOSTILE, grade


def test_the_csv_has_a_row_an_entry_with_outcomes_measures_and_reasons() -> None:
    header, *rows = list(csv.reader(io.StringIO(tables.as_csv(grade()))))
    assert len(rows) == 2 + len(HOSTILE)
    assert {len(row) for row in rows} == {len(header)}
    anna, bertil = (dict(zip(header, row, strict=True)) for row in rows[:2])
    assert (anna["outcome"], anna["passed"], anna["failed"], anna["not_run"]) == ("fail", "2", "1", "1")
    assert (anna["points"], anna["points_of"]) == ("3", "6")
    assert (anna["val_accuracy"], anna["val_accuracy measured"]) == ("fail", "0.25")
    assert anna["seconds_ratio"] == "not run"
    assert "claimed 0.99" in anna["fell_short"]
    assert "its loss is not finite" in anna["fell_short"]
    assert (bertil["val_accuracy"], bertil["val_accuracy measured"]) == ("", "")


def test_no_cell_of_the_csv_is_a_formula() -> None:
    for row in csv.reader(io.StringIO(tables.as_csv(grade()))):
        assert not [each for each in row if each.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


def test_markdown_keeps_its_columns_and_has_no_tag() -> None:
    lines = [line for line in tables.as_markdown(grade()).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(grade().lines)
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert not [line for line in lines if "<" in line]


def test_junit_counts_what_it_lists() -> None:
    root = ElementTree.fromstring(tables.as_junit(grade()))
    lines = grade().lines
    assert root.get("tests") == str(len(lines))
    cases = root.findall("testsuite/testcase")
    assert len(cases) == len(lines)
    assert len(root.findall("testsuite/testcase/failure")) == int(root.get("failures", "")) == 1 + len(HOSTILE)
    assert len(root.findall("testsuite/testcase/skipped")) == int(root.get("skipped", "")) == 1
    (failure,) = root.findall("testsuite[@name='anna']/testcase[@name='val_accuracy']/failure")
    assert "claimed 0.99" in (failure.get("message") or "")
