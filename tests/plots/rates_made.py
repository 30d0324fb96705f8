"""Made-up runs at several rates, and what a figure shows of them."""

from __future__ import annotations

import math
from collections.abc import Callable

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mlhw.plots.swept import Curve
from mlhw.protocols import EpochRow

Faults = Callable[[Figure], list[str]]
INF = "the training loss became inf at epoch 3, step 12. Try a smaller train.lr."
KILLED = "the worker was killed by signal 9 (out of memory?)"


def rows(losses: list[float], split: str = "train") -> list[EpochRow]:
    return [EpochRow(epoch, split, loss, math.exp(-loss), 0.1, 1.0) for epoch, loss in enumerate(losses, start=1)]


def curve(lr: float, epochs: int = 8, lost: str = "", splits: str = "train val", end: bool = True) -> Curve:
    """A made-up run: the loss falls the faster the larger the rate, and a test row is at the best epoch."""
    losses = [2.3 * math.exp(-0.5 * lr**0.2 * epoch) + 0.05 for epoch in range(1, epochs + 1)]
    found = [row for k, split in enumerate(splits.split()) for row in rows([x * (1 + k / 9) for x in losses], split)]
    best = max(1, epochs - 2)
    if lost:
        return Curve(f"lr {lr:g}", lr, found, lost)
    return Curve(
        f"lr {lr:g}", lr, [*found, EpochRow(best, "test", 0.2, 0.9, lr, 1.0)] if end else found, best_epoch=best
    )


def rates(count: int, low: float = 1e-5, high: float = 1e3) -> list[float]:
    return [low * (high / low) ** (k / max(count - 1, 1)) for k in range(count)]


def sweep(count: int, dead: int = 1) -> list[Curve]:
    """``count`` rates over 8 powers of ten, of which the ``dead`` largest diverged, the very largest at once."""
    some = rates(count)
    lost = [curve(lr, k, INF) for k, lr in enumerate(reversed(some[count - dead :]))]
    return [curve(lr) for lr in some[: count - dead]] + lost


def lines(figure: Figure, panel: int, start: str) -> dict[str, Line2D]:
    """The lines of a panel whose name begins with ``start``."""
    return {gid: line for line in figure.axes[panel].lines if (gid := str(line.get_gid())).startswith(start)}


def texts(figure: Figure, gid: str, panel: int = 0) -> list[str]:
    return [text.get_text() for text in figure.axes[panel].texts if text.get_gid() == gid]


def legends(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


TITLES = ["", "a-very-long_name $x$ <b> " * 12]
