"""The figure of a sweep's results: a mark for every run, mean and spread in words."""

from __future__ import annotations

from mlhw.plots.spread import draw_spread


def texts(figure: object) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]  # type: ignore[attr-defined]


def test_every_run_is_a_mark_and_the_last_split_is_said_in_words() -> None:
    figure = draw_spread({"a": {"train": [0.9, 0.92], "val": [0.8, 0.82]}, "b": {"train": [0.5], "val": [0.4]}})
    marks = [line for line in figure.axes[0].lines if line.get_gid() == "run"]
    assert sum(len(line.get_xdata()) for line in marks) == 6
    said = texts(figure)
    assert "81.00 ± 1.41 % (2)" in said
    assert "40.00 % (1)" in said
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
