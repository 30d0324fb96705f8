"""Laws of the look: colours that stay apart, files that repeat, names that are taken literally, settings left as found."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from mlhw.errors import OutputError
from mlhw.plots.style import RUN_COLOURS, RUN_MARKERS, SPLIT_STYLES, literal, look, new_figure, save
from mlhw.plots.text import fit, shorten, spread, text_width, wrap

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
LEAST_DISTANCE = 15.0  # CIE76; about 2.3 is the least that is noticed side by side


def lab(colours: list[str], vision: np.ndarray) -> np.ndarray:
    """CIELAB coordinates (colours, 3) as an eye with ``vision`` (3, 3) sees them."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    xyz = np.clip(linear @ vision.T, 0, 1) @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def closest(colours: list[str], vision: np.ndarray) -> float:
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(lab(colours, vision), 2))


@pytest.mark.parametrize("vision", [np.eye(3), DEUTERANOPIA], ids=["usual", "deuteranopia"])
def test_run_colours_stay_apart(vision: np.ndarray) -> None:
    assert len(RUN_COLOURS) == 10
    assert closest(list(RUN_COLOURS), vision) > LEAST_DISTANCE


def test_that_law_catches_red_and_green_of_one_lightness() -> None:
    assert closest(["#B05050", "#508050"], np.eye(3)) > LEAST_DISTANCE > closest(["#A06030", "#807030"], DEUTERANOPIA)


def test_splits_and_runs_differ_without_colour() -> None:
    assert len({str(style.dashes) for style in SPLIT_STYLES.values()}) == len(SPLIT_STYLES) == 3
    assert len({style.marker for style in SPLIT_STYLES.values()}) == 3
    looks = [(RUN_COLOURS[i % len(RUN_COLOURS)], RUN_MARKERS[i % len(RUN_MARKERS)]) for i in range(100)]
    assert len(set(looks)) == 100


def figure_with(text: str) -> Figure:
    with look():
        figure = new_figure(4, 2)
        axes = figure.add_subplot()
        axes.plot([1, 2], [3, 4])
        axes.set_title(literal(text))
    return figure


def test_same_figure_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in save(figure_with("a"), tmp_path / "a.b")]
    assert [path.name for path in save(figure_with("a"), tmp_path / "a.b")] == ["a.b.png", "a.b.svg"]
    again = [(tmp_path / name).read_bytes() for name in ("a.b.png", "a.b.svg")]
    other = [path.read_bytes() for path in save(figure_with("b"), tmp_path / "other")]
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_the_users_settings_neither_count_nor_change(tmp_path: Path) -> None:
    plain = [path.read_bytes() for path in save(figure_with("a"), tmp_path / "plain")]
    with matplotlib.rc_context({"font.size": 31.0, "axes.facecolor": "red", "svg.fonttype": "path"}):
        before = dict(matplotlib.rcParams)
        odd = [path.read_bytes() for path in save(figure_with("a"), tmp_path / "odd")]
        assert dict(matplotlib.rcParams) == before
    assert plain == odd


@pytest.mark.parametrize(
    "name", ["$x_1$ and $", "a_b^c", "<script>alert('&')</script>", r"\frac{1}{2}", "100 % \u4f60"]
)
def test_names_are_literal(name: str, tmp_path: Path) -> None:
    _, svg = save(figure_with(name), tmp_path / "named")
    root = ET.fromstring(svg.read_text(encoding="utf-8"))
    assert name in {"".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_signs_that_xml_lacks_do_not_break_the_file(tmp_path: Path) -> None:
    _, svg = save(figure_with("a\x00b\x1b[31m\n\udcffc"), tmp_path / "odd")
    ET.fromstring(svg.read_text(encoding="utf-8"))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        save(figure_with("a"), tmp_path / "nowhere" / "a")
    assert not list(tmp_path.iterdir())


texts = st.text(st.characters(codec="ascii", min_codepoint=32), max_size=60)


@given(texts, st.floats(40, 200))
def test_wrapped_and_shortened_text_fits(text: str, width: float) -> None:
    with look():
        assert all(text_width(line, 8.0) <= width for line in wrap(text, width, 8.0))
        assert text_width(shorten(text, width, 8.0), 8.0) <= width
        broken, size = fit(text, width, 9.0, 5.5, 2)
    assert broken.count("\n") < 2
    assert 5.5 <= size <= 9.0


@given(texts, st.floats(40, 200))
def test_wrapping_loses_no_letter(text: str, width: float) -> None:
    with look():
        assert "".join(wrap(text, width, 8.0)).replace(" ", "") == text.replace(" ", "")


def test_names_break_after_separators() -> None:
    with look():
        lines = wrap("God-Morgon-Orange-Red-Grapefruit-Juice", 120.0, 8.0)
    assert len(lines) > 1
    assert all(line.endswith("-") for line in lines[:-1])


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.001, 0.2))
def test_spread_keeps_apart_inside_and_in_order(wanted: list[float], gap: float) -> None:
    placed = spread(wanted, gap, 0.0, 1.0)
    room = min(gap, 1.0 / max(len(wanted) - 1, 1))
    assert len(placed) == len(wanted)
    assert np.all((placed >= -1e-9) & (placed <= 1 + 1e-9))
    assert np.all(np.diff(np.sort(placed)) >= room - 1e-9)
    assert np.all(np.diff(placed[np.argsort(wanted, kind="stable")]) >= 0)


def test_spread_moves_nothing_without_need() -> None:
    assert spread([0.5, 0.1, 0.9], 0.1, 0.0, 1.0) == pytest.approx([0.5, 0.1, 0.9])
    assert spread([0.5, 0.5], 0.1, 0.0, 1.0) == pytest.approx([0.45, 0.55])


def test_the_overlap_check_sees_a_planted_overlap(text_faults: Callable[[Figure], list[str]]) -> None:
    figure = figure_with("a")
    assert text_faults(figure) == []
    figure.text(0.5, 0.5, "one word")
    figure.text(0.52, 0.51, "another")
    figure.text(0.95, 0.5, "out of the figure")
    assert len(text_faults(figure)) == 2
