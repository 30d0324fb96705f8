"""A learner's activation and its derivative in terms of its output: ``sigmoid``, ``d_sigmoid``; ``softmax``, ``d_softmax``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mlhw.checks.calls import Caller, Fault, as_array
from mlhw.checks.diagnose import diagnose
from mlhw.checks.differences import worst_entry
from mlhw.checks.maps import Check
from mlhw.checks.taylor import jacobian_test, most_bent, random_direction
from mlhw.checks.transpose import derivative_along

TOLERANCE: Final = 1e-7  # extrapolated differences are right to ten digits
_LENGTH, _ROWS = 5, 3


@dataclass(frozen=True, eq=False)
class Point:
    """An activation at z: a vector, or rows where it takes those alone. ``jacobian`` (entries, entries) by differences."""

    z: np.ndarray
    out: np.ndarray
    jacobian: np.ndarray

    @property
    def is_elementwise(self) -> bool:
        """Whether each entry of the output depends on that of the input alone."""
        aside = self.jacobian - np.diag(np.diagonal(self.jacobian))
        return bool(np.abs(aside).max() <= 1e-8 * max(1.0, float(np.abs(self.jacobian).max())))

    @property
    def is_softmax(self) -> bool:
        """Whether the Jacobian of each row is diag(s) - s sᵀ."""
        s = self.out.reshape(-1, self.out.shape[-1])
        blocks = _blocks(self.jacobian, self.out.shape)
        return bool(np.allclose(blocks, [np.diag(row) - np.outer(row, row) for row in s], atol=1e-8))


def check_activation(
    name: str, function: Callable[..., Any], derivative: Callable[..., Any], caller: Caller, rng: np.random.Generator
) -> list[Check]:
    """The derivative against differences, and the Jacobian test with it.

    Args:
        name: what the function is called in the file.
        function: takes z, a vector or rows.
        derivative: takes the function's *output*, and returns its slope in each entry, or the whole Jacobian (n, n) of a
            vector; (rows, n, n) of rows. One that is right in terms of z passes too, and that is said.
        caller: calls both.
        rng: draws z.

    Raises:
        Fault: one of them raised, or returned no numbers.
    """
    point = _point(name, function, derivative, caller, rng)
    called = derivative.__name__
    got = as_array(caller(derivative, {"out": point.out}), f"what {called} returns").astype(np.float64)
    expected = _expected(point, got)
    worst, words = _compare(called, point, got, expected)
    if worst is None or worst.error > TOLERANCE:
        other = as_array(caller(derivative, {"z": point.z}), f"what {called} returns").astype(np.float64)
        if _right(point, other):
            worst, got = _compare(called, point, other, _expected(point, other))[0], other
            words = f"{called} is right in terms of its input z, though by the contract it is given the output"
    passed = worst is not None and worst.error <= TOLERANCE
    place: tuple[Any, ...] = (worst.error, worst.entry, worst.got, worst.expected) if worst else (None,) * 4
    error, entry, value, right = place
    entries = Check("differences", name, "z", passed, error, TOLERANCE, entry, value, right, words, shape=point.z.shape)
    matrix = _as_matrix(point, got)
    return [entries] if matrix is None else [entries, _taylor(name, function, caller, point, matrix, rng)]


def _point(
    name: str, function: Callable[..., Any], derivative: Callable[..., Any], caller: Caller, rng: np.random.Generator
) -> Point:
    """A z that both take: a vector; rows where one fails on vectors; positive where the function is defined there alone."""
    values = rng.standard_normal((_ROWS, _LENGTH))
    values += 0.1 * np.sign(values)  # away from a kink at 0
    failed: Fault | None = None
    for z in (values[0], values, np.abs(values[0]), np.abs(values)):
        try:
            with np.errstate(all="ignore"):
                out = as_array(caller(function, {"z": z}), f"what {name} returns").astype(np.float64)
                caller(derivative, {"out": out})
        except Fault as fault:
            failed = failed or fault
            continue
        if out.shape == z.shape and np.isfinite(out).all():
            return Point(z, out, _jacobian(lambda at: as_array(caller(function, {"z": at}), name), z))
        wrong = f"shape {out.shape}" if out.shape != z.shape else "values that are not finite"
        failed = failed or Fault("work", f"{name} returns {wrong} for z of shape {z.shape}, should keep the shape")
    assert failed is not None
    raise failed


def _jacobian(f: Callable[[np.ndarray], np.ndarray], z: np.ndarray) -> np.ndarray:
    columns = []
    for place in np.ndindex(z.shape):
        unit = np.zeros(z.shape)
        unit[place] = 1.0
        columns.append(derivative_along(f, z, unit).reshape(-1))
    return np.array(columns).T


def _blocks(jacobian: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The Jacobian (n, n) of each row, one for a vector."""
    n = shape[-1]
    rows = jacobian.shape[0] // n
    return np.array([jacobian[i * n : (i + 1) * n, i * n : (i + 1) * n] for i in range(rows)])


