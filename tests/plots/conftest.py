"""What the tests of figures share: where the texts of a figure stand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from mlhw.plots.style import look


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text that is drawn in ``figure``, with its bounding box in pixels."""
    with look():
        figure.canvas.draw()
        hidden: set[Text] = set()
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                    if not (axes.axison and low <= tick.get_loc() <= high):
                        hidden |= {tick.label1, tick.label2}
        texts = [text for text in figure.findobj(Text) if text not in hidden and text.get_visible()]
        return [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text().strip()]


def faults(figure: Figure) -> list[str]:
    """What is wrong with the texts of ``figure``: those that stand out of it, and the pairs that overlap."""
    page, found = figure.bbox, []
    shown = boxes(figure)
    for text, box in shown:
        if box.x0 < page.x0 - 1 or box.y0 < page.y0 - 1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1:
            found.append(f"{text!r} stands out of the figure: {box}")
    for (one, a), (other, b) in combinations(shown, 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > 1.5 and high > 1.5:
            found.append(f"{one!r} and {other!r} overlap by {wide:.0f} × {high:.0f} pixels")
    return found


@pytest.fixture
def text_faults() -> Callable[[Figure], list[str]]:
    return faults
