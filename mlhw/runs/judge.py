"""Underfitting, overfitting or generalizing: a verdict on a run, from the rows of its metrics.csv alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mlhw.protocols import EpochRow

Verdict = Literal["underfitting", "overfitting", "generalizing", "undecided"]

GAP: Final = 0.10
"""Train minus held-out accuracy that is overfitting by itself: one more row in ten is right for being known."""

LOSS_RISE: Final = 1.0
"""Rise of the held-out loss, as a share of its minimum, that is overfitting by itself: it doubled."""

LEAST_RISE: Final = 0.05
"""Nats. A smaller rise does not count: from 0.001 to 0.002 is a doubling too, and nothing."""

FITTED: Final = 0.80
"""Accuracy that a model must reach on train or held-out rows to count as fitted. Where the labels themselves are wrong
more often than one in five, no verdict by this rule can be right."""

GOOD: Final = 0.90
"""Held-out accuracy from which losses that still fall are no longer a fault: near 0 they fall for ever."""

FALLING: Final = 0.05
"""Fall of a loss over the last fifth of the epochs, as a share of what it was, that counts as still falling."""

_STRETCH: Final = 5  # the end of a run is its last fifth
_SMALLEST: Final = 1e-12  # a share of less than this is of nothing
_TAIL: Final = 3  # at most this many last losses stand for "at the end", by their median: one spike is not a rise


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, the numbers that it rests on (None where there are none), and a sentence that says why.

    ``gap`` is train minus held-out accuracy. ``loss_rise`` is how far the held-out loss ended above its minimum, as a
    share of that. ``train_fall`` and ``held_out_fall`` are how far the losses fell over the last fifth of the epochs, as
    a share of what they were (negative: they rose).
    """

    verdict: Verdict
    reason: str
    held_out: Literal["val", "test"] | None = None
    train_accuracy: float | None = None
    held_out_accuracy: float | None = None
    train_loss: float | None = None
    held_out_loss: float | None = None
    gap: float | None = None
    loss_rise: float | None = None
    train_fall: float | None = None
    held_out_fall: float | None = None

    def _repr_markdown_(self) -> str:
        """How a notebook shows it."""
        return self.reason.replace(self.verdict, f"**{self.verdict}**", 1)


