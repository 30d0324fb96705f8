"""How a command ends that left something out: what is done first, then what is not and where the reasons are."""

from __future__ import annotations

from mlhw.errors import PartialResult

IN_PREDICTIONS = "see the reasons in predictions.csv."


def some_skipped(done: int, skipped: int, what: str, verb: str, reasons: str) -> PartialResult:
    """Exit code 4 of ``done`` inputs (``what``, of one) that are ``verb``, and ``skipped`` ones, with the ``reasons``."""
    good = f"{done:,} {what}{'s' if done != 1 else ''} {'are' if done != 1 else 'is'} {verb}"
    bad = f"{skipped:,} of {done + skipped:,} could not be used and {'were' if skipped != 1 else 'was'} skipped"
    return PartialResult(f"{good}; {bad}: {reasons}")
