"""What is written about the lines of a figure: their reported values at their ends, and the epoch that was best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mlhw.plots.axes import percent
from mlhw.plots.series import Series, held_out
from mlhw.plots.style import BEST_MARK, MUTED, SMALL, SPLIT_STYLES
from mlhw.plots.text import spread, text_width

END_LABEL: Final = 0.52  # inches from the panel's edge to the text of a label
_KEY: Final = (0.16, 0.46)  # inches from the panel's edge to the ends of a label's key
_LINE: Final = SMALL * 1.35  # points from one label to the next


@dataclass(frozen=True, slots=True, eq=False)
class EndLabel:
    """The ``text`` that belongs at the end of ``line``."""

    line: Series
    text: str


def end_labels(lines: Sequence[Series], quantity: str, best: Sequence[int | None]) -> list[EndLabel]:
    """The value of every line of a single run; of several runs, that of the line that tells most of each.

    It is the one at the run's epoch of ``best``, which tables have too; the last one where that is not known.
    """
    if any(line.several for line in lines):
        return [EndLabel(line, _value(line, quantity, best)) for line in held_out(lines)]
    return [EndLabel(line, f"{line.split} {_value(line, quantity, best)}") for line in lines]


def _value(line: Series, quantity: str, best: Sequence[int | None]) -> str:
    value = line.reported(best[line.run])
    if not np.isfinite(value):
        return "not finite"
    return percent(value) if quantity == "accuracy" else f"{value:.4g}"


def label_room(labels: Sequence[EndLabel], best: Sequence[int | None]) -> float:
    """The inches right of the panel that :func:`draw_end_labels` takes."""
    widest = max((text_width(label.text, SMALL) for label in labels), default=0.0) / 72
    return max(END_LABEL + widest, _KEY[0] + text_width(head_of(labels, best), SMALL) / 72) + 0.1


def draw_end_labels(axes: Axes, labels: Sequence[EndLabel], best: Sequence[int | None]) -> None:
    """Write ``labels`` right of the panel, each at the height of its line's end or as near as the others allow.

    Above them stands which epoch they are of. Nothing is written where there are more labels than lines of text have room.
    """
    box = axes.get_window_extent()
    width, height = box.width / axes.figure.dpi, box.height / axes.figure.dpi  # inches
    if len(labels) * _LINE > height * 72:
        return
    ends = [_end(axes, label.line) for label in labels]
    gap = _LINE / 72 / height
    heights = spread([end[1] for end in ends], gap, gap / 2, 1 - gap / 2)
    for label, end, at in zip(labels, ends, heights, strict=True):
        line, first, last = label.line, 1 + _KEY[0] / width, 1 + _KEY[1] / width
        style = SPLIT_STYLES[line.split]
        if not line.is_point:
            xs, ys = [end[0], 1.0, first - 0.02 / width], [end[1], end[1], at]
            _add(axes, Line2D(xs, ys, color=line.colour, linewidth=0.6, alpha=0.7))
            _add(
                axes, Line2D([first, last], [at, at], color=line.colour, linestyle=style.dashes, linewidth=style.width)
            )
        if line.is_point or line.several:
            middle = (first + last) / 2
            _add(axes, Line2D([middle], [at], color=line.colour, marker=line.marker, markersize=5, linestyle=""))
        axes.text(
            1 + END_LABEL / width, at, label.text, transform=axes.transAxes, size=SMALL, va="center_baseline", gid="end"
        )
    if header := head_of(labels, best):
        axes.text(
            1 + _KEY[0] / width,
            1 + 4 / 72 / height,
            header,
            transform=axes.transAxes,
            size=SMALL,
            color=MUTED,
            gid="head",
        )


def head_of(labels: Sequence[EndLabel], best: Sequence[int | None]) -> str:
    """What stands above: which values ``labels`` are: of a single run the epoch, of several whether of the reported epoch."""
    epochs = [best[label.line.run] for label in labels]
    if not labels:
        return ""
    if not labels[0].line.several:
        return "last" if epochs[0] is None else f"epoch {epochs[0]}"
    splits = {label.line.split for label in labels}
    which = "reported" if all(epochs) else "last" if not any(epochs) else "reported or last"
    return f"{which} {splits.pop() if len(splits) == 1 else 'value'}"


def _end(axes: Axes, line: Series) -> tuple[float, float]:
    """Where the finite part of ``line`` ends, in fractions of the panel; the lower right corner where it has none."""
    finite = np.flatnonzero(np.isfinite(line.values))
    if not len(finite):
        return 1.0, 0.0
    at = axes.transData.transform((line.epochs[finite[-1]], line.values[finite[-1]]))
    x, y = axes.transAxes.inverted().transform(at)
    return float(x), float(np.clip(y, 0.0, 1.0))


def _add(axes: Axes, line: Line2D) -> None:
    """Add ``line``, given in fractions of the panel, where it may stand outside of it."""
    line.set_transform(axes.transAxes)
    line.set_clip_on(False)
    axes.add_artist(line)


def draw_best_epoch(axes: Axes, lines: Sequence[Series], best: Sequence[int | None]) -> None:
    """Mark the reported epoch of each run by a ring on its ``lines``; for a single run also by a labelled upright."""
    if lines and not lines[0].several and (epoch := best[lines[0].run]) is not None:
        axes.axvline(epoch, color=MUTED, linewidth=0.9, linestyle=":", zorder=1)
        _label_upright(axes, epoch, f"best epoch {epoch}")
    for line in lines:
        epoch, value = best[line.run], line.at(best[line.run])
        if epoch is None:
            continue
        if np.isfinite(value):
            axes.plot(epoch, value, "o", color=line.colour, zorder=4, gid="best", **BEST_MARK)


def _label_upright(axes: Axes, epoch: int, text: str) -> None:
    """Write ``text`` just above the panel at ``epoch``, moved in where it would stand out at a side."""
    half = text_width(text, SMALL) / 72 / 2 * axes.figure.dpi
    box = axes.get_window_extent()
    at = axes.transData.transform((epoch, axes.get_ylim()[0]))[0]
    middle = float(np.clip(at, box.x0 + half, box.x1 - half))
    x = (middle - box.x0) / box.width
    axes.text(x, 1.015, text, transform=axes.transAxes, size=SMALL, ha="center", color=MUTED, gid="best-label")