def judge(rows: Sequence[EpochRow], reported_epoch: int) -> Judgement:
    """The verdict on a run with these ``rows``, whose weights of ``reported_epoch`` are reported. First match wins:

    1. *undecided*: no finite train row, or a fitted model without a held-out row.
    2. *underfitting, train longer*: both losses still fall (by ``FALLING``), and the model is either not fitted
       (``FITTED``) or its held-out accuracy is not good (``GOOD``) without any sign of overfitting. A gap that opens while
       both losses still fall is not yet the limit of the model.
    3. *overfitting*: ``gap / GAP + loss_rise / LOSS_RISE >= 1``. The two signs add up, since they are of one illness: a
       small gap with a loss that rose by half is as bad as a large gap alone. A rise counts only while the train loss
       fell; if both rose, the training is unstable, and that is something else.
    4. *underfitting*: neither train nor held-out accuracy reaches ``FITTED``. The better of the two, because dropout and
       augmentation lower the train accuracy alone.
    5. *generalizing* otherwise.

    Held out is val where it has a finite row, else test. Accuracies are those at ``reported_epoch`` (where that row is
    not finite, at the nearest earlier epoch, else the nearest later one); rises and falls are over the whole run.
    """
    finite = [row for row in rows if math.isfinite(row.loss) and math.isfinite(row.accuracy)]
    train = _of(finite, "train")
    if not train:
        return Judgement("undecided", "undecided: no epoch has a finite train loss.")
    name: Literal["val", "test"] | None = next((s for s in ("val", "test") if _of(finite, s)), None)
    held = _of(finite, name) if name else []
    common = {row.epoch for row in train} & {row.epoch for row in held}
    epoch = _nearest(common or {row.epoch for row in train}, reported_epoch)
    at = next(row for row in train if row.epoch == epoch)
    other = min(held, key=lambda row: abs(row.epoch - epoch)) if held else None
    facts = _Facts(at, other, name, _rise(train, held), _fall(train), _fall(held), len(finite) < len(rows))
    return facts.judgement()


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the rule looks at: the rows at the reported epoch, and the movements of the losses."""

    train: EpochRow
    held: EpochRow | None
    name: Literal["val", "test"] | None
    rise: float | None
    train_fall: float | None
    held_fall: float | None
    gaps: bool

    @property
    def gap(self) -> float:
        return self.train.accuracy - self.held.accuracy if self.held else 0.0

    def verdict(self) -> tuple[Verdict, str]:
        """The verdict and the clause that explains it."""
        held = self.held.accuracy if self.held else self.train.accuracy
        fitted = max(self.train.accuracy, held) >= FITTED
        signs = max(self.gap, 0.0) / GAP + (self.rise or 0.0) / LOSS_RISE
        # The held-out loss may be scored once only: then the train loss alone can tell that the end was not reached.
        falls = [self.train_fall] if self.held_fall is None else [self.train_fall, self.held_fall]
        falling = all(fall is not None and fall >= FALLING for fall in falls)
        if falling and signs < 1 and held < GOOD:
            return "underfitting", "the losses were still falling at the end: train longer"
        if falling and not fitted and self.held_fall is not None:
            return "underfitting", "both losses were still falling at the end: train longer"
        if signs >= 1:
            if self.gap < GAP:
                return "overfitting", f"the {self.name} loss rose while the train loss fell: stop earlier"
            return "overfitting", "what was learnt of the training rows does not carry over"
        if not fitted:
            return "underfitting", f"neither reaches {FITTED:.0%}, and the losses have levelled out"
        if self.held is None:
            return "undecided", "nothing was held out to compare with"
        return "generalizing", "what was learnt carries over to rows not trained on"

    def judgement(self) -> Judgement:
        """The verdict with its numbers and the sentence that has them in it."""
        verdict, why = self.verdict()
        held = self.held
        return Judgement(
            verdict=verdict,
            reason=f"{verdict}: {', '.join(self._numbers())}; {why}.",
            held_out=self.name,
            train_accuracy=self.train.accuracy,
            held_out_accuracy=held.accuracy if held else None,
            train_loss=self.train.loss,
            held_out_loss=held.loss if held else None,
            gap=self.gap if held else None,
            loss_rise=self.rise,
            train_fall=self.train_fall,
            held_out_fall=self.held_fall,
        )

    def _numbers(self) -> list[str]:
        said = [f"train accuracy {self.train.accuracy:.1%} (loss {self.train.loss:.3g})"]
        if self.held:
            said.append(f"{self.name} {self.held.accuracy:.1%} (loss {self.held.loss:.3g}) at epoch {self.train.epoch}")
        if self.rise:
            said.append(f"{self.name} loss up {self.rise:.0%} from its minimum")
        if self.train_fall is not None and self.train_fall >= FALLING:
            said.append(f"train loss down {self.train_fall:.0%} over the last fifth")
        if self.gaps:
            said.append("rows that are not finite left out")
        return said


def _of(rows: Iterable[EpochRow], split: str) -> list[EpochRow]:
    return sorted((row for row in rows if row.split == split), key=lambda row: row.epoch)


def _nearest(epochs: set[int], wanted: int) -> int:
    """The latest of ``epochs`` up to ``wanted``, else the earliest."""
    return max((epoch for epoch in epochs if epoch <= wanted), default=min(epochs))


def _rise(train: list[EpochRow], held: list[EpochRow]) -> float | None:
    """How far the held-out loss ended above its minimum, as a share of it; 0 where the train loss did not fall since."""
    if len(held) < 2:
        return None
    lowest = min(held, key=lambda row: row.loss)
    tail = max(1, min(_TAIL, len(held) // _STRETCH))
    end = statistics.median(row.loss for row in held[-tail:])
    before = [row.loss for row in train if row.epoch <= lowest.epoch]
    fell = not before or statistics.median(row.loss for row in train[-tail:]) < before[-1]
    if not fell or end - lowest.loss < LEAST_RISE:
        return 0.0
    return (end - lowest.loss) / max(lowest.loss, LEAST_RISE)


def _fall(rows: list[EpochRow]) -> float | None:
    """How far the loss fell over the last fifth of ``rows``, as a share of what it was; None for a single row."""
    if len(rows) < 2:
        return None
    stretch = max(1, len(rows) // _STRETCH)
    late = statistics.fmean(row.loss for row in rows[-stretch:])
    early = statistics.fmean(row.loss for row in rows[-2 * stretch : -stretch])
    return (early - late) / max(abs(early), _SMALLEST)
