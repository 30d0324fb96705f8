"""The learning curves of a sweep of rates: loss and accuracy of all rates on shared axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mlhw.plots.axes import percent, scale_epochs, scale_values, within
from mlhw.plots.ends import End, draw_ends, end_room
from mlhw.plots.pair import LEFT, QUANTITIES, Room, pair
from mlhw.plots.rate_axes import scale_losses, top_of
from mlhw.plots.rate_edges import add_bar, mark_above, mark_lost
from mlhw.plots.rate_lines import RateLine, rate_lines
from mlhw.plots.rate_marks import TITLE_PAD, colours, legend, lost_mark, marker, split_key
from mlhw.plots.style import BEST_MARK, INK, MUTED, SPLIT_STYLES, look
from mlhw.plots.swept import Curve, best_of, by_rate, measured_on, rate_names

NAMED: Final = 12  # up to so many rates, each is named at the end of its line; more are told by a colour bar
_BAR: Final = 1.0  # inches that the colour bar takes at the right
_FEW: Final = 8  # a line with more points than this gets markers at some of them
_LONG: Final = 150  # epochs from which the noise of each is as fine as the line
_ONCE: Final[dict[str, Any]] = {"marker": "*", "markeredgecolor": INK, "markeredgewidth": 0.6, "markersize": 9}


def draw_rates(curves: Sequence[Curve], title: str = "") -> Figure:
    """A figure of loss and accuracy by epoch of every rate; colours and markers tell rates, dashes splits.

    A run that was lost ends in a cross at the epoch in which that happened, at the edge that its values ran into. The loss
    axis leaves room for what is ordinary (``rate_axes.top_of``); what lies above it is named, and marked at its edge.

    Raises:
        ValueError: there is no curve, or a rate is not a positive number.
    """
    with look():
        sweep = _Sweep(by_rate(curves))
        ends = {quantity: sweep.ends(quantity) for quantity in QUANTITIES}
        right = max(end_room(some, sweep.heads) for some in ends.values())
        found = pair(Room(11.0, 3.7, right, 0.62, 0.52, 0.78, edge=_BAR if sweep.many else 0.0), title)
        sweep.draw(found.loss, "loss", ends["loss"], found.panel)
        sweep.draw(found.accuracy, "accuracy", ends["accuracy"], found.panel)
        if sweep.many:
            box, width = found.loss.get_position(), found.figure.get_figwidth()
            add_bar(found.figure.add_axes((1 - (_BAR - 0.1) / width, box.y0, 0.14 / width, box.height)), sweep.curves)
        legend(found.figure, sweep.keys(), (LEFT, found.top + 0.44))
    return found.figure


class _Sweep:
    """The curves in the order of their rates, and how each is drawn."""

    def __init__(self, curves: Sequence[Curve]) -> None:
        self.curves, self.many = curves, len(curves) > NAMED
        self.names, self.colours = rate_names(curves), colours(curves, exact=self.many)
        self.split = measured_on(curves) or "train"
        self.splits = [split for split in SPLIT_STYLES if any(curve.of(split) for curve in curves)]
        self.curved = [split for split in self.splits if any(len(curve.of(split)) > 1 for curve in curves)]
        lost = [curve for curve in curves if curve.why_lost]
        self.last = max([row.epoch for curve in curves for row in curve.rows] + [curve.lost_at for curve in lost])
        best = best_of(curves)[:1] if self.many else curves
        self.shown = [at for at, curve in enumerate(curves) if any(curve is one for one in best)]
        self.marked = any(curve.best_epoch for curve in curves if not curve.why_lost)
        last = f"{'reported' if self.marked else 'last'} {self.split}" if len(lost) < len(curves) else ""
        self.heads = ("best" if self.many else "rate", last) if self.shown else ("", "")

    def ends(self, quantity: str) -> list[End]:
        """The reported value of what is named: held out where there is any, or how it was lost."""
        ends = []
        for at in self.shown:
            curve, row = self.curves[at], self.curves[at].last(self.split)
            x, y, said = float(self.last), -np.inf, ""
            told = curve.reported(self.split)
            if curve.why_lost:
                y, said = (np.inf if quantity == "loss" else -np.inf), "diverged" if curve.diverged else "failed"
            elif row is not None and told is not None:
                x, y, value = float(row.epoch), getattr(row, quantity), getattr(told, quantity)
                said = f"{value:.3g}" if quantity == "loss" else percent(value)
            ends.append(End(self.names[at], said, x, y, self.mark(at, held=True)))
        return ends

    def mark(self, at: int, held: bool) -> dict[str, Any]:
        """The look of a marker: full for train, hollow for what is held out."""
        colour = self.colours[at]
        face = "white" if held else colour
        look = {"color": colour, "markerfacecolor": face, "markeredgecolor": colour}
        return look | {"marker": marker(at), "markersize": 4.5}

    def draw(self, axes: Axes, quantity: str, ends: Sequence[End], width: float) -> None:
        """Draw the panel of one quantity, ``width`` inches wide."""
        lines = rate_lines(self.curves, self.splits, quantity)
        every = [line.values for line in lines] or [np.zeros(0)]
        scale_epochs(axes, 1, self.last)
        top = top_of(every) if quantity == "loss" else np.inf
        values = np.concatenate([some[some <= top] for some in every])
        if quantity == "loss":
            scale_losses(axes, values)
        else:
            scale_values(axes, values, quantity)
        axes.set_title("Loss" if quantity == "loss" else "Accuracy (%)", pad=TITLE_PAD)
        axes.grid(visible=len(values) > 0)
        for line in lines:
            self._add(axes, quantity, line)
        self._ring(axes, quantity)
        mark_lost(axes, self.curves, self.colours, upwards=quantity == "loss")
        if quantity == "loss":
            mark_above(axes, lines, self.names, self.colours, width)
        draw_ends(axes, ends, self.heads)

    def _add(self, axes: Axes, quantity: str, line: RateLine) -> None:
        """Draw one line; of many, thin and without markers, but for the best."""
        held, point, bold = line.split != "train", len(line.epochs) == 1, self.many and line.curve in self.shown
        style = self.mark(line.curve, held) | {"markersize": 5 if point and not self.many else 3.6}
        if point and self.curved and line.split not in self.curved:
            style |= _ONCE | {"markerfacecolor": self.colours[line.curve]} | ({"markersize": 6.5} if self.many else {})
        width = 2.2 if bold else 0.8 if self.many else 1.4
        step = max(1, len(line.epochs) // 5) if len(line.epochs) > _FEW else 1
        marked = range(line.curve * step // 3 % step, len(line.epochs), step)
        axes.plot(
            line.epochs,
            line.values,
            linestyle=SPLIT_STYLES[line.split].dashes,
            linewidth=width if len(line.epochs) <= _LONG else 0.65 * width,
            markevery=list(marked) if point or bold or not self.many else [],
            alpha=0.5 if self.many and not (held or bold) else 0.85,
            zorder=4 if bold else 3 if held else 2,
            gid=f"{quantity}-{line.split}-{line.curve}",
            **style,
        )

    def _ring(self, axes: Axes, quantity: str) -> None:
        """A ring at the reported epoch of each run that is named, on its held-out line."""
        for at in self.shown:
            curve, row = self.curves[at], self.curves[at].reported(self.split)
            if curve.best_epoch and row is not None and not curve.why_lost and within(axes, getattr(row, quantity)):
                look = BEST_MARK | {"markeredgecolor": self.colours[at]}
                axes.plot([row.epoch], [getattr(row, quantity)], "o", zorder=5, gid="best", **look)

    def keys(self) -> list[tuple[Line2D, str]]:
        """The legend: what the dashes, the points and the crosses mean."""
        keys = [split_key(split) for split in self.curved]
        for split in self.splits:
            if split not in self.curved and self.curved:
                keys.append((Line2D([], [], color=INK, linestyle="", **_ONCE), f"{split} (scored once)"))
            elif split not in self.curved:
                keys.append(split_key(split))
        if self.marked:
            keys.append(
                (Line2D([], [], linestyle="", marker="o", markeredgecolor=MUTED, **BEST_MARK), "reported epoch")
            )
        for diverged, text in ((True, "diverged"), (False, "failed")):
            if any(curve.why_lost and curve.diverged == diverged for curve in self.curves):
                keys.append((Line2D([], [], color=MUTED, markeredgecolor=INK, **lost_mark(diverged, 7)), text))
        return keys
