"""Several networks on the same pictures, on one page: how often they agree, how sure they are, how often they are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mlhw.plots.axes import percent
from mlhw.plots.page import MARGIN, Head, Page
from mlhw.plots.style import INK, MUTED, RUN_COLOURS, SMALL, look
from mlhw.plots.text import fit, shorten, text_width

# Green, amber, vermilion apart for readers with deuteranopia too: they differ in lightness.
OUTCOMES: Final = {"agree": "#009E73", "near": "#F0C75E", "plain": "#B23A00"}
_SHADES: Final = LinearSegmentedColormap.from_list("share", ["#F4F7FA", "#7FB8D8", "#0072B2", "#00395A"])
_EMPTY: Final = "#F1F1F1"  # what is left of a bar
_WHOM: Final = "Who agrees with whom"
_SMALLEST: Final = 5.0  # points
_WIDTH: Final = 9.6  # inches between the margins
_LONGEST_NAME: Final = 1.6  # inches
_PANEL_GAP: Final = 0.32
_LINE: Final = 1.3


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What is drawn of N networks on ``pictures`` pictures; every share is between 0 and 1.

    ``outcomes`` counts the pictures on which all agree, differ by a near miss, and differ plainly. ``same`` and ``near`` are
    shares of pictures for each pair. ``hits``, ``nears`` and ``plains`` count the pictures of which a network has the right
    class first, among its first five, or not; ``reference`` says in words what is right; None where nothing is.
    """

    models: Sequence[str]
    parameters: Sequence[int]
    pictures: int
    outcomes: tuple[int, int, int]
    same: Float[np.ndarray, "models models"]
    near: Float[np.ndarray, "models models"]
    with_others: Float[np.ndarray, " models"]
    confidence: Float[np.ndarray, " models"]
    entropy_bits: Float[np.ndarray, " models"]
    most_bits: float
    reference: str | None = None
    counts: Int[np.ndarray, "models 3"] | None = None


