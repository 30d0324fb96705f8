"""What a sweep of learning rates is drawn and discussed from: the curves of its runs. Without numpy and matplotlib."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mlhw.protocols import EpochRow

_NOT_FINITE: Final = re.compile(
    r"loss (became|was) (-?inf|nan)\b|weights became NaN"
)  # as errors.TrainingDiverged says it
_DIGITS: Final = 3  # of a rate that has more than six: enough for a label, where it still tells the rates apart


@dataclass(frozen=True, slots=True)
class Curve:
    """One run of a sweep: its base learning rate ``lr`` and the ``rows`` of its metrics.csv.

    ``lost`` says why the run ended early, in the words of its error; the rows go up to there. ``best_epoch`` is the epoch
    whose weights are reported, best on val; None for the last.
    """

    label: str
    lr: float
    rows: Sequence[EpochRow]
    lost: str = ""
    best_epoch: int | None = None

    def of(self, split: str) -> list[EpochRow]:
        """The finite rows of ``split`` by epoch; of an epoch that has several, the last."""
        by_epoch = {row.epoch: row for row in self.rows if row.split == split and _finite(row)}
        return [by_epoch[epoch] for epoch in sorted(by_epoch)]

    def last(self, split: str) -> EpochRow | None:
        """The last finite row of ``split``."""
        rows = self.of(split)
        return rows[-1] if rows else None

    def reported(self, split: str) -> EpochRow | None:
        """The row of ``split`` at the reported epoch; where it has none, its last."""
        found = [row for row in self.of(split) if row.epoch == self.best_epoch]
        return found[0] if found else self.last(split)

    @property
    def why_lost(self) -> str:
        """Why the run did not come to its end; empty for one that did. A loss that is not finite is a reason, said or not."""
        if self.lost:
            return self.lost
        bad = min((row for row in self.rows if not _finite(row)), key=lambda row: row.epoch, default=None)
        if bad is not None:
            return f"the {bad.split} loss was {bad.loss} at epoch {bad.epoch}"
        return "" if self.rows else "it has no finished epoch"

    @property
    def diverged(self) -> bool:
        """Whether a loss that is not finite ended the run, and not, say, a full disk."""
        return _NOT_FINITE.search(self.why_lost) is not None

    @property
    def lost_at(self) -> int:
        """The epoch in which a lost run was lost: the one after its last whole and finite one."""
        return 1 + max((row.epoch for row in self.of("train")), default=0)


def _finite(row: EpochRow) -> bool:
    return math.isfinite(row.loss) and math.isfinite(row.accuracy)


def by_rate(curves: Sequence[Curve]) -> list[Curve]:
    """``curves`` from the smallest rate to the largest, equal rates by label.

    Raises:
        ValueError: there is no curve, or a rate is not a positive number.
    """
    if not curves:
        raise ValueError("no curve: a sweep needs at least one learning rate")
    for curve in curves:
        if not (curve.lr > 0 and math.isfinite(curve.lr)):
            raise ValueError(f"curve {curve.label!r}: a learning rate is a positive number, got {curve.lr}")
    return sorted(curves, key=lambda curve: (curve.lr, curve.label))


def measured_on(curves: Sequence[Curve]) -> str:
    """The split on which the finished ones of ``curves`` are compared: val, else test, else train, which all of them have.

    Empty where no run finished, or they have no split in common.
    """
    finished = [curve for curve in curves if not curve.why_lost]
    splits = ("val", "test", "train") if finished else ()
    return next((split for split in splits if all(curve.of(split) for curve in finished)), "")


def best_of(curves: Sequence[Curve]) -> list[Curve]:
    """The finished curve with the best reported accuracy on the split that they are compared on; several if exactly equal."""
    split = measured_on(curves)
    found = [(row.accuracy, curve) for curve in curves if not curve.why_lost and (row := curve.reported(split))]
    most = max((accuracy for accuracy, _ in found), default=math.inf)
    return [curve for accuracy, curve in found if accuracy == most]


def rate_names(curves: Sequence[Curve]) -> list[str]:
    """What each of ``curves`` is called: its rate, in as few digits as tell the rates apart; its label for an equal rate."""
    rates = {curve.lr for curve in curves}
    names = {rate: _name(rate, _DIGITS) for rate in rates}
    for digits in range(_DIGITS + 1, 18):
        if len(set(names.values())) == len(rates):
            break
        names = {rate: _name(rate, digits) for rate in rates}
    shared = {rate for rate in rates if sum(curve.lr == rate for curve in curves) > 1}
    return [curve.label if curve.lr in shared else names[curve.lr] for curve in curves]


def _name(rate: float, digits: int) -> str:
    """``rate`` itself where six digits hold it, else rounded to ``digits``."""
    exact = f"{rate:g}"
    return exact if math.isclose(float(exact), rate, rel_tol=1e-12) else f"{rate:.{digits}g}"
