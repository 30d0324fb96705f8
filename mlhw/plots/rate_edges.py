"""What stands at the edges of a sweep's curves: lost runs, losses above the axis, the colour bar of the rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from mlhw.plots.rate_axes import rate_ticks
from mlhw.plots.rate_lines import RateLine
from mlhw.plots.rate_marks import DOTTED, lost_mark, norm, note, palette
from mlhw.plots.style import INK, MUTED, SMALL
from mlhw.plots.swept import Curve

_TITLE: Final = 0.6  # inches of a panel's title line that its title takes
_SPELT: Final = 3  # up to so many are named, more are counted


def mark_lost(axes: Axes, curves: Sequence[Curve], colours: Sequence[str], upwards: bool) -> None:
    """A cross at the edge where each lost run left, with a dotted way to it from its last value."""
    low, high = axes.get_ylim()
    edge = high if upwards else low
    for at, curve in enumerate(curves):
        if not curve.why_lost:
            continue
        if row := curve.last("train"):
            value = min(max(row.loss if upwards else row.accuracy, low), high)
            way = ([row.epoch, curve.lost_at], [value, edge])
            axes.plot(*way, color=colours[at], linestyle=DOTTED, linewidth=1.0, zorder=2)
        look = lost_mark(curve.diverged, 8) | {"color": colours[at], "markeredgecolor": INK}
        axes.plot([curve.lost_at], [edge], clip_on=False, zorder=6, gid=f"lost-{at}", **look)


def mark_above(
    axes: Axes, lines: Sequence[RateLine], names: Sequence[str], colours: Sequence[str], width: float
) -> None:
    """A triangle at the upper edge where a curve first leaves it, and a note with the rates; the panel is ``width`` inches."""
    high = axes.get_ylim()[1]
    above: dict[int, int] = {}
    for line in lines:
        if (line.values > high).any() and line.curve not in above:
            above[line.curve] = int(line.epochs[line.values > high][0])
    if not above:
        return
    look: dict[str, Any] = {"marker": "^", "markersize": 7, "markeredgecolor": INK, "markeredgewidth": 0.7}
    for at, epoch in above.items():
        axes.plot([epoch], [high], color=colours[at], clip_on=False, zorder=5, gid=f"above-{at}", **look)
    most = max(float(line.values.max()) for line in lines)
    note(axes, above_note([names[at] for at in sorted(above)], most), width - _TITLE)


def above_note(names: Sequence[str], most: float) -> str:
    """What is said of the rates called ``names`` whose losses, up to ``most``, lie above the axis."""
    who = ", ".join(names) if len(names) <= _SPELT else f"{len(names)} rates"
    return f"▲ above the axis: {who}, up to {most:.3g}"


def add_bar(axes: Axes, curves: Sequence[Curve]) -> None:
    """Draw the colour bar of the rates into ``axes``, with a cross at each rate that was lost."""
    rates = [curve.lr for curve in curves]
    axes.figure.colorbar(ScalarMappable(norm(rates), palette()), cax=axes)
    rate_ticks(axes.yaxis, rates)
    axes.set_title("rate", size=SMALL, weight="normal", color=MUTED, pad=4)
    for spine in axes.spines.values():
        spine.set_visible(False)
    lost = [curve.lr for curve in curves if curve.why_lost]
    axes.plot([-0.45] * len(lost), lost, "x", color=INK, markersize=3, clip_on=False, gid="bar-lost")
