"""Learning curves of settings that ran with several seeds: mean and spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mlhw.plots.axes import scale_epochs, scale_values, within
from mlhw.plots.band import Band, Ends, band, end_rows, end_values, with_spread
from mlhw.plots.ends import End, draw_ends, end_room
from mlhw.plots.pair import LEFT, QUANTITIES, Room, pair
from mlhw.plots.rate_axes import scale_losses, top_of
from mlhw.plots.rate_marks import TITLE_PAD, legend, marker, note, split_key
from mlhw.plots.style import BEST_MARK, MUTED, NORMAL, RUN_COLOURS, SMALL, SPLIT_STYLES, look
from mlhw.plots.text import shorten, text_width
from mlhw.protocols import EpochRow

WIDTH: Final = 11.0  # inches
MOST: Final = len(RUN_COLOURS)  # settings that can be told apart
OUTSTANDING: Final = (4, 1)  # of many settings: so many of the best, and of the worst
_GREY: Final = "#B0B0B0"
_LEGEND_LINE: Final = NORMAL * 1.42 / 72
_SAID: Final = 5.2  # inches of the line above the panels that the legend of splits takes
_KEY: Final = 40.0  # points that a legend entry takes beside its text


def draw_bands(
    groups: Mapping[str, Sequence[Sequence[EpochRow]]],
    title: str = "",
    reported: Mapping[str, Sequence[int | None]] | None = None,
) -> Figure:
    """A figure of loss and accuracy by epoch: of each setting the mean over its runs, ± one sample sd as a band.

    ``groups`` holds the rows of metrics.csv of each run by setting. Where runs ended at different epochs, the mean is over
    those that have the epoch and the band over at least two, which is said. ``reported`` has the epoch of each run whose
    weights are reported, None where it has none: there it has a ring, and of those values mean and deviation stand at the
    ends; without, of the last ones. Of more than ``MOST`` settings the best and the worst stand out, by that held-out accuracy;
    the rest are grey lines.

    Raises:
        ValueError: there is no setting, or one has no run.
    """
    if not groups:
        raise ValueError("no setting to draw")
    for name, runs in groups.items():
        if not runs:
            raise ValueError(f"setting {name!r} has no run to draw")
    with look():
        settings = _Settings(groups, reported or {})
        ends = {quantity: settings.ends(quantity) for quantity in QUANTITIES}
        keys = settings.keys()
        columns = min(len(keys), int((WIDTH - LEFT) * 72 / (max(text_width(text, NORMAL) for _, text in keys) + _KEY)))
        below = 0.62 + _LEGEND_LINE * math.ceil(len(keys) / max(columns, 1))
        right = max(end_room(some, settings.heads) for some in ends.values())
        found = pair(Room(WIDTH, 3.4, right, 0.62, below, 0.78), title)
        settings.draw(found.loss, "loss", ends["loss"], found.panel)
        settings.draw(found.accuracy, "accuracy", ends["accuracy"], found.panel)
        legend(found.figure, settings.split_keys(), (LEFT, found.top + 0.44))
        legend(found.figure, keys, (LEFT, 0.06), max(columns, 1))
        at = (1 - 0.1 / WIDTH, (found.top + 0.46) / found.figure.get_figheight())
        said = shorten(settings.uneven(), (WIDTH - _SAID) * 72, SMALL)
        found.figure.text(*at, said, size=SMALL, color=MUTED, ha="right", gid="note")
    return found.figure


class _Settings:
    """The settings with their bands, and how each is drawn."""

    def __init__(
        self, groups: Mapping[str, Sequence[Sequence[EpochRow]]], reported: Mapping[str, Sequence[int | None]]
    ) -> None:
        self.groups, self.names, self.reported = groups, list(groups), reported
        present = {row.split for runs in groups.values() for rows in runs for row in rows}
        self.splits = [split for split in SPLIT_STYLES if split in present]
        self.bands = {
            (name, split, quantity): band(runs, split, quantity)
            for name, runs in groups.items()
            for split in self.splits
            for quantity in QUANTITIES
        }
        # Of val and test the one that is a curve, val first: as in single runs, test may be scored once.
        curved = [s for s in self.splits if any(len(self.bands[name, s, "loss"].epochs) > 1 for name in groups)]
        self.held = next(
            (s for s in ("val", "test") if s in curved), next((s for s in ("val", "test") if s in present), "")
        )
        self.shown = [split for split in ("train", self.held) if split in self.splits]
        self.marked = any(epoch for epochs in reported.values() for epoch in epochs)
        self.heads = ("", f"{'reported' if self.marked else 'last'} {self.held or 'train'}")
        self.named = self._named()

    def _named(self) -> list[str]:
        """The settings that stand out: all, or the best and the worst of many."""
        if len(self.names) <= MOST:
            return self.names
        ranked = sorted(self.names, key=lambda name: -self._ends(name, "accuracy").mean)
        best, worst = OUTSTANDING
        return [*ranked[:best], *ranked[len(ranked) - worst :]]

    def _ends(self, name: str, quantity: str) -> Ends:
        return end_values(self.groups[name], self.held or "train", quantity, self.reported.get(name, ()))

    def ends(self, quantity: str) -> list[End]:
        """What stands at the end of each setting that is named: the mean ± sd of its runs' values."""
        ends = []
        for name in self.named:
            last, style = self._ends(name, quantity), self.look(name, bool(self.held))
            if not last.n:
                ends.append(End("", "no value", 1.0, -math.inf, style))
                continue
            found, scale = self.bands[name, self.held or "train", quantity], 100 if quantity == "accuracy" else 1
            value = with_spread(scale * last.mean, scale * last.deviation, quantity)
            ends.append(End("", value, float(found.epochs[-1]), float(found.mean[-1]), style))
        return ends

    def look(self, name: str, held: bool = False) -> dict[str, Any]:
        """Colour and marker of a setting: full for train, hollow for what is held out."""
        at = self.named.index(name) if name in self.named else -1
        colour = RUN_COLOURS[at % MOST] if at >= 0 else _GREY
        face = "white" if held else colour
        look = {"color": colour, "markersize": 4.0, "markerfacecolor": face, "markeredgecolor": colour}
        return look | {"marker": marker(at) if at >= 0 else ""}

    def draw(self, axes: Axes, quantity: str, ends: Sequence[End], width: float) -> None:
        """Draw the panel of one quantity."""
        bands = {(name, split): self.bands[name, split, quantity] for split in self.shown for name in self.names}
        epochs = [int(epoch) for found in bands.values() for epoch in found.epochs] or [1]
        scale_epochs(axes, min(epochs), max(epochs))
        edges = [self._rings(quantity), *(self._edges(found, quantity) for found in bands.values())]
        if quantity == "loss":
            top = top_of([found.mean for found in bands.values()])
            scale_losses(axes, np.concatenate([some[some <= top] for some in edges]))
            high = axes.get_ylim()[1]
            if above := [name for name in self.names if any((bands[name, s].mean > high).any() for s in self.shown)]:
                said = ", ".join(above) if len(above) <= 2 else f"{len(above)} settings"
                note(axes, f"▲ above the axis: {said}", width - 0.6)
        else:
            scale_values(axes, np.concatenate(edges), quantity)
        axes.set_title("Loss" if quantity == "loss" else "Accuracy (%)", pad=TITLE_PAD)
        for (name, split), found in bands.items():
            self._add(axes, quantity, name, split, found)
        self._ring(axes, quantity)
        draw_ends(axes, ends, self.heads)

    @staticmethod
    def _edges(found: Band, quantity: str) -> Float[np.ndarray, " values"]:
        """What an axis has to show of a band; a lower edge at or below 0 does not make a loss axis linear."""
        spread = np.nan_to_num(found.deviation)
        low, high = found.mean - spread, found.mean + spread
        low = np.where(low > found.mean / 3, low, found.mean) if quantity == "loss" else np.maximum(low, 0)
        return np.concatenate([low, found.mean, high if quantity == "loss" else np.minimum(high, 1)])

    def _add(self, axes: Axes, quantity: str, name: str, split: str, found: Band) -> None:
        """Draw the mean of one setting and split, and its band where at least two runs have it."""
        if not len(found.epochs):
            return
        style, stands_out = self.look(name, split != "train"), name in self.named
        step = max(1, len(found.epochs) // 5)
        at = self.names.index(name)
        marked = list(range(at * step // 3 % step, len(found.epochs), step)) if stands_out else []
        axes.plot(
            found.epochs,
            found.mean,
            linestyle=SPLIT_STYLES[split].dashes,
            linewidth=1.6 if stands_out else 0.8,
            markevery=marked,
            zorder=3 if stands_out else 1.5,
            gid=f"{quantity}-{split}-{at}",
            **(style | ({"markersize": 7} if len(found.epochs) == 1 else {})),
        )
        if stands_out and (found.n > 1).any():
            low, high = found.mean - found.deviation, found.mean + found.deviation
            if axes.get_yscale() == "log":
                low = np.maximum(low, axes.get_ylim()[0])
            if len(found.epochs) == 1:
                axes.vlines(found.epochs, low, high, color=style["color"], linewidth=2, alpha=0.5)
            else:
                axes.fill_between(found.epochs, low, high, color=style["color"], alpha=0.16, linewidth=0, zorder=2,
                                  gid=f"band-{quantity}-{split}-{at}")  # fmt: skip

    def _reported_rows(self, name: str) -> list[EpochRow]:
        return end_rows(self.groups[name], self.held or "train", self.reported.get(name, ())) if self.marked else []

    def _rings(self, quantity: str) -> Float[np.ndarray, " rings"]:
        return np.array([getattr(row, quantity) for name in self.named for row in self._reported_rows(name)], float)

    def _ring(self, axes: Axes, quantity: str) -> None:
        """A ring at the reported epoch of each run of a setting that is named, at its own held-out value."""
        for name in self.named if self.marked else ():
            rows = self._reported_rows(name)
            look = BEST_MARK | {"markersize": 5.5, "markeredgewidth": 1.0, "markeredgecolor": self.look(name)["color"]}
            found = [(row.epoch, getattr(row, quantity)) for row in rows if within(axes, getattr(row, quantity))]
            axes.plot([epoch for epoch, _ in found], [value for _, value in found], "o", zorder=4, gid="best", **look)

    def uneven(self) -> str:
        """What to say where runs of a setting ended at different epochs."""
        lengths = [[max((row.epoch for row in rows), default=0) for rows in runs] for runs in self.groups.values()]
        uneven = [some for some in lengths if min(some) != max(some)]
        if not uneven:
            return ""
        which = f"{len(uneven)} settings" if len(uneven) > 1 else next(
            name for name, some in zip(self.names, lengths, strict=True) if min(some) != max(some)
        )  # fmt: skip
        first, last = min(min(some) for some in uneven), max(max(some) for some in uneven)
        return (
            f"{which}: runs ended at epochs {first} to {last}; means are over those that go on, bands over two or more"
        )

    def keys(self) -> list[tuple[Line2D, str]]:
        """The legend of the settings, each with its number of runs."""
        width = (WIDTH - LEFT) * 72 - 2 * _KEY
        keys = []
        for name in self.named:
            text = f"{shorten(name, width, NORMAL)} (n = {len(self.groups[name])})"
            keys.append((Line2D([], [], linewidth=1.8, **self.look(name)), text))
        if rest := len(self.names) - len(self.named):
            said = f"{rest} other settings (the {OUTSTANDING[0]} best and the worst stand out)"
            keys.append((Line2D([], [], color=_GREY, linewidth=1.0), said))
        return keys

    def split_keys(self) -> list[tuple[Line2D, str]]:
        """The legend of the dashes, and of the rings."""
        keys = [split_key(split, " (mean ± sd)") for split in self.shown]
        if self.marked:
            look = BEST_MARK | {"markersize": 5.5, "markeredgewidth": 1.0, "markeredgecolor": MUTED}
            keys.append((Line2D([], [], linestyle="", marker="o", **look), "reported epoch of a run"))
        return keys
