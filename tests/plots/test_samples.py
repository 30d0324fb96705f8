"""Laws of the sample predictions: which rows are picked, what is said of them, and that it all fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlhw.plots.pictures import displayable
from mlhw.plots.samples import draw_samples, pick_mistakes, pick_samples
from mlhw.plots.style import save

LONG = ["God-Morgon-Orange-Red-Grapefruit-Juice", "Garant-Ecological-Medium-Fat-Milk", "W" * 60, "$a_1$ <b>", "7"]
RNG_SEED = 3


def made(rows: int, size: int, channels: int, kind: str = "uint8") -> np.ndarray:
    values = np.random.default_rng(RNG_SEED).integers(0, 256, (rows, size, size, channels), dtype=np.uint8)
    return values if kind == "uint8" else values.astype(np.float32) / 255


def drawn(rows: int, size: int = 8, channels: int = 1, mistakes: int = 0, kind: str = "uint8") -> Figure:
    truth = np.arange(rows) % len(LONG)
    predicted = np.where(np.arange(rows) < rows - mistakes, truth, (truth + 1) % len(LONG))
    probability = np.linspace(0.2, 1.0, rows)
    return draw_samples(made(rows, size, channels, kind), truth, predicted, probability, LONG, mistakes=mistakes)


def captions(figure: Figure, gid: str = "caption") -> list[str]:
    return [text.get_text() for text in figure.texts if text.get_gid() == gid]


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 10, 20])
@pytest.mark.parametrize(("size", "channels", "kind"), [(8, 1, "float"), (28, 1, "uint8"), (256, 3, "uint8")])
def test_every_text_is_inside_and_free(
    rows: int, size: int, channels: int, kind: str, text_faults: Callable[[Figure], list[str]]
) -> None:
    figure = drawn(rows, size, channels, mistakes=rows // 2, kind=kind)
    assert text_faults(figure) == []
    assert len(figure.axes) == rows
    assert figure.get_figwidth() <= 12
    page = figure.bbox
    for axes in figure.axes:
        box = axes.get_window_extent()
        assert box.x0 >= page.x0
        assert box.x1 <= page.x1
        assert box.y0 >= page.y0
        assert box.y1 <= page.y1
        assert not any(box.overlaps(text.get_window_extent()) for text in figure.texts)


def test_right_and_wrong_are_told_in_signs_and_words() -> None:
    figure = draw_samples(
        made(2, 8, 3), np.array([0, 1]), np.array([0, 0]), np.array([0.97, 0.5]), ["cat", "dog"], mistakes=1
    )
    said = [text.replace("\N{NO-BREAK SPACE}", " ") for text in captions(figure)]
    assert said == ["✓ cat (97.0 %)", "✗ cat (50.0 %)", "truth: dog"]
    assert captions(figure, "heading") == ["Random test images", "Most confident mistakes"]


def test_without_mistakes_there_is_no_such_block() -> None:
    assert captions(drawn(5), "heading") == ["Random test images"]


def test_picks_repeat_and_do_not_look_at_the_predictions() -> None:
    truth, rng = np.zeros(100, int), np.random.default_rng(0)
    first = pick_samples(truth, truth, np.ones(100), 5, seed=1)
    again = pick_samples(truth, rng.integers(0, 9, 100), rng.random(100), 5, seed=1)
    assert np.array_equal(first, again)
    assert len(set(first.tolist())) == 5
    assert not np.array_equal(first, pick_samples(truth, truth, np.ones(100), 5, seed=2))
    assert pick_samples(truth[:3], truth[:3], np.ones(3), 5, seed=1).tolist() == [0, 1, 2]
    assert pick_samples(truth[:0], truth[:0], np.ones(0), 5, seed=1).tolist() == []


def test_every_row_is_drawn_about_equally_often() -> None:
    blank = np.zeros(10, int)
    counts = np.bincount(np.concatenate([pick_samples(blank, blank, blank, 5, seed) for seed in range(400)]))
    assert counts.min() > 150
    assert counts.max() < 250


def test_mistakes_are_wrong_and_most_confident_first() -> None:
    truth, predicted = np.array([0, 1, 2, 3, 4]), np.array([0, 2, 1, 3, 0])
    probability = np.array([0.9, 0.4, 0.8, 0.99, np.nan])
    assert pick_mistakes(truth, predicted, probability, 10).tolist() == [2, 1, 4]
    assert pick_mistakes(truth, predicted, probability, 1).tolist() == [2]
    assert pick_mistakes(truth, truth, probability, 10).tolist() == []


def test_images_are_shown_as_they_are() -> None:
    images = made(2, 4, 3)
    assert np.array_equal(displayable(images), images)
    assert np.array_equal(displayable(images / 255), images)
    grey = made(2, 4, 1)
    assert np.array_equal(displayable(grey)[..., 2], grey[..., 0])


def test_floats_outside_the_unit_range_are_stretched_together() -> None:
    images = np.array([[-1.0, 0.0], [1.0, np.nan]]).reshape(2, 1, 2, 1)
    assert displayable(images)[..., 0].reshape(-1).tolist() == [0, 128, 255, 0]
    assert displayable(np.full((1, 1, 1, 1), 16.0)).tolist() == [[[[0, 0, 0]]]]


@pytest.mark.parametrize("shape", [(2, 8, 8), (2, 8, 8, 2), (3, 8, 8, 1)])
def test_arrays_that_do_not_belong_together_are_refused(shape: tuple[int, ...]) -> None:
    two = np.zeros(2, int)
    with pytest.raises(ValueError, match="images"):
        draw_samples(np.zeros(shape, np.uint8), two, two, np.ones(2), ["a"])


def test_same_images_same_bytes(tmp_path: Path) -> None:
    saved = [save(drawn(7, 28, 3, mistakes=2), tmp_path / name) for name in ("a", "b")]
    assert [path.read_bytes() for path in saved[0]] == [path.read_bytes() for path in saved[1]]


def test_small_counts_are_stretched_together_and_photos_are_not() -> None:
    counts = np.array([0, 8, 16, 4], np.uint8).reshape(1, 2, 2, 1)
    assert displayable(counts)[..., 0].ravel().tolist() == [0, 128, 255, 64]
    photo = np.array([10, 200], np.uint8).reshape(1, 1, 2, 1)
    assert displayable(photo)[..., 0].ravel().tolist() == [10, 200]
