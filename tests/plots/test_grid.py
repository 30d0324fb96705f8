"""Laws of the contact sheets: nothing overlaps or stands out, pictures keep their shape, titles name the classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlhw.plots.grid import Card, draw_grid, pixels, sizes
from mlhw.plots.side_by_side import MOST_NETWORKS, Guess, SideBySide, draw_side_by_side
from mlhw.plots.style import save

NAMES = [
    "lemon",
    "West Highland white terrier",
    "dishwasher, dish washer, dishwashing machine, a thing that washes dishes",
    "W" * 70,
    "$a_1$ <b> & 100 %",
    "jg",
    "naïve 檸檬",
]
SHAPES = [(9, 9), (40, 90), (90, 40), (1, 1), (3, 2000), (2000, 3), (300, 300)]
COUNTS = [1, 2, 3, 5, 13, 37, 100]
SIDE_BY_SIDE = [(1, 2), (2, 11), (3, 3), (5, 2), (13, 11), (37, 2), (100, 3)]


def picture(number: int) -> np.ndarray:
    height, width = SHAPES[number % len(SHAPES)]
    return np.full((height, width, 3), 37 * number % 256, dtype=np.uint8)


def grid(count: int, heading: str = "resnet18: pictures", notes: str = "") -> Figure:
    cards = [
        Card(picture(i), f"folder {i}/{'long ' * (i % 9)}name {i}.jpg", NAMES[i % len(NAMES)], (i % 11) / 10)
        for i in range(count)
    ]
    return draw_grid(cards, heading, notes)


def side_by_side(count: int, networks: int) -> Figure:
    cards = [
        SideBySide(
            picture(i),
            f"name {i}{'x' * (i % 40)}.jpg",
            ("agree", "near", "plain")[i % 3],
            NAMES[i % len(NAMES)] if i % 3 < 2 else None,
            [Guess(NAMES[(i + j * (i % 3)) % len(NAMES)], (j + 1) / (networks + 1)) for j in range(networks)],
        )
        for i in range(count)
    ]
    models = [f"network_with_a_name_{j}" for j in range(networks)]
    return draw_side_by_side(cards, models, "networks side by side", "Near miss: of any two that differ …")


def texts(figure: Figure, gid: str) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_gid() == gid]


def images_are_apart(figure: Figure) -> bool:
    """No picture covers another, and each is on the page."""
    (axes,) = figure.axes
    boxes = [image.get_extent() for image in axes.images]
    width, height = figure.get_size_inches()
    inside = all(0 <= x0 <= x1 <= width and 0 <= y0 <= y1 <= height for x0, x1, y1, y0 in boxes)
    corners = {(round(x0, 3), round(y0, 3)) for x0, _, _, y0 in boxes}
    apart = all(
        not (a[0] < b[1] and b[0] < a[1] and a[3] < b[2] and b[3] < a[2])
        for place, a in enumerate(boxes)
        for b in boxes[:place]
    )
    return inside and apart and len(corners) == len(boxes)


@pytest.mark.parametrize("count", COUNTS)
def test_every_text_of_a_grid_is_inside_and_free(count: int, text_faults: Callable[[Figure], list[str]]) -> None:
    figure = grid(count, notes="Squashed to 224×224. " * 6)
    assert text_faults(figure) == []
    assert images_are_apart(figure)
    assert len(texts(figure, "title")) == len(texts(figure, "file")) == count


@pytest.mark.parametrize(("count", "networks"), SIDE_BY_SIDE)
def test_every_text_side_by_side_is_inside_and_free(
    count: int, networks: int, text_faults: Callable[[Figure], list[str]]
) -> None:
    figure = side_by_side(count, networks)
    assert text_faults(figure) == []
    assert images_are_apart(figure)
    assert len(texts(figure, "guess")) == 2 * count * min(networks, MOST_NETWORKS)


def test_titles_are_the_classes_and_bars_the_probabilities() -> None:
    figure = draw_grid([Card(picture(0), "a.jpg", "lemon", 0.25), Card(picture(1), "b.jpg", "fig", 1.0)], "two")
    assert texts(figure, "title") == ["lemon", "fig"]
    assert texts(figure, "probability") == ["25.0 %", "100 %"]
    (axes,) = figure.axes
    bars = [patch.get_width() for patch in axes.patches if abs(patch.get_height() - 0.055) < 1e-9]  # type: ignore[attr-defined]
    assert bars[1] / bars[0] == pytest.approx(0.25)
    assert bars[3] / bars[2] == pytest.approx(1.0)


@pytest.mark.parametrize("shape", [(30, 60), (60, 30), (1, 1), (7, 2000)])
def test_a_picture_is_shown_whole_and_keeps_its_shape(shape: tuple[int, int]) -> None:
    figure = draw_grid([Card(np.zeros((*shape, 3), np.uint8), "x", "x", 0.5)], "one")
    x0, x1, y1, y0 = figure.axes[0].images[0].get_extent()
    side = sizes(1).side
    assert max(x1 - x0, y1 - y0) == pytest.approx(side)
    assert (x1 - x0) / (y1 - y0) == pytest.approx(shape[1] / shape[0], rel=0.5 if max(shape) > 1000 else 1e-6)


def test_of_a_majority_the_title_says_how_many() -> None:
    guesses = [Guess("fig", 0.5), Guess("fig", 0.4), Guess("lemon", 0.9)]
    cards = [
        SideBySide(picture(0), "a.jpg", "near", "fig", guesses),
        SideBySide(picture(1), "b.jpg", "plain", None, guesses),
    ]
    figure = draw_side_by_side(cards, ["a", "b", "c"], "x")
    assert texts(figure, "title") == ["fig", "no majority"]
    assert "2 of 3" in [text.get_text() for text in figure.axes[0].texts]


def test_the_same_sheet_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (save(grid(3), tmp_path / name, ("png",))[0].read_bytes() for name in "ab")
    assert one == other


def test_a_sheet_has_at_most_ten_columns_and_the_pixels_that_it_shows() -> None:
    assert sizes(10_000).columns == 10
    assert pixels(100) < pixels(13) < pixels(1)


def test_a_sheet_without_pictures_or_with_too_few_guesses_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        draw_grid([], "x")
    with pytest.raises(ValueError, match="2 guesses"):
        draw_side_by_side([SideBySide(picture(0), "a", "agree", "x", [Guess("x", 1.0)])], ["a", "b"], "x")
