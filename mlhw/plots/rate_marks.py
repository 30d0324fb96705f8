"""How the lines and marks of a sweep look: colours and markers by rate, marks of lost runs, legends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, LogNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mlhw.plots.style import INK, MUTED, RUN_MARKERS, SMALL, SPLIT_STYLES
from mlhw.plots.swept import Curve
from mlhw.plots.text import shorten

DOTTED: Final[Any] = (0, (1, 1.3))  # the way of a lost run to the edge that its values ran into
TITLE_PAD: Final = 12.0  # points from a panel to its title: marks at its upper edge stand out half
_DARKEST, _LIGHTEST = 0.0, 0.84  # of plasma: its last sixth is yellow, which white paper swallows


def palette() -> Colormap:
    """Dark blue for small rates to orange for large: even in lightness, so that grey print keeps the order."""
    plasma = matplotlib.colormaps["plasma"]
    return ListedColormap([to_hex(plasma(at)) for at in np.linspace(_DARKEST, _LIGHTEST, 256)], name="rates")


def norm(rates: Sequence[float]) -> LogNorm:
    """The place of a rate on the palette, by its logarithm."""
    low, high = min(rates), max(rates)
    return LogNorm(low, high) if low < high else LogNorm(low / 2, low * 2)


def colours(curves: Sequence[Curve], exact: bool) -> list[str]:
    """One colour a curve, of ``curves`` in the order of their rates.

    ``exact``: by the logarithm of the rate, as a colour bar shows it; else half by that and half by rank, so that one far
    away rate does not leave a single colour to the others.
    """
    place, colour = norm([curve.lr for curve in curves]), palette()
    ranks = np.linspace(0, 1, len(curves)) if len(curves) > 1 else np.full(1, 0.5)
    places = [float(place(curve.lr)) for curve in curves]
    return [to_hex(colour(at if exact else (at + rank) / 2)) for at, rank in zip(places, ranks, strict=True)]


def marker(number: int) -> str:
    """The marker of the curve at position ``number``."""
    return RUN_MARKERS[number % len(RUN_MARKERS)]


def lost_mark(diverged: bool, size: float) -> dict[str, Any]:
    """The look of the mark of a lost run: a cross where it diverged, a plus where something else ended it."""
    return {"marker": "X" if diverged else "P", "markersize": size, "linestyle": "", "markeredgewidth": 0.6}


def legend(figure: Figure, keys: Sequence[tuple[Line2D, str]], corner: tuple[float, float], columns: int = 0) -> None:
    """Add a legend in rows whose lower left corner is at ``corner`` (inches); all on one row where ``columns`` is 0."""
    if not keys:
        return
    drawn = figure.legend(
        [key for key, _ in keys],
        [" "] * len(keys),
        loc="lower left",
        bbox_to_anchor=(corner[0] / figure.get_figwidth(), corner[1] / figure.get_figheight()),
        ncols=columns or len(keys),
        borderaxespad=0,
        borderpad=0,
        handlelength=2.4,
        handletextpad=0.6,
        columnspacing=1.4,
        labelspacing=0.3,
    )
    for entry, (_, text) in zip(drawn.get_texts(), keys, strict=True):
        entry.set_text(text)  # afterwards, since a legend would drop a label that begins with an underscore


def split_key(split: str, about: str = "") -> tuple[Line2D, str]:
    """The legend's entry of a split's lines."""
    face = INK if split == "train" else "white"
    key = Line2D(
        [],
        [],
        color=INK,
        linestyle=SPLIT_STYLES[split].dashes,
        linewidth=1.4,
        marker="o",
        markersize=4,
        markerfacecolor=face,
    )
    return key, f"{split}{about}"


def note(axes: Axes, text: str, width: float, pad: float = TITLE_PAD) -> None:
    """Write ``text`` right-aligned ``pad`` points above the panel, within ``width`` inches."""
    short = shorten(text, width * 72, SMALL)
    height = axes.get_window_extent().height / axes.figure.dpi * 72
    axes.text(1.0, 1 + pad / height, short, transform=axes.transAxes, size=SMALL, color=MUTED, ha="right", gid="note")
