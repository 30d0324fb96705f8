"""What is checked: a differentiable function of named arrays at a point, with a derivative by hand; and what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlhw.checks.differences import Differences
from mlhw.checks.taylor import Taylor
from mlhw.numerics.layers import Named


@dataclass(frozen=True, eq=False)
class Map:
    """A function of the arrays ``at`` (float64, by name), and its derivatives there.

    ``function(arrays)`` gives the output, of any shape, () for a loss. ``pullback(arrays, u)`` gives Jᵀu by argument: what a
    backward pass computes, and what is in doubt. The rest helps where it is known: ``pushforward(arrays, tangents)`` is J v by
    a forward derivative by hand, ``oracle(tensors)`` the function once more by torch's own functions, ``differences(name, u)``
    a fast way to the slope of <u, f> in every entry of one argument. ``rows`` is m, for naming a missing 1/m.
    """

    title: str
    at: Named
    function: Callable[[Named], np.ndarray]
    pullback: Callable[[Named, np.ndarray], Mapping[str, np.ndarray]]
    pushforward: Callable[[Named, Named], np.ndarray] | None = None
    oracle: Callable[[dict[str, Any]], Any] | None = None
    differences: Callable[[str, np.ndarray], Differences] | None = None
    rows: int | None = None

    def of(self, name: str) -> Callable[[np.ndarray], np.ndarray]:
        """The function of the argument ``name`` alone, the others as they are."""
        return lambda array: self.function(self.at | {name: array})


@dataclass(frozen=True, eq=False)
class Check:
    """One test of one derivative. ``of`` is the function, ``name`` the argument that it is derived by ("" for all at once).

    ``error`` is the test's own measure and passes up to ``tolerance``; both are None for a Taylor test, which goes by slopes.
    ``diagnosis`` says in words what is wrong, or what is remarkable about a test that passed.
    """

    test: str  # taylor, differences, transpose, autograd; shape, linear, repeatable, untouched, …
    of: str
    name: str
    passed: bool
    error: float | None = None
    tolerance: float | None = None
    entry: tuple[int, ...] | None = None
    got: float | None = None
    expected: float | None = None
    diagnosis: str = ""
    taylor: Taylor | None = None
    shape: tuple[int, ...] | None = None

    def record(self) -> dict[str, Any]:
        """The check as plain values, for JSON; a Taylor test's points are in :meth:`curve`."""
        slopes = self.taylor.slopes if self.taylor else (None, None)
        return {
            "test": self.test,
            "of": self.of,
            "name": self.name,
            "shape": None if self.shape is None else list(self.shape),
            "passed": self.passed,
            "error": self.error,
            "tolerance": self.tolerance,
            "entry": None if self.entry is None else list(self.entry),
            "got": self.got,
            "expected": self.expected,
            "diagnosis": self.diagnosis,
            "slope": slopes[1],
            "slope_of_change": slopes[0],
        }

    def curve(self) -> dict[str, Any] | None:
        """The points of a Taylor test as plain lists, for the figure."""
        if self.taylor is None:
            return None
        found = self.taylor
        return {
            "label": " by ".join(part for part in (self.of, self.name) if part),
            "steps": found.steps.tolist(),
            "zeroth": found.zeroth.tolist(),
            "first": found.first.tolist(),
            "rounding": found.rounding.tolist(),
            "slopes": list(found.slopes),
            "used": [mask.tolist() for mask in found.used],
            "passed": found.passed,
        }
