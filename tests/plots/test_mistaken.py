"""Laws of the figures of mistakes: accuracies by class, confused pairs, and the page of the worst with their pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlhw.plots.class_accuracy import Z, draw_class_accuracy, wilson, worst_first
from mlhw.plots.confused_pairs import draw_confused_pairs
from mlhw.plots.confusion import confusion_matrix
from mlhw.plots.mistakes import Mistakes, draw_mistakes
from mlhw.plots.style import save

LONG = "God-Morgon-Orange-Red-Grapefruit-Juice"


def matrix(classes: int, rows_each: int = 20, slips: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(classes)
    truth = np.repeat(np.arange(classes), rows_each)
    wrong = rng.random(len(truth)) < slips
    return confusion_matrix(truth, np.where(wrong, rng.integers(0, classes, len(truth)), truth), classes)


def names(classes: int, long: bool) -> list[str]:
    return [f"{LONG}-{i}" if long else str(i) for i in range(classes)]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize("classes", [1, 2, 10, 43, 81, 200])
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("draw", [draw_class_accuracy, draw_confused_pairs])
def test_every_text_is_inside_and_free(
    draw: Callable[..., Figure], classes: int, long: bool, text_faults: Callable[[Figure], list[str]]
) -> None:
    figure = draw(matrix(classes), names(classes, long))
    assert text_faults(figure) == []
    assert figure.get_figheight() < 13


def test_bars_are_the_accuracies_worst_first_with_their_rows() -> None:
    counts = np.array([[9, 1, 0, 0], [4, 4, 0, 0], [0, 0, 3, 0], [0, 0, 0, 0]])
    figure = draw_class_accuracy(counts, ["cat", "dog", "owl", "yak"])
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dog", "cat", "owl", "yak"]
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.9, 1.0, 0.0]
    assert texts(figure) == ["50.0 %", "n 8", "90.0 %", "n 10", "100 %", "n 3", "–", "n 0"]
    assert axes.lines[0].get_xdata()[0] == 16 / 21
    assert axes.yaxis_inverted()


def test_of_equals_the_class_with_more_rows_comes_first() -> None:
    assert worst_first(np.diag([0, 3, 5, 4])) == [2, 3, 1, 0]


def test_the_interval_has_the_shares_that_are_z_deviations_away() -> None:
    correct, rows = np.array([0, 3, 10, 500]), np.array([10, 10, 10, 1000])
    low, high = wilson(correct, rows)
    for ends in (low, high):
        inside = (ends > 1e-9) & (ends < 1 - 1e-9)
        away = np.abs(correct / rows - ends)[inside]
        assert np.allclose(away, Z * np.sqrt(ends * (1 - ends) / rows)[inside])
    assert (low[0], high[2]) == (pytest.approx(0.0, abs=1e-12), pytest.approx(1.0))
    assert np.isnan(wilson(np.array([0]), np.array([0]))).all()


def test_pairs_are_listed_most_rows_first_and_never_a_right_one() -> None:
    figure = draw_confused_pairs(np.array([[90, 5, 0], [2, 0, 3], [5, 0, 5]]), ["cat", "dog", "owl"])
    told = texts(figure)
    assert told[:4] == ["truth", "predicted", "times", "of the class"]
    rows = [[each for each in told[start : start + 5] if each != "→"] for start in range(4, len(told), 5)]
    assert rows == [
        ["owl", "cat", "5", "50.0 %"],
        ["cat", "dog", "5", "5.3 %"],
        ["dog", "owl", "3", "60.0 %"],
        ["dog", "cat", "2", "40.0 %"],
    ]
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert np.allclose(np.array(widths) / widths[0], [1, 1, 0.6, 0.4])


def test_without_a_mistake_the_figure_says_so() -> None:
    figure = draw_confused_pairs(np.eye(3, dtype=int), list("abc"))
    assert "No mistake at all." in [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("draw", [draw_class_accuracy, draw_confused_pairs])
def test_a_matrix_of_another_size_is_refused(draw: Callable[..., Figure]) -> None:
    with pytest.raises(ValueError, match="2 class names"):
        draw(np.eye(3, dtype=int), ["a", "b"])


# -- the page of mistakes ------------------------------------------------------------------------------------------------


def page(rows: int, side: int = 28, channels: int = 3, long: bool = False) -> Figure:
    rng = np.random.default_rng(rows)
    images = rng.integers(0, 256, (rows, side, side, channels), dtype=np.uint8)
    place = np.arange(rows)
    found = Mistakes(place + 100_000, place % 3, (place + 1) % 3, np.linspace(1, 0.2, rows))
    labels = [f"{LONG}-Fairtrade-{i}" for i in range(3)] if long else ["cat", "dog", "owl"]
    return draw_mistakes(images, found, labels, total=rows + 5)


def of(figure: Figure, gid: str) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_gid() == gid]


@pytest.mark.parametrize("rows", [1, 2, 6, 28])
@pytest.mark.parametrize("long", [False, True])
def test_the_page_s_texts_are_inside_and_free(
    rows: int, long: bool, text_faults: Callable[[Figure], list[str]]
) -> None:
    figure = page(rows, long=long)
    assert text_faults(figure) == []
    assert len(figure.axes[0].images) == rows


def test_each_picture_has_what_was_said_how_surely_and_the_truth() -> None:
    figure = page(3)
    assert of(figure, "predicted") == ["dog", "owl", "cat"]
    assert of(figure, "truth") == ["truth: cat", "truth: dog", "truth: owl"]
    assert of(figure, "probability") == ["100 %", "60.0 %", "20.0 %"]
    assert of(figure, "row") == ["row 100000", "row 100001", "row 100002"]


@pytest.mark.parametrize("shape", [(2, 8, 8), (2, 8, 8, 2), (3, 8, 8, 1), (0, 8, 8, 1)])
def test_arrays_that_do_not_belong_together_are_refused(shape: tuple[int, ...]) -> None:
    two = np.zeros(2, int)
    with pytest.raises(ValueError, match="images"):
        draw_mistakes(np.zeros(shape, np.uint8), Mistakes(two, two, two, np.ones(2)), ["a"], 2)


def test_same_mistakes_same_bytes(tmp_path: Path) -> None:
    saved = [save(page(5), tmp_path / name) for name in ("a", "b")]
    assert [path.read_bytes() for path in saved[0]] == [path.read_bytes() for path in saved[1]]
