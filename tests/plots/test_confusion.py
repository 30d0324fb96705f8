"""Laws of the confusion matrix: it counts every row once, its worst cells come first, and its labels can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from mlhw.plots.confused_pairs import draw_confused_pairs
from mlhw.plots.confusion import confusion_matrix, draw_confusion, most_confused, shares
from mlhw.plots.style import save

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=60)


def example(classes: int, rows_per_class: int = 40) -> np.ndarray:
    rng = np.random.default_rng(classes)
    truth = np.repeat(np.arange(classes), rows_per_class)
    slips = rng.random(len(truth)) < 0.2
    return confusion_matrix(truth, np.where(slips, rng.integers(0, classes, len(truth)), truth), classes)


@given(labels)
def test_every_row_is_counted_once(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array([pair[side] for pair in pairs], dtype=int) for side in (0, 1))
    matrix = confusion_matrix(truth, predicted, 5)
    slow = np.zeros((5, 5), int)
    for i, j in pairs:
        slow[i, j] += 1
    assert np.array_equal(matrix, slow)
    assert matrix.sum() == len(pairs)
    assert np.trace(matrix) == (truth == predicted).sum()
    assert np.array_equal(matrix.sum(axis=1), np.bincount(truth, minlength=5))


@given(labels)
def test_shares_sum_to_one_where_a_class_has_rows(pairs: list[tuple[int, int]]) -> None:
    matrix = confusion_matrix(np.array([i for i, _ in pairs], int), np.array([j for _, j in pairs], int), 5)
    sums = shares(matrix).sum(axis=1)
    assert np.allclose(sums[matrix.sum(axis=1) > 0], 1.0)
    assert np.isnan(sums[matrix.sum(axis=1) == 0]).all()


@pytest.mark.parametrize(("truth", "predicted"), [([0, 1], [0]), ([0, 3], [0, 0]), ([0, 0], [0, -1]), ([[0]], [[0]])])
def test_labels_out_of_range_are_refused(truth: list[int], predicted: list[int]) -> None:
    with pytest.raises(ValueError, match=r"shape|indices"):
        confusion_matrix(np.array(truth), np.array(predicted), 3)


def test_the_most_confused_come_first_and_ties_go_to_the_larger_share() -> None:
    matrix = np.array([[90, 5, 0], [2, 0, 3], [5, 0, 5]])
    found = most_confused(matrix, ["cat", "dog", "owl"], 3)
    assert [(c.truth, c.predicted, c.rows, round(c.share, 3)) for c in found] == [
        ("owl", "cat", 5, 0.5),
        ("cat", "dog", 5, 0.053),
        ("dog", "owl", 3, 0.6),
    ]
    assert most_confused(np.eye(3, dtype=int), ["cat", "dog", "owl"], 3) == []


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 43, 81, 200])
@pytest.mark.parametrize("long", [False, True])
def test_labels_are_inside_and_free(classes: int, long: bool, text_faults: Callable[[Figure], list[str]]) -> None:
    names = [f"God-Morgon-Orange-Red-Grapefruit-Juice-{i}" if long else str(i) for i in range(classes)]
    figure = draw_confusion(example(classes), names)
    assert text_faults(figure) == []
    assert max(figure.get_size_inches()) <= 12
    assert min(label.get_fontsize() for label in figure.axes[0].get_yticklabels()) >= 5.5


def test_counts_are_written_only_where_they_fit() -> None:
    def counts(matrix: np.ndarray) -> list[str]:
        figure = draw_confusion(matrix, [str(i) for i in range(len(matrix))])
        return [text.get_text() for text in figure.axes[0].texts]

    small = example(10)
    assert sorted(counts(small)) == sorted(str(n) for n in small[small > 0])
    assert counts(example(200)) == []
    assert counts(example(43) * 100_000) == []


def test_zero_is_white_and_a_class_without_rows_is_grey() -> None:
    figure = draw_confusion(np.array([[3, 1, 0], [0, 0, 0], [0, 0, 2]]), ["a", "b", "c"])
    image = figure.axes[0].images[0]
    colours = image.cmap(image.norm(image.get_array()))[..., :3]
    assert colours[0, 2].tolist() == [1, 1, 1]
    assert np.ptp(colours[1]) == 0
    assert colours[1, 0, 0] < 1
    lightness = colours @ [0.299, 0.587, 0.114]
    assert lightness[2, 2] < lightness[0, 0] < lightness[0, 1] < lightness[0, 2]
    assert "grey" in figure.axes[0].get_xlabel()


def test_a_matrix_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="2 class names"):
        draw_confusion(np.eye(3, dtype=int), ["a", "b"])


def test_same_matrix_same_bytes(tmp_path: Path) -> None:
    saved = [save(draw_confusion(example(5), list("abcde")), tmp_path / name) for name in ("a", "b")]
    assert [path.read_bytes() for path in saved[0]] == [path.read_bytes() for path in saved[1]]


def test_a_bar_of_the_confused_pairs_has_the_colour_of_its_cell() -> None:
    matrix = np.array([[90, 10, 0], [1, 98, 1], [40, 0, 60]])
    names = ["a", "b", "c"]
    image = draw_confusion(matrix, names).axes[0].images[0]
    cells = image.cmap(image.norm(image.get_array()))
    bars = [patch for patch in draw_confused_pairs(matrix, names).axes[0].patches if patch.get_gid() == "bar"]
    places = [(2, 0), (0, 1), (1, 0), (1, 2)]  # most rows first
    assert [tuple(bar.get_facecolor()) for bar in bars] == [pytest.approx(cells[place]) for place in places]
