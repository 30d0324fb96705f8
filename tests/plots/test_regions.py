"""Laws of the picture of decision regions: it shows what is predicted and how surely, and its words can be read."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from mlhw.plots import classes, raster
from mlhw.plots.regions import draw_regions
from mlhw.plots.style import RUN_COLOURS, save


def example(count: int = 3, rows: int = 200, spread: tuple[float, float] = (1.0, 1.0)) -> dict[str, Any]:
    """Regions of ``count`` centres, the nearest of which is predicted; a tenth of the rows have another class."""
    rng = np.random.default_rng(count)
    centres = rng.normal(size=(count, 2))
    x, y = (np.linspace(-3, 3, 60) * side for side in spread)
    cells = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2) / spread
    scores = np.exp(-np.square(cells[:, None] - centres).sum(-1))
    shares = (scores / scores.sum(axis=1, keepdims=True)).reshape(60, 60, count)
    points = rng.normal(size=(rows, 2))
    guesses = np.square(points[:, None] - centres).sum(-1).argmin(axis=1)
    targets = np.where(rng.random(rows) < 0.1, (guesses + 1) % count, guesses)
    values = {"grid_x": x, "grid_y": y, "predicted": shares.argmax(-1), "confidence": shares.max(-1)}
    return values | {"points": points * spread, "targets": targets, "guesses": guesses}


def names(count: int, long: bool = False) -> list[str]:
    return [f"class {i} with a name that is far too long" if long else f"c{i}" for i in range(count)]


@pytest.mark.parametrize("count", [1, 5, 40])
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("inches", [2.4, 9.0])
def test_words_are_inside_and_free(
    count: int, long: bool, inches: float, text_faults: Callable[[Figure], list[str]]
) -> None:
    title = "peaks-networks-20260101-000000-abcd on peaks-generated, " * 3
    figure = draw_regions(**example(count), class_names=names(count, long), title=title, inches=inches)
    for text in list(figure.axes[0].texts):  # names within the plane may lie near each other, and lie on points
        text.remove()
    assert text_faults(figure) == []


@pytest.mark.parametrize("spread", [(1.0, 1.0), (20.0, 1.0), (1.0, 20.0), (1e-6, 1e-6), (1e6, 1e6)])
def test_both_axes_have_one_scale_unless_the_plane_would_be_a_thread(
    spread: tuple[float, float], text_faults: Callable[[Figure], list[str]]
) -> None:
    figure = draw_regions(**example(spread=spread), class_names=names(3))
    axes = figure.axes[0]
    box = axes.get_window_extent()
    per_unit = (box.width / np.ptp(axes.get_xlim()), box.height / np.ptp(axes.get_ylim()))
    assert min(box.width, box.height) >= 1.7 * figure.dpi
    if spread[0] == spread[1]:
        assert per_unit[0] == pytest.approx(per_unit[1])
    assert text_faults(figure) == []


def test_the_tint_is_that_of_the_class_and_the_stronger_the_surer() -> None:
    predicted = np.array([[0, 0], [1, 1]])
    confidence = np.array([[0.5, 1.0], [0.7, 0.9]])
    values = example(2) | {"grid_x": np.array([0.0, 1.0]), "grid_y": np.array([0.0, 1.0])}
    figure = draw_regions(**values | {"predicted": predicted, "confidence": confidence}, class_names=names(2))
    image = figure.axes[0].images[0]
    shown = np.asarray(image.get_array())
    assert image.origin == "lower"  # row 0 is the lowest y
    for row in (0, 1):
        ink = 1 - np.array(to_rgb(classes.colour(row)))
        strength = ((1 - shown[row]) @ ink) / (ink @ ink)
        np.testing.assert_allclose(1 - strength[:, None] * ink, shown[row], atol=1e-9)  # white mixed with one colour
        assert 0 < strength[0] < strength[1] <= 0.5


def test_every_row_is_drawn_once_with_its_class_s_sign_and_wrong_ones_hollow() -> None:
    values = example(4, rows=300)
    figure = draw_regions(**values, class_names=names(4))
    drawn = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    found = {
        (float(x), float(y)): (line.get_marker(), line.get_markerfacecolor(), line.get_markeredgecolor())
        for line in drawn
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }
    assert sum(len(line.get_xdata()) for line in drawn) == len(found) == 300
    for (x, y), target, guess in zip(values["points"].tolist(), values["targets"], values["guesses"], strict=True):
        marker, face, edge = found[x, y]
        assert marker == classes.marker(target)
        assert (face, edge) == (
            (classes.colour(target), "white") if target == guess else ("white", classes.colour(target))
        )


def test_the_heading_counts_the_rows_that_are_right() -> None:
    values = example(3, rows=200)
    right = int((values["targets"] == values["guesses"]).sum())
    words = [text.get_text() for text in draw_regions(**values, class_names=names(3), split="val").texts]
    assert any(f"200 val rows, {right} right ({right / 2:.1f} %)" in text for text in words)


@pytest.mark.parametrize("some_wrong", [True, False])
def test_the_legend_explains_hollow_signs_only_where_there_are_some(some_wrong: bool) -> None:
    values = example(3)
    if not some_wrong:
        values["targets"] = values["guesses"]
    words = [text.get_text() for text in draw_regions(**values, class_names=names(3)).axes[1].texts]
    assert ("hollow: wrong" in words) is some_wrong
    assert {"c0", "c1", "c2", "confidence", "33", "100 %"} <= set(words)


def test_no_two_of_110_classes_share_a_sign() -> None:
    signs = {(classes.colour(i), classes.marker(i)) for i in range(110)}
    assert len(signs) == 110
    assert set(classes.COLOURS) == set(RUN_COLOURS)


def test_five_tints_stay_apart_for_colour_blind_readers() -> None:
    """Machado, Oliveira and Fernandes (2009), severity 1; distances in CIELAB, of which 2 to 3 can just be seen."""
    blindness = {
        "none": np.eye(3),
        "deuteranopia": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.01182, 0.04294, 0.968881],
        ],
        "protanopia": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    }
    tints = classes.tint(np.arange(5), np.full(5, 0.45))
    for name, matrix in blindness.items():
        labs = [lab(np.clip(np.asarray(matrix) @ linear(tint), 0, 1)) for tint in tints]
        assert min(np.linalg.norm(a - b) for a, b in combinations(labs, 2)) > 10, name


def linear(rgb: np.ndarray) -> np.ndarray:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"predicted": np.zeros((59, 60), int)}, "grid of"),
        ({"points": np.zeros((3, 2))}, "points"),
        ({"guesses": np.full(200, 3)}, "class indices run from 0 to 3; allowed: 0 to 2"),
        ({"predicted": np.full((60, 60), -1)}, "from -1"),
    ],
)
def test_what_does_not_belong_together_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        draw_regions(**example() | change, class_names=names(3))


def test_no_rows_and_names_of_every_kind_are_drawn(tmp_path: Path) -> None:
    values = example() | {"points": np.zeros((0, 2)), "targets": np.zeros(0, int), "guesses": np.zeros(0, int)}
    save(draw_regions(**values, class_names=["$x^{", "_日本", "a\x00b"]), tmp_path / "a")


def test_same_regions_same_bytes(tmp_path: Path) -> None:
    saved = [save(draw_regions(**example(), class_names=names(3)), tmp_path / name) for name in "ab"]
    assert [path.read_bytes() for path in saved[0]] == [path.read_bytes() for path in saved[1]]


# --- masks on a grid --------------------------------------------------------------------------------------------------


def test_depth_is_about_the_distance_to_the_border() -> None:
    from scipy.ndimage import distance_transform_edt

    y, x = np.mgrid[:80, :100]
    for mask in ((x - 60) ** 2 + (y - 40) ** 2 < 30**2, np.ones((80, 100), bool), abs(x - y) < 15, x > 70):
        exact = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
        found = raster.depth(mask)
        np.testing.assert_array_equal(found > 0, mask)
        assert np.abs(found - exact).max() <= 0.15 * exact.max() + 1


def test_the_middle_of_a_ring_lies_on_the_ring() -> None:
    y, x = np.mgrid[:80, :100]
    radius = np.hypot(x - 50, y - 40)
    row, column = raster.middle(raster.depth((radius > 20) & (radius < 34)))
    assert 24 < radius[row, column] < 30


def test_smoothing_keeps_what_is_the_same_all_round() -> None:
    mask = np.zeros((9, 9))
    mask[:, 4:] = 1
    smooth = raster.smooth(mask)
    np.testing.assert_array_equal(smooth[:, [0, 1, 6, 8]], mask[:, [0, 1, 6, 8]])
    assert (smooth[:, 3] < 0.5).all()
    assert (smooth[:, 4] > 0.5).all()
    np.testing.assert_allclose(smooth + raster.smooth(1 - mask), 1)
