"""What an experiment's ``expect:`` says, held against numbers."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from mlhw.config.schema import Expect

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
MEASURED: Final = ("parameters", "test_accuracy", "val_accuracy")  # what a run's summary has the number of
_THRESHOLD = re.compile(r"\s*(<=|>=|==|<|>)\s*([0-9_.eE+-]+)\s*")


class Verdict(NamedTuple):
    """One line of ``expect:`` and whether it held; ``holds`` is None where there was nothing to hold it against."""

    key: str
    threshold: str
    got: float | None
    holds: bool | None

    def sentence(self) -> str:
        """``test_accuracy 0.987 (expected >= 0.98): held``"""
        got = "not measured" if self.got is None else f"{self.got:.6g}"
        word = "not measured" if self.holds is None else "held" if self.holds else "fell short"
        return f"{self.key} {got} (expected {self.threshold.strip()}): {word}"


def holds(threshold: str, value: float) -> bool:
    """Whether ``value`` keeps ``threshold``, for example ``'< 100000'``."""
    match = _THRESHOLD.fullmatch(threshold)
    assert match is not None  # the schema let only such text through
    return _COMPARE[match[1]](value, float(match[2].replace("_", "")))


def verdicts(expect: Expect, summary: Mapping[str, Any]) -> list[Verdict]:
    """Each line of ``expect`` that a summary has the number of, held against ``summary``, in order."""
    lines = []
    for key in MEASURED:
        threshold, value = getattr(expect, key), summary.get(key)
        if threshold is None:
            continue
        lines.append(Verdict(key, threshold, value, None if value is None else holds(threshold, value)))
    return lines