def draw_agreement(found: Compared) -> Figure:
    """A page of ``found``: outcomes of the pictures, the networks by size with bars, and who agrees with whom."""
    count = len(found.models)
    order = np.argsort(found.parameters, kind="stable").tolist()
    row = float(np.clip(9.0 / count, 0.13, 0.32))  # inches
    size = min(SMALL, row * 72 / _LINE)
    side = float(np.clip(0.62 * count, 1.9, max(6.0, min(0.1 * count, 7.5))))
    with look():
        names = [shorten(found.models[place], _LONGEST_NAME * 72, size) for place in order]
        widest = max(text_width(name, size) for name in names) / 72
        left = MARGIN + widest + 0.12
        # Where the misses begin if they stand beside the matrix.
        beside = max(left + side, MARGIN + text_width(_WHOM, 10.5, bold=True) / 72) + 0.6 + widest + 0.12
        pairs = count > 2  # of two networks all is said above
        apart = found.counts is not None and (beside > MARGIN + 0.6 * _WIDTH or not pairs)
        head = Head(_heading(found), "", _WIDTH)
        outcomes = MARGIN + head.height
        bars = outcomes + 1.55
        misses = bars + count * row + 0.75
        matrix = misses + (count * row + 1.05 if apart else 0)
        lower = max(side + widest, 0 if found.counts is None or apart else count * row + 0.3)
        bottom = matrix + lower + 0.15 if pairs else matrix - 0.7
        page = Page(_WIDTH + 2 * MARGIN, bottom + MARGIN)
        rows = _Rows(page, found, order, names, size, count * row)
        head.draw(page)
        _outcomes(page, outcomes, found)
        _bars(rows, left, bars)
        if pairs:
            _matrix(rows, left, matrix, side)
        if found.counts is not None:
            _misses(rows, left if apart else beside, misses)
    return page.figure


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What all panels with a row a network share: the smallest network on top, ``height`` inches in all."""

    page: Page
    found: Compared
    order: list[int]
    names: list[str]
    size: float
    height: float

    def axes(self, left: float, top: float, width: float) -> Axes:
        """Empty axes with a row a network, 0 the first; one unit from left to right."""
        axes = self.page.axes(left, top, width, self.height)
        axes.set(xlim=(0, 1), ylim=(len(self.order) - 0.5, -0.5))
        axes.axis("off")
        return axes

    def write_names(self, axes: Axes, width: float) -> None:
        """Write the names left of ``axes``, which are ``width`` inches wide."""
        for row, name in enumerate(self.names):
            axes.text(-0.12 / width, row, name, size=self.size, ha="right", va="center_baseline", gid="name")


def _heading(found: Compared) -> str:
    return f"{len(found.models)} networks on {found.pictures:,} picture{'s' if found.pictures != 1 else ''}"


def _outcomes(page: Page, top: float, found: Compared) -> None:
    """One bar of all pictures, with its key above."""
    total = max(sum(found.outcomes), 1)
    words = ("all name the same class", "near misses", "plain differences")
    page.write(MARGIN, top + 0.02, "All pictures", 10.5, weight="bold", gid="panel")
    texts = [f"{word}: {n:,} ({percent(n / total)})" for word, n in zip(words, found.outcomes, strict=True)]
    _key(page, MARGIN, top + 0.3, texts)
    axes = page.axes(MARGIN, top + 0.52, _WIDTH, 0.26)
    axes.set(xlim=(0, 1), ylim=(0.36, -0.36))
    axes.axis("off")
    start = 0.0
    for number, colour in zip(found.outcomes, OUTCOMES.values(), strict=True):
        _bar(axes, 0, start, number / total, colour)
        start += number / total


def _bars(rows: _Rows, left: float, top: float) -> None:
    """A panel of bars for each quantity."""
    found, size = rows.found, rows.size
    rows.page.write(MARGIN, top - 0.5, "Each network, the smallest first", 10.5, weight="bold", gid="panel")
    panels = [
        (
            "parameters",
            np.asarray(found.parameters, float),
            float(max(found.parameters)),
            map(_millions, found.parameters),
        ),
        ("probability of its first class", found.confidence, 1.0, map(percent, found.confidence)),
        ("entropy in bits", found.entropy_bits, found.most_bits, (f"{bits:.2f}" for bits in found.entropy_bits)),
        ("same class as another network", found.with_others, 1.0, map(percent, found.with_others)),
    ]
    width = (MARGIN + _WIDTH - left - _PANEL_GAP * (len(panels) - 1)) / len(panels)
    for number, (title, values, most, words) in enumerate(panels):
        start, texts = left + number * (width + _PANEL_GAP), list(words)
        rows.page.write(start, top - 0.22, title, SMALL, color=MUTED, gid="quantity")
        axes = rows.axes(start, top, width)
        room = 1 - (max(text_width(text, size) for text in texts) / 72 + 0.08) / width
        for row, place in enumerate(rows.order):
            share = float(np.clip(values[place] / most, 0, 1)) if most else 0.0
            _bar(axes, row, 0, room, _EMPTY)
            _bar(axes, row, 0, room * share, RUN_COLOURS[0])
            axes.text(1, row, texts[place], size=size, ha="right", va="center_baseline", gid="value")
        if number == 0:
            rows.write_names(axes, width)


def _bar(axes: Axes, row: int, start: float, length: float, colour: str) -> None:
    axes.add_patch(Rectangle((start, row - 0.36), length, 0.72, color=colour, linewidth=0))


def _matrix(rows: _Rows, left: float, top: float, side: float) -> None:
    """The share of pictures on which two networks name the same class, and below it that of near misses."""
    found, order, count = rows.found, rows.order, len(rows.order)
    rows.page.write(MARGIN, top - 0.36, _WHOM, 10.5, weight="bold", gid="panel")
    share, near = found.same[np.ix_(order, order)], found.near[np.ix_(order, order)]
    axes = rows.page.axes(left, top, side, side)
    itself = np.eye(count, dtype=bool)
    colours = _SHADES.with_extremes(bad="#FFFFFF")
    shown = np.where(itself, np.nan, share)
    axes.imshow(shown, cmap=colours, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    points = min(rows.size, side * 72 / count / _LINE)
    axes.set_xticks(range(count), rows.names, size=points, rotation=90)
    axes.set_yticks(range(count), rows.names, size=points)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    size = min(9.0, side * 72 / count / 4.2)
    if size < _SMALLEST:
        return
    for i, j in np.argwhere(~itself).tolist():
        ink = "white" if share[i, j] > 0.45 else INK
        how: dict[str, Any] = {"ha": "center", "va": "center", "color": ink, "gid": "cell"}
        axes.text(j, i - 0.12, f"{100 * share[i, j]:.0f} %", size=size, **how)
        axes.text(j, i + 0.2, f"+{100 * near[i, j]:.0f} near", size=size * 0.72, **how)


def _misses(rows: _Rows, left: float, top: float) -> None:
    """For each network a bar of its hits, near misses and plain ones."""
    found, size, width = rows.found, rows.size, MARGIN + _WIDTH - left
    assert found.counts is not None
    widest = max(text_width(name, size) for name in rows.names) / 72
    title, points = fit(f"Against {found.reference}", (width + widest) * 72, 10.5, SMALL, 1, bold=True)
    rows.page.write(left - widest - 0.12, top - 0.36, title, points, weight="bold", gid="panel")
    axes = rows.axes(left, top + 0.26, width)
    rows.write_names(axes, width)
    for row, place in enumerate(rows.order):
        counts = found.counts[place].tolist()
        start, total = 0.0, max(sum(counts), 1)
        for number, colour in zip(counts, OUTCOMES.values(), strict=True):
            part = number / total
            _bar(axes, row, start, part, colour)
            if part * width * 72 > text_width(f"{number:,}", size) + 4:
                ink = INK if colour == OUTCOMES["near"] else "white"
                how: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": ink, "gid": "count"}
                axes.text(start + part / 2, row, f"{number:,}", size=size, **how)
            start += part
    _key(rows.page, left, top, ("first", "among the first five", "not among them"))


def _key(page: Page, left: float, top: float, words: Sequence[str]) -> None:
    for word, colour in zip(words, OUTCOMES.values(), strict=True):
        square = page.axes(left, top + 0.025, 0.1, 0.1)
        square.set_facecolor(colour)
        square.set(xticks=[], yticks=[])
        square.spines[:].set_visible(False)
        page.write(left + 0.16, top, word, SMALL, gid="key")
        left += 0.16 + text_width(word, SMALL) / 72 + 0.25


def _millions(parameters: int) -> str:
    return f"{parameters / 1e6:.1f} M" if parameters >= 1e5 else f"{parameters:,}"
