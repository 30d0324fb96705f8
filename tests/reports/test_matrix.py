"""Classes counted: held to the figures' own counting, and the interval to the equation that it solves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlhw.plots import confusion
from mlhw.reports import matrix

NAMES = [f"class {place}" for place in range(5)]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=60))
def test_counts_and_pairs_are_those_of_the_figures(pairs: list[tuple[int, int]]) -> None:
    truth, said = (np.array([pair[place] for pair in pairs], dtype=np.int64) for place in (0, 1))
    found = matrix.count(truth, said, 5)
    np.testing.assert_array_equal(found, confusion.confusion_matrix(truth, said, 5))
    theirs = [tuple(each) for each in confusion.most_confused(found, NAMES, 4)]
    assert matrix.confused(found, NAMES, 4) == theirs


@given(st.integers(1, 5000), st.data())
def test_the_interval_ends_where_the_count_is_just_196_deviations_away(rows: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, rows))
    share, (low, high) = right / rows, matrix.wilson(right, rows)
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 1e-12 < end < 1 - 1e-12:
            assert abs(share - end) == pytest.approx(matrix.Z * math.sqrt(end * (1 - end) / rows), rel=1e-6)


def test_scores_begin_with_the_worst_and_leave_out_classes_without_rows() -> None:
    found = matrix.scores(np.array([[3, 1, 0], [0, 0, 0], [4, 1, 5]]), ["a", "b", "c"])
    assert [(score.name, score.right, score.rows, score.taken_for, score.taken) for score in found] == [
        ("c", 5, 10, "a", 4),
        ("a", 3, 4, "b", 1),
    ]


def test_a_class_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed: 0 to 2"):
        matrix.count(np.array([0, 3]), np.array([0, 1]), 3)
