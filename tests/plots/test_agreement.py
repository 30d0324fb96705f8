"""Laws of the page of agreement: every number is drawn where it belongs, and nothing overlaps however many networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlhw.plots.agreement import OUTCOMES, Compared, draw_agreement
from mlhw.plots.style import save

NAMES = ["alexnet", "vgg16", "resnet18", "efficientnet_v2_s", "a_network_with_a_very_long_name_indeed"]


def made(count: int, **changed: Any) -> Compared:
    rng = np.random.default_rng(count)
    same = rng.random((count, count))
    same = (same + same.T) / 2
    np.fill_diagonal(same, 1)
    given: dict[str, Any] = {
        "models": [f"{NAMES[i % 5]}{i // 5 or ''}" for i in range(count)],
        "parameters": [10 ** (5 + i % 4) * (i + 1) for i in range(count)],
        "pictures": 100,
        "outcomes": (40, 25, 35),
        "same": same,
        "near": (1 - same) / 2,
        "with_others": same.mean(axis=0),
        "confidence": rng.random(count),
        "entropy_bits": 9 * rng.random(count),
        "most_bits": 9.97,
        "reference": "the truth, known of 60 pictures",
        "counts": rng.integers(0, 30, (count, 3)),
    }
    return Compared(**given | changed)


def texts(figure: Figure, gid: str) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_gid() == gid]


@pytest.mark.parametrize("with_counts", [True, False])
@pytest.mark.parametrize("count", [2, 3, 5, 8, 13, 60])
def test_every_text_is_inside_and_free(
    count: int, with_counts: bool, text_faults: Callable[[Figure], list[str]]
) -> None:
    changed = {} if with_counts else {"reference": None, "counts": None}
    figure = draw_agreement(made(count, **changed))
    assert text_faults(figure) == []
    for axes in figure.axes:
        box = axes.get_window_extent()
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= figure.bbox.x1 + 1
        assert box.y1 <= figure.bbox.y1 + 1


def test_networks_stand_by_size_with_their_own_numbers() -> None:
    found = made(
        3,
        models=["large", "small", "middle"],
        parameters=[5_000_000, 90_000, 2_000_000],
        confidence=np.array([0.5, 0.25, 0.75]),
        entropy_bits=np.array([1.0, 3.0, 2.0]),
        with_others=np.array([0.0, 1.0, 0.1]),
    )
    figure = draw_agreement(found)
    assert texts(figure, "name")[:3] == ["small", "middle", "large"]
    assert texts(figure, "value") == [
        *("90,000", "2.0 M", "5.0 M"),
        *("25.0 %", "75.0 %", "50.0 %"),
        *("3.00", "2.00", "1.00"),
        *("100 %", "10.0 %", "0 %"),
    ]


def test_of_each_pair_the_share_and_the_near_misses_are_written() -> None:
    same = np.array([[1, 0.25, 0.5], [0.25, 1, 0.0], [0.5, 0.0, 1]])
    near = np.array([[0, 0.1, 0.2], [0.1, 0, 0.3], [0.2, 0.3, 0]])
    figure = draw_agreement(made(3, parameters=[1, 2, 3], same=same, near=near))
    cells = texts(figure, "cell")
    assert cells == [
        "25 %",
        "+10 near",
        "50 %",
        "+20 near",
        "25 %",
        "+10 near",
        "0 %",
        "+30 near",
        "50 %",
        "+20 near",
        "0 %",
        "+30 near",
    ]


def test_two_networks_need_no_matrix() -> None:
    assert texts(draw_agreement(made(2)), "cell") == []


def test_lengths_of_the_bars_are_the_shares() -> None:
    figure = draw_agreement(made(3, outcomes=(1, 0, 3)))
    bar = next(axes for axes in figure.axes if len(axes.patches) == 3 and axes.get_ylim()[0] == pytest.approx(0.36))
    assert [patch.get_width() for patch in bar.patches] == [0.25, 0.0, 0.75]  # type: ignore[attr-defined]
    assert len({patch.get_facecolor() for patch in bar.patches}) == len(OUTCOMES)


def test_both_formats_are_written(tmp_path: Path) -> None:
    png, svg = save(draw_agreement(made(3)), tmp_path / "agreement")
    assert png.stat().st_size > 10_000
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
