"""Many steps' reports as two arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlhw.arrays import Array
from mlhw.protocols import StepReport


def of_steps(reports: Sequence[StepReport], fetch: Callable[[list[Array]], Any]) -> tuple[Any, Any]:
    """The loss sums and the hits of ``reports``, each as ``fetch`` gives a list of them: (steps, members)."""
    return fetch([report.loss_sum for report in reports]), fetch([report.correct for report in reports])
