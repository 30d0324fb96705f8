"""What the curves of a learning-rate sweep show: each finding one rule, with its constants and their reasons."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final

from mlhw.plots.swept import Curve, measured_on
from mlhw.runs.judge import judge

FALLING: Final = 0.05
"""Fall of the train loss into the last quarter of the epochs, as a share of what it was, that counts as still falling. The
share that ``runs.judge`` asks of the last fifth, so that the two do not contradict each other."""

STRETCH: Final = 4  # the end of a run is its last quarter

RISE: Final = 0.02
"""Rise of the train loss from one epoch to the next, as a share, that counts as one: less is the noise of the batches."""

OFTEN: Final = 0.25
"""Share of the epochs (after the first) in which the train loss rises from which a run oscillates."""

FEWEST_STEPS: Final = 4  # with fewer steps from epoch to epoch one rise would be a quarter of them

CONVERGED: Final = 0.95
"""Share of the way from the first train loss to the best last one that counts as having converged. The last few per cent
take most of the epochs of any run, and would make the one with the longest tail the slowest."""

CHANCE_LOSS: Final = 0.98
"""Share of ln(classes), the loss of the uniform guess, that a model which learned nothing does not fall below."""

CHANCE_SHARE: Final = 0.05
"""Share of the way from 1/classes to 1 up to which an accuracy is taken for chance: room for the largest class, which the
constant guess gets right, where classes differ somewhat in size."""

ERRORS: Final = 2.0
"""Standard errors of a difference below which two accuracies count as equal: the usual 95 % interval."""

BEHIND: Final = 0.01
"""Accuracy by which a rate must lie behind the best to be called worse, where the number of held-out rows is not given."""


@dataclass(frozen=True)
class Findings:
    """What the rules say of ``curves``, which are in the order of their rates.

    ``classes`` and the ``rows`` of each split (its number of examples) are used where they are known.
    """

    curves: Sequence[Curve]
    classes: int | None = None
    rows: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def finished(self) -> list[Curve]:
        """The curves that came to their end."""
        return [curve for curve in self.curves if not curve.why_lost]

    @cached_property
    def split(self) -> str:
        """What the rates are compared on: val, test or train; empty where nothing can be compared."""
        return measured_on(self.curves)

    def accuracy(self, curve: Curve) -> float:
        """The accuracy that ``curve`` is compared by: of the reported epoch."""
        row = curve.reported(self.split)
        return row.accuracy if row else -math.inf

    @cached_property
    def ranked(self) -> list[Curve]:
        """The finished curves, best first; equal ones from the smallest rate."""
        return sorted(self.finished, key=lambda curve: -self.accuracy(curve)) if self.split else []

    @cached_property
    def best(self) -> list[Curve]:
        """The curve that ended best; several where they are exactly equal."""
        return [curve for curve in self.ranked if self.accuracy(curve) == self.accuracy(self.ranked[0])]

    def gap(self, curve: Curve) -> float:
        """How far ``curve`` lies behind the best, as a share of the rows."""
        return self.accuracy(self.ranked[0]) - self.accuracy(curve)

    def error(self, curve: Curve) -> float | None:
        """The standard error of that gap: sqrt(p(1-p)/n + q(1-q)/n) over the n rows of the split, None where n is not known.

        It takes the two accuracies for independent. They are of the same rows, so the true error tends to be smaller.
        """
        count = self.rows.get(self.split, 0)
        shares = (self.accuracy(self.ranked[0]), self.accuracy(curve))
        return math.sqrt(sum(share * (1 - share) for share in shares) / count) if count else None

    def behind(self, curve: Curve) -> bool:
        """Whether ``curve`` is worse than the best by more than noise: ``ERRORS``, or ``BEHIND`` where they are not known."""
        error = self.error(curve)
        return self.gap(curve) > (BEHIND if error is None else ERRORS * error)

    @cached_property
    def level_with_best(self) -> list[Curve]:
        """Those that are not exactly equal to the best, but that the number of rows cannot tell from it."""
        unsure = [curve for curve in self.finished if curve not in self.best and not self.behind(curve)]
        return unsure if self.rows.get(self.split) and self.split else []

    @cached_property
    def still_falling(self) -> list[Curve]:
        """Finished curves whose train loss fell by ``FALLING`` or more over the last quarter of the epochs."""
        return [curve for curve in self.finished if (fall := late_fall(curve)) is not None and fall >= FALLING]

    @cached_property
    def never_learned(self) -> list[Curve]:
        """Finished curves whose train loss and accuracy ended at chance and was not still falling; needs ``classes``."""
        return [curve for curve in self.finished if curve not in self.still_falling and self._at_chance(curve)]

    def _at_chance(self, curve: Curve) -> bool:
        row = curve.last("train")
        if not self.classes or self.classes < 2 or row is None:
            return False
        most = 1 / self.classes + CHANCE_SHARE * (1 - 1 / self.classes)
        return row.loss >= CHANCE_LOSS * math.log(self.classes) and row.accuracy <= most

    @cached_property
    def no_lower(self) -> list[Curve]:
        """Finished curves whose train loss ended no lower than in the first epoch, less those that never learned."""
        some = [curve for curve in self.finished if len(curve.of("train")) > 1 and curve not in self.never_learned]
        return [curve for curve in some if curve.of("train")[-1].loss >= curve.of("train")[0].loss]

    @cached_property
    def oscillating(self) -> list[Curve]:
        """Finished curves whose train loss rose in ``OFTEN`` of the steps between epochs, less those that never learned."""
        some = [curve for curve in self.finished if len(curve.of("train")) > FEWEST_STEPS]
        often = [curve for curve in some if rises(curve) >= OFTEN * (len(curve.of("train")) - 1)]
        return [curve for curve in often if curve not in self.never_learned]

    @cached_property
    def overfitting(self) -> list[Curve]:
        """Finished curves that ``runs.judge`` calls overfitting."""
        return [curve for curve in self.finished if judge(curve.rows, reported_epoch(curve)).verdict == "overfitting"]

    @cached_property
    def too_small(self) -> list[Curve]:
        """Rates below the best that ended behind it while their train loss was still falling: they lacked epochs."""
        return self._beside(lambda curve: curve.lr < min(c.lr for c in self.best) and curve in self.still_falling)

    @cached_property
    def too_large(self) -> list[Curve]:
        """Finished rates above the best that ended behind it without a train loss that still fell, and do not overfit."""
        fell = [curve for curve in self.finished if (fall := late_fall(curve)) is None or fall >= FALLING]
        stuck = [curve for curve in self.finished if curve not in fell and curve not in self.overfitting]
        return self._beside(lambda curve: curve.lr > max(c.lr for c in self.best) and curve in stuck)

    def _beside(self, wanted: Callable[[Curve], bool]) -> list[Curve]:
        return [curve for curve in self.finished if self.split and self.behind(curve) and wanted(curve)]

    @cached_property
    def way(self) -> tuple[float, float] | None:
        """The first and the last train loss of the way to go: the median first one and the lowest last one.

        The median, since a rate that is too large starts wherever it is thrown. None where fewer than two curves can be
        compared, or nothing fell.
        """
        some = [curve.of("train") for curve in self.finished if len(curve.of("train")) > 1]
        if len(some) < 2:
            return None
        first, last = statistics.median(rows[0].loss for rows in some), min(rows[-1].loss for rows in some)
        return (first, last) if first > last else None

    @cached_property
    def level(self) -> float:
        """The train loss at ``CONVERGED`` of the way; call only where there is a way."""
        first, last = self.way or (math.inf, math.inf)
        return last + (1 - CONVERGED) * (first - last)

    def converged_in(self, curve: Curve) -> int | None:
        """The first epoch in which the train loss of ``curve`` was at the level or below."""
        return next((row.epoch for row in curve.of("train") if row.loss <= self.level), None)


def late_fall(curve: Curve) -> float | None:
    """The fall of the mean train loss from the last but one quarter of the epochs to the last; None for one epoch.

    As a share of what it was. Means, since single epochs of a rate that is too large jump.
    """
    rows = curve.of("train")
    if len(rows) < 2:
        return None
    stretch = max(1, len(rows) // STRETCH)
    late = statistics.fmean(row.loss for row in rows[-stretch:])
    before = statistics.fmean(row.loss for row in rows[-2 * stretch : -stretch])
    return (before - late) / abs(before) if before else 0.0


def rises(curve: Curve) -> int:
    """How often the train loss rose by more than ``RISE`` of itself from one epoch to the next."""
    rows = curve.of("train")
    return sum(later.loss - row.loss > RISE * abs(row.loss) for row, later in pairwise(rows))


def reported_epoch(curve: Curve) -> int:
    """The epoch whose weights are reported."""
    return curve.best_epoch or max((row.epoch for row in curve.rows), default=1)