def _expected(point: Point, got: np.ndarray) -> np.ndarray:
    """What the derivative should be, in the form that was chosen: slopes, or the whole Jacobian."""
    blocks = _blocks(point.jacobian, point.out.shape)
    whole = blocks[0] if point.out.ndim == 1 or (len(blocks) == 1 and got.ndim == 2) else blocks
    slopes = np.diagonal(point.jacobian).reshape(point.out.shape)
    return slopes if point.is_elementwise and got.shape != whole.shape else whole


def _compare(called: str, point: Point, got: np.ndarray, expected: np.ndarray) -> tuple[Any, str]:
    """The worst entry (None where the shape is wrong), and what is wrong in words."""
    if got.shape != expected.shape:
        return None, _wrong_form(called, point, got) or diagnose(called, got, expected)
    worst = worst_entry(got, expected, 1e-3)
    if worst.error <= TOLERANCE:
        return worst, ""
    return worst, diagnose(called, got, expected, tolerance=TOLERANCE)


def _wrong_form(called: str, point: Point, got: np.ndarray) -> str:
    """A known misunderstanding: something of the shape of the output where a whole Jacobian is due."""
    if point.is_elementwise or got.shape != point.out.shape:
        return ""
    whole = "the full Jacobian ∂out_i/∂z_k"
    if point.is_softmax:
        whole = "the full Jacobian diag(s) - s sᵀ, whose entry (i, k) is s_i (δ_ik - s_k)"
    blocks = _blocks(point.jacobian, point.out.shape)
    n = point.out.shape[-1]
    due = f"the derivative is {whole}, of shape {(n, n) if point.out.ndim == 1 else (len(blocks), n, n)}"
    for axis, word in ((2, "row"), (1, "column")):
        if np.allclose(got, blocks.sum(axis=axis).reshape(got.shape), atol=1e-8):
            zero = ", which are 0 by construction" if np.allclose(got, 0.0, atol=1e-8) else ""
            return f"{called} returns the {word} sums of the Jacobian{zero}; {due}."
    if np.allclose(got, np.diagonal(point.jacobian).reshape(got.shape), atol=1e-8):
        return f"{called} returns the diagonal of the Jacobian alone; {due}."
    return f"{called} returns shape {got.shape}; {due}."


def _right(point: Point, got: np.ndarray) -> bool:
    expected = _expected(point, got)
    return got.shape == expected.shape and worst_entry(got, expected, 1e-3).error <= TOLERANCE


def _as_matrix(point: Point, got: np.ndarray) -> np.ndarray | None:
    """The whole Jacobian (entries, entries) that ``got`` amounts to; None where its shape makes no sense."""
    size, n = point.out.size, point.out.shape[-1]
    if got.shape == point.out.shape:
        return np.diag(got.reshape(-1))
    if got.size != size * n:
        return None
    whole = np.zeros((size, size))
    for row, block in enumerate(got.reshape(-1, n, n)):
        whole[row * n : (row + 1) * n, row * n : (row + 1) * n] = block
    return whole


def _taylor(
    name: str,
    function: Callable[..., Any],
    caller: Caller,
    point: Point,
    matrix: np.ndarray,
    rng: np.random.Generator,
) -> Check:
    def f(z: np.ndarray) -> np.ndarray:
        return as_array(caller(function, {"z": z.reshape(point.z.shape)}), name).astype(np.float64).reshape(-1)

    w = point.z.reshape(-1)
    draws = [random_direction({"z": w}, rng)["z"] for _ in range(4)]
    found = jacobian_test(f, lambda v: matrix @ v, w, most_bent(f, w, draws), first=0.0625)
    words = "exact to rounding" if found.exact else "" if found.passed else f"{found}"
    return Check("taylor", name, "z", found.passed, diagnosis=words, taylor=found)
