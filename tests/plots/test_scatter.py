"""Laws of the page of points: every class's sign, name and rows stand on it, and no word meets another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlhw.plots import scatter


def page(path: Path, features: int, classes: int, long: bool = False) -> None:
    rng = np.random.default_rng(0)
    points, targets = rng.normal(size=(300, features)), rng.integers(0, classes, 300)
    names = [f"class {i} with a name that is far too long" if long else f"c{i}" for i in range(classes)]
    counts = {name: np.full(classes, rows) for name, rows in (("train", 25_000), ("val", 6_250), ("test", 1))}
    scatter.draw(path, "A data set", names, points, targets, counts, "facts of it, at some length " * 4)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were saved."""
    found: list[Figure] = []
    plain = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *args, **more: (found.append(self), plain(self, *args, **more)))
    return found


@pytest.mark.parametrize(("features", "panels"), [(2, 1), (3, 3), (5, 10), (6, 15), (7, 15)])
@pytest.mark.parametrize("long", [False, True])
def test_there_is_a_panel_a_pair_of_features_and_no_word_meets_another(
    tmp_path: Path,
    drawn: list[Figure],
    text_faults: Callable[[Figure], list[str]],
    features: int,
    panels: int,
    long: bool,
) -> None:
    page(tmp_path / "a.png", features, 5, long)
    (figure,) = drawn
    assert len(figure.axes) == panels + 1
    assert text_faults(figure) == []
    legend = figure.axes[-1].get_window_extent()
    assert not any(legend.overlaps(axes.get_window_extent()) for axes in figure.axes[:-1])
    assert sum(len(line.get_xdata()) for line in figure.axes[0].lines) == 300


@pytest.mark.parametrize("classes", [1, 2, 20])
def test_the_legend_counts_the_rows_of_each_split(
    tmp_path: Path, drawn: list[Figure], text_faults: Callable[[Figure], list[str]], classes: int
) -> None:
    page(tmp_path / "a.png", 2, classes)
    words = [text.get_text() for text in drawn[0].axes[-1].texts]
    assert words.count("25,000") == classes + (classes == 1)
    assert f"{6_250 * classes:,}" in words
    assert text_faults(drawn[0]) == []
