"""The figure of a sweep's results: a mark for every run, mean and spread in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure

from mlhw.plots.spread import draw_spread


def texts(figure: object) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]  # type: ignore[attr-defined]


def test_every_run_is_a_mark_and_the_last_split_is_said_in_words() -> None:
    values = {"a": {"train": [0.9, 0.92], "val": [0.8, 0.82]}, "b": {"train": [0.5], "val": [0.4]}}
    figure = draw_spread(values, "digits-cnn: accuracy of every run")
    marks = [line for line in figure.axes[0].lines if line.get_gid() == "run"]
    assert sum(len(line.get_xdata()) for line in marks) == 6
    said = texts(figure)
    assert "81.00 ± 1.41 % (2)" in said
    assert "40.00 % (1)" in said
    assert "digits-cnn: accuracy of every run" in said
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize("title", ["", "digits-cnn: accuracy of every run", "a-very-long-name " * 12])
@pytest.mark.parametrize("settings", [1, 4])
def test_every_text_is_inside_and_free(title: str, settings: int, text_faults: Callable[[Figure], list[str]]) -> None:
    values = {f"lr {k}": {"train": [0.9, 0.92], "val": [0.8, 0.82]} for k in range(settings)}
    assert text_faults(draw_spread(values, title)) == []
