"""The result of a sweep of rates: final loss and accuracy against the rate, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mlhw.plots.axes import percent, scale_values
from mlhw.plots.pair import LEFT, Room, pair
from mlhw.plots.rate_axes import rate_ticks, scale_losses, top_of
from mlhw.plots.rate_edges import above_note
from mlhw.plots.rate_marks import legend, lost_mark, note
from mlhw.plots.style import INK, MUTED, SMALL, SPLIT_STYLES, WRONG, look
from mlhw.plots.swept import Curve, best_of, by_rate, measured_on, rate_names
from mlhw.plots.text import text_width

NAMED: Final = 12  # rates up to which each is a tick; more have powers of ten
_MANY: Final = 24  # rates from which the marks shrink
_LOST_ROOM: Final = 0.14  # of the axis, kept free at the edge at which lost runs are marked
_INSIDE: Final = 0.045  # of the axis, from that edge to the marks
_TITLE: Final = 1.2  # inches of a panel's title line that its title takes


def draw_final(curves: Sequence[Curve], title: str = "") -> Figure:
    """A figure of the last loss and accuracy of every rate, by split, the best one marked.

    Where the reported epoch (best on val) is not the last, its value is a small ring beside the last one. A lost run is a
    cross at the edge, at its rate.

    Raises:
        ValueError: there is no curve, or a rate is not a positive number.
    """
    with look():
        found = pair(Room(10.0, 3.2, 0.2, 0.52, 0.52, 0.88), title)
        final = _Final(by_rate(curves), found.panel)
        final.draw(found.loss, "loss")
        final.draw(found.accuracy, "accuracy")
        legend(found.figure, final.keys(), (LEFT, found.top + 0.55))
    return found.figure


class _Final:
    """The curves in the order of their rates, and what is drawn of each: one value a split."""

    def __init__(self, curves: Sequence[Curve], width: float) -> None:
        self.curves, self.names, self.width = curves, rate_names(curves), width
        self.done = [curve for curve in curves if not curve.why_lost]
        self.best = best_of(curves)
        self.split = measured_on(curves)
        self.splits = [split for split in SPLIT_STYLES if any(curve.of(split) for curve in self.done)]
        self.size = 6.0 if len(curves) < _MANY else 3.5

    def draw(self, axes: Axes, quantity: str) -> None:
        """Draw the panel of one quantity."""
        last = {split: self._values(split, quantity, reported=False) for split in self.splits}
        reported = {split: self._values(split, quantity, reported=True) for split in self.splits}
        every = [*last.values(), *reported.values()] or [np.zeros(0)]
        top = top_of(list(np.stack(list(last.values()), 1))) if quantity == "loss" and last else np.inf
        values = np.concatenate([some[some <= top] for some in every])
        if quantity == "loss":
            scale_losses(axes, values)
        else:
            scale_values(axes, values, quantity)
        self._scale_rates(axes)
        axes.grid(visible=len(values) > 0)
        axes.set_title("Final loss" if quantity == "loss" else "Final accuracy (%)", pad=20)
        for split in self.splits:
            self._add(axes, quantity, split, last[split], reported[split])
        self._mark_lost(axes, quantity)
        if quantity == "loss":
            self._mark_above(axes, last)
        self._mark_best(axes, quantity)

    def _values(self, split: str, quantity: str, reported: bool) -> Any:
        rows = [curve.reported(split) if reported else curve.last(split) for curve in self.done]
        return np.array([getattr(row, quantity) if row else np.nan for row in rows], float)

    def _scale_rates(self, axes: Axes) -> None:
        rates = [curve.lr for curve in self.curves]
        low, high = min(rates), max(rates)
        room = (high / low) ** 0.068 if high > low else 3.0
        axes.set_xscale("log")
        axes.set_xlim(low / room, high * room)
        once = {curve.lr: curve for curve in self.curves}
        names = rate_names(list(once.values())) if len(once) <= NAMED else []
        rate_ticks(axes.xaxis, list(once), names, self.width)
        axes.set_xlabel("learning rate")

    def _add(self, axes: Axes, quantity: str, split: str, last: Any, reported: Any) -> None:
        """Draw one split: its last values, joined between neighbours that both finished, and the reported ones."""
        style, rates = SPLIT_STYLES[split], np.array([curve.lr for curve in self.done])
        axes.plot(*self._gapped(last), color=style.colour, linestyle=style.dashes, linewidth=1.4, zorder=2,
                  gid=f"joined-{quantity}-{split}")  # fmt: skip
        look: dict[str, Any] = {"color": style.colour, "linestyle": "", "marker": style.marker, "markersize": self.size}
        face = style.colour if split == "train" else "white"
        axes.plot(rates, last, markerfacecolor=face, zorder=3, gid=f"{quantity}-{split}", **look)
        other = np.isfinite(reported) & np.isfinite(last) & (reported != last)
        if other.any():
            ends = (rates[other], last[other], reported[other])
            axes.vlines(*ends, color=style.colour, linewidth=0.9, alpha=0.7, zorder=2)
            look |= {"marker": "o", "markersize": self.size - 1.5, "markerfacecolor": "none", "markeredgewidth": 1.1}
            axes.plot(ends[0], ends[2], zorder=4, gid=f"{quantity}-{split}-reported", **look)

    def _gapped(self, last: Any) -> tuple[list[float], list[float]]:
        """Rates and values with a gap at each lost run."""
        values = iter(last.tolist())
        return [curve.lr for curve in self.curves], [np.nan if c.why_lost else next(values) for c in self.curves]

    def _mark_lost(self, axes: Axes, quantity: str) -> None:
        """Widen the axis at the edge, and put a mark there for each lost run, at its rate."""
        if len(self.done) == len(self.curves):
            return
        low, high = axes.get_ylim()
        if axes.get_yscale() == "log":  # a loss axis: upwards
            place = high * (high / low) ** (_LOST_ROOM - _INSIDE)
            axes.set_ylim(low, high * (high / low) ** _LOST_ROOM)
        else:
            side, edge = (1, high) if quantity == "loss" else (-1, low)
            place = edge + side * (_LOST_ROOM - _INSIDE) * (high - low)
            far = edge + side * _LOST_ROOM * (high - low)
            axes.set_ylim(min(low, far), max(high, far))
        for diverged in (True, False):
            rates = [curve.lr for curve in self.curves if curve.why_lost and curve.diverged == diverged]
            mark = lost_mark(diverged, self.size + 1.5) | {"color": WRONG, "markeredgecolor": "white"}
            axes.plot(rates, [place] * len(rates), zorder=5, gid="diverged" if diverged else "failed", **mark)

    def _mark_above(self, axes: Axes, last: Mapping[str, Any]) -> None:
        """A triangle at the upper edge for each loss above it, and a note with the rates."""
        high = axes.get_ylim()[1]
        above = sorted({at for some in last.values() for at in np.flatnonzero(some > high).tolist()})
        if not above:
            return
        look: dict[str, Any] = {"marker": "^", "markersize": self.size + 1, "markeredgecolor": INK, "linestyle": ""}
        rates = [self.done[at].lr for at in above]
        axes.plot(rates, [high] * len(rates), color=MUTED, clip_on=False, zorder=5, gid="above", **look)
        most = max(float(np.nanmax(some)) for some in last.values())
        names = [self._name(self.done[at]) for at in above]
        note(axes, above_note(names, most), self.width - _TITLE, pad=8)

    def _name(self, curve: Curve) -> str:
        return next(name for name, one in zip(self.names, self.curves, strict=True) if one is curve)

    def _mark_best(self, axes: Axes, quantity: str) -> None:
        """An upright and a ring at the rate with the best held-out accuracy, and its value above the panel."""
        found = [(curve, row) for curve in self.best if (row := curve.reported(self.split))]
        look: dict[str, Any] = {"marker": "o", "markersize": self.size + 6, "markerfacecolor": "none"}
        look |= {"markeredgecolor": INK, "markeredgewidth": 1.3}
        for curve, row in found:
            axes.axvline(curve.lr, color=MUTED, linewidth=0.9, linestyle=":", zorder=1)
            axes.plot([curve.lr], [getattr(row, quantity)], zorder=6, gid="best", **look)
        if found and quantity == "accuracy":
            curve, row = found[0]
            who = self._name(curve) if len(found) == 1 else f"{len(found)} rates alike"
            self._label(axes, f"best {self.split}: {who}, {percent(row.accuracy)}", curve.lr)

    def _label(self, axes: Axes, text: str, rate: float) -> None:
        """Write ``text`` above the panel at ``rate``, moved in where it would stand out at a side."""
        half = text_width(text, SMALL) / 72 / 2 / self.width
        x = axes.transAxes.inverted().transform(axes.transData.transform((rate, axes.get_ylim()[0])))[0]
        x = float(np.clip(x, half, 1 - half))
        axes.text(x, 1.02, text, transform=axes.transAxes, size=SMALL, ha="center", color=INK, gid="best-label")

    def keys(self) -> list[tuple[Line2D, str]]:
        """The legend."""
        keys = []
        long = any(len(curve.of("train")) > 1 for curve in self.done)
        for split in self.splits:
            style = SPLIT_STYLES[split]
            key = Line2D([], [], color=style.colour, linestyle=style.dashes, marker=style.marker, markersize=5)
            key.set_markerfacecolor(style.colour if split == "train" else "white")
            once = long and all(len(curve.of(split)) <= 1 for curve in self.done)
            keys.append((key, f"{split} ({'scored once' if once else 'last epoch'})"))
        if any(curve.reported(split) != curve.last(split) for curve in self.done for split in self.splits):
            ring = Line2D([], [], color=MUTED, linestyle="", marker="o", markersize=5, markerfacecolor="none")
            keys.append((ring, "at the reported epoch"))
        for diverged, text in ((True, "diverged"), (False, "failed")):
            if any(curve.why_lost and curve.diverged == diverged for curve in self.curves):
                cross = Line2D([], [], color=WRONG, markeredgecolor="white", **lost_mark(diverged, 8))
                keys.append((cross, text))
        return keys
