"""A short discussion of a learning-rate sweep in plain sentences, each computed from the curves by a rule of ``findings``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from mlhw.plots.swept import Curve, by_rate, rate_names
from mlhw.sweeps.advice import advise
from mlhw.sweeps.findings import CONVERGED, ERRORS, STRETCH, Findings, late_fall, rises
from mlhw.sweeps.wording import clause, joined, percent, points

_RUN: Final = 4  # from so many neighbours on, a list of rates says only its ends and its length
_SPELT: Final = 3  # up to so many curves, each gets its own number or reason


def discuss(curves: Sequence[Curve], *, classes: int | None = None, rows: Mapping[str, int] | None = None) -> list[str]:
    """What the curves of a learning-rate sweep show, in sentences: what ended best and by how much, what failed, what next.

    Args:
        curves: one a rate, in any order.
        classes: the number of classes, which says what guessing would give; without it "never learned" is never said.
        rows: examples by split ("val", "test"), which say how sure an accuracy is; without them nothing is said of it.

    Raises:
        ValueError: there is no curve, or a rate is not a positive number.
    """
    ordered = by_rate(curves)
    words = _Words(
        Findings(ordered, classes, rows or {}), dict(zip(map(id, ordered), rate_names(ordered), strict=True))
    )
    rules = (
        *(words.best, words.choice, words.certainty, words.fastest, words.falling, words.small, words.large),
        *(words.unlearned, words.not_lower, words.unsteady, words.overfitted, words.diverged, words.failed),
    )
    return list(filter(None, [*(rule() for rule in rules), advise(words.found)]))


class _Words:
    """Each method says one finding, or returns an empty text where it does not hold."""

    def __init__(self, found: Findings, names: Mapping[int, str]) -> None:
        self.found, self.names = found, names

    def _name(self, curve: Curve) -> str:
        return self.names[id(curve)]

    def _list(self, curves: Sequence[Curve]) -> str:
        """The names of ``curves`` in the order of their rates; from ``_RUN`` neighbours on as "a to b (n rates)"."""
        wanted = {id(curve) for curve in curves}
        stretches: list[list[Curve]] = [[]]
        for curve in self.found.curves:
            if id(curve) in wanted:
                stretches[-1].append(curve)
            elif stretches[-1]:
                stretches.append([])
        said: list[str] = []
        for some in filter(None, stretches):
            names = [self._name(curve) for curve in some]
            said += names if len(some) < _RUN else [f"{names[0]} to {names[-1]} ({len(some)} rates)"]
        return joined(said)

    def best(self) -> str:
        found, best = self.found, self.found.best
        if not best:
            return self._no_comparison()
        share = found.accuracy(best[0])
        row = best[0].reported(found.split)
        if len(found.curves) == 1:
            return f"The only learning rate, {self._name(best[0])}, ended with {percent(share)} {found.split} accuracy."
        where = f" at epoch {row.epoch}" if row and len(best) == 1 else ""
        head = f"{percent(share)} {found.split} accuracy{where}"
        after = next((curve for curve in found.ranked if curve not in best), None)
        if len(best) > 1:
            head = f"Learning rates {self._list(best)} ended equally well, with {head}"
        else:
            head = f"Learning rate {self._name(best[0])} ended best, with {head}"
        if after is None:
            return f"{head}; no other rate came to its end." if len(best) == 1 else f"{head}."
        level = [curve for curve in found.ranked if found.accuracy(curve) == found.accuracy(after)]
        return f"{head}, {points(found.gap(after))} ahead of {self._list(level)} ({percent(found.accuracy(after))})."

    def _no_comparison(self) -> str:
        if self.found.finished:
            return "The runs have no split in common, so their results cannot be compared."
        return "No learning rate came to its end." if len(self.found.curves) > 1 else ""

    def choice(self) -> str:
        """What the comparison was made on, and what that is worth."""
        found = self.found
        if len(found.ranked) < 2:
            return ""
        if found.split == "test":
            return (
                "Nothing was held out for validation: the rates are compared on test, which is what the exercise compares, "
                "and nothing was chosen by it. A rate picked by these numbers would need new rows to be judged on."
            )
        if found.split == "train":
            return (
                "No held-out accuracy is known of every run: these are train accuracies, which say nothing of new rows."
            )
        test = found.best[0].reported("test") if len(found.best) == 1 else None
        said = f"its test accuracy is {percent(test.accuracy)}" if test else ""
        return f"{said[0].upper()}{said[1:]}, on rows that no choice was made by." if said else ""

    def certainty(self) -> str:
        """Whether the lead is more than chance, as far as one seed can tell."""
        found = self.found
        after = next((curve for curve in found.ranked if curve not in found.best), None)
        if after is None:
            return ""
        error, gap, said = found.error(after), found.gap(after), []
        if error:
            held = f"{found.rows[found.split]:,} {found.split} rows"
            inside = f"Two such accuracies on {held} differ by chance by {points(error)} (one binomial standard error)"
            if gap <= ERRORS * error:
                said.append(f"{inside}: a lead of {points(gap)} is within chance.")
            else:
                said.append(f"{inside}: a lead of {points(gap)} is {gap / error:.1f} times that.")
            if others := [curve for curve in found.level_with_best if curve is not after]:
                said.append(f"The same holds of {self._list(others)}: these rows cannot order them.")
        pair = ",".join(self._name(curve) for curve in sorted((found.best[0], after), key=lambda curve: curve.lr))
        said.append(
            f"Each rate ran with one seed, which cannot tell how much of a gap is the seed's: "
            f"mlhw sweep EXPERIMENT --grid train.lr={pair} --seeds 5 can."
        )
        return " ".join(said)

    def fastest(self) -> str:
        found = self.found
        if found.way is None:
            one = len(found.finished) > 1 and all(len(curve.of("train")) == 1 for curve in found.finished)
            return "One epoch says nothing of how fast the rates converge." if one else ""
        took = {id(curve): found.converged_in(curve) for curve in found.finished}
        there = [curve for curve in found.finished if took[id(curve)] is not None]
        epochs = sorted({epoch for epoch in took.values() if epoch is not None})
        first = [curve for curve in there if took[id(curve)] == epochs[0]]
        way = f"{CONVERGED:.0%} of the way from {found.way[0]:.3g} to {found.way[1]:.3g}".replace("%", " %")
        said = [
            f"Converged fastest: {self._list(first)}, at a train loss of {found.level:.3g} ({way}) in epoch {epochs[0]}"
        ]
        if len(epochs) > 1:
            said.append(f"next {self._list([c for c in there if took[id(c)] == epochs[1]])} in epoch {epochs[1]}")
        if never := [curve for curve in found.finished if took[id(curve)] is None]:
            said.append(f"{self._list(never)} did not get there")
        return "; ".join(said) + "."

    def falling(self) -> str:
        some = self.found.still_falling
        if not some:
            return ""
        falls = [100 * (late_fall(curve) or 0.0) for curve in some]
        most, least = max(falls), min(falls)
        by = f"{least:.0f} to {most:.0f} %" if f"{least:.0f}" != f"{most:.0f}" else f"{most:.0f} %"
        return (
            f"Still falling at the end: {self._list(some)}, with a train loss down by {by} in the last "
            f"{_ORDINALS[STRETCH]} of the epochs; {self._epochs(some)} did not show where it levels out."
        )

    def _epochs(self, curves: Sequence[Curve]) -> str:
        counts = sorted({len(curve.of("train")) for curve in curves})
        said = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        return f"{said} epoch{'s' if said != '1' else ''}"

    def small(self) -> str:
        some = self.found.too_small
        return f"Too small for {self._epochs(some)}: {self._list(some)} ended {self._behind(some)}." if some else ""

    def large(self) -> str:
        some = self.found.too_large
        return f"Too large: {self._list(some)} no longer fell, and ended {self._behind(some)}." if some else ""

    def _behind(self, curves: Sequence[Curve]) -> str:
        gaps = [self.found.gap(curve) for curve in curves]
        if len(curves) <= _SPELT:
            return f"{joined([f'{100 * gap:.2f}' for gap in gaps])} points behind the best"
        return f"{100 * min(gaps):.2f} to {100 * max(gaps):.2f} points behind the best"

    def unlearned(self) -> str:
        some, classes = self.found.never_learned, self.found.classes
        if not some or not classes:
            return ""
        ends = [f"{row.loss:.3g}, {percent(row.accuracy)}" for curve in some if (row := curve.last("train"))]
        said = f" (train loss and accuracy {'; '.join(ends)})" if len(ends) <= _SPELT else ""
        guess = f"a loss of ln({classes}) = {math.log(classes):.2f} and {percent(1 / classes)}"
        return f"No better than guessing: {self._list(some)}{said}. A uniform guess gives {guess}."

    def not_lower(self) -> str:
        some = self.found.no_lower
        if not some:
            return ""
        ends = [(curve.of("train")[0].loss, curve.of("train")[-1].loss) for curve in some]
        each = "; ".join(f"{first:.3g} → {last:.3g}" for first, last in ends)
        said = f" ({each})" if len(ends) <= _SPELT else ""
        return f"The train loss of {self._list(some)} ended no lower than in its first epoch{said}."

    def unsteady(self) -> str:
        some = self.found.oscillating
        each = joined([f"{rises(curve)} of {len(curve.of('train')) - 1}" for curve in some[:_SPELT]])
        said = f" (in {each} steps from epoch to epoch)" if len(some) <= _SPELT else ""
        return f"Oscillating: the train loss of {self._list(some)} rose again and again{said}." if some else ""

    def overfitted(self) -> str:
        found, some = self.found, self.found.overfitting
        held = "val" if all(curve.of("val") for curve in some) else "test"
        pairs = [(curve.reported("train"), curve.reported(held)) for curve in some]
        each = [f"train {percent(a.accuracy)}, {held} {percent(b.accuracy)}" for a, b in pairs if a and b]
        said = f" ({'; '.join(each)})" if each and len(some) <= _SPELT else ""
        return f"Overfitting: {self._list(some)}{said}." if some and found.split else ""

    def diverged(self) -> str:
        return self._lost("Diverged", [curve for curve in self.found.curves if curve.why_lost and curve.diverged])

    def failed(self) -> str:
        some = [curve for curve in self.found.curves if curve.why_lost and not curve.diverged]
        return self._lost("Not finished, and in no comparison", some)

    def _lost(self, what: str, some: Sequence[Curve]) -> str:
        if not some:
            return ""
        if len(some) <= _SPELT:
            return f"{what}: {joined([f'{self._name(curve)} ({clause(curve.why_lost)})' for curve in some])}."
        first = min(some, key=lambda curve: curve.lost_at)
        return f"{what}: {self._list(some)}; the earliest was {self._name(first)} ({clause(first.why_lost)})."


_ORDINALS: Final = {2: "half", 3: "third", 4: "quarter", 5: "fifth"}
