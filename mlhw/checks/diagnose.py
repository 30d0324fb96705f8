"""What is wrong with a gradient, in one plain sentence: the faults that everyone makes, recognised by their pattern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

_LIKE: Final = 1e-4  # two gradients are alike when no entry differs by more than this part of the largest
_FACTOR: Final = 1e-4


def diagnose(
    name: str,
    got: Any,
    expected: np.ndarray,
    rows: int | None = None,
    known: Mapping[str, np.ndarray] | None = None,
    tolerance: float = _LIKE,
) -> str:
    """A sentence that names the fault of ``got`` and its worst entry; empty where it is like ``expected``.

    Args:
        name: how the gradient is called, for example dW.
        got: what the backward pass returned.
        expected: what it should be.
        rows: the number of examples m, for recognising a missing 1/m.
        known: other arrays by name that may have been forgotten or added, such as d_out where a layer has a skip connection.
        tolerance: how much of the largest entry makes a difference.
    """
    got = np.asarray(got, dtype=np.float64)
    expected = np.asarray(expected, dtype=np.float64)
    if got.shape != expected.shape:
        return _shape_fault(name, got, expected)
    if not np.isfinite(got).all():
        return _not_finite(name, got, expected)
    wrong = np.asarray(~_close(got, expected, tolerance))
    if not wrong.any():
        return ""
    pattern = _pattern(name, got, expected, rows, known or {}) or _place(name, wrong)
    worst = f"{_worst(name, got, expected, wrong)}."
    return f"{pattern}. {worst}" if pattern else worst


def _pattern(
    name: str, got: np.ndarray, expected: np.ndarray, rows: int | None, known: Mapping[str, np.ndarray]
) -> str:
    """The fault that explains every entry, or nothing."""
    if not got.any():
        return f"{name} is 0 everywhere" + (": the bias was forgotten" if _is_bias(name) else "")
    if not expected.any():
        return f"{name} should be 0 everywhere"
    factor = float(np.vdot(got, expected) / np.vdot(expected, expected))
    if _alike(got, factor * expected):
        return _factor_fault(name, factor, rows)
    if got.ndim == 2 and got.shape[0] == got.shape[1]:
        turned = float(np.vdot(got, expected.T) / np.vdot(expected, expected))
        if _alike(got, turned * expected.T):
            sign = "" if abs(turned - 1.0) < _FACTOR else f", times {turned:.4g}"
            return f"{name} is the transpose of what it should be{sign}"
    missing = expected - got
    for other, array in known.items():
        if array.shape == got.shape and array.any():
            share = float(np.vdot(missing, array) / np.vdot(array, array))
            if _alike(missing, share * array) and abs(abs(share) - 1.0) < _FACTOR:
                return f"{name} lacks {other}" if share > 0 else f"{name} holds {other}, which it should not"
    if _alike(np.abs(got), np.abs(expected)):
        flipped = np.count_nonzero(np.sign(got) != np.sign(expected))
        return f"{name} has the wrong sign in {flipped} of {got.size} entries"
    offset = float(missing.mean())
    if got.size > 2 and _alike(missing, np.full_like(missing, offset)):
        return f"{name} is off by the same {-offset:+.4g} everywhere"
    return ""


def _factor_fault(name: str, factor: float, rows: int | None) -> str:
    if abs(factor + 1.0) < _FACTOR:
        return f"{name} has the wrong sign everywhere"
    sign, size = ("the wrong sign and is " if factor < 0 else ""), abs(factor)
    has = f"{name} has {sign}" if sign else f"{name} is "
    m = rows or 0
    if m > 1 and abs(size / m - 1.0) < _FACTOR:
        return f"{has}m = {m} times too large everywhere: a 1/m is missing"
    if m > 1 and abs(size * m - 1.0) < _FACTOR:
        return f"{has}m = {m} times too small everywhere: divided by m once too often"
    if size > 1:
        return f"{has}{_number(size)} times too large everywhere"
    return f"{has}{_number(1.0 / size)} times too small everywhere"


def _shape_fault(name: str, got: np.ndarray, expected: np.ndarray) -> str:
    said = f"{name} has shape {got.shape}, should be {expected.shape}"
    if not np.isfinite(got).all():
        return said
    if not got.any() and expected.any():
        return f"{said}, and is 0" + (": the bias was forgotten" if _is_bias(name) else "")
    if got.ndim == 2 and got.T.shape == expected.shape and _alike(got.T, expected):
        return f"{said}: it is the transpose"
    if got.size == expected.size and _alike(got.reshape(expected.shape), expected):
        return f"{said}: the values are right, the shape is not"
    for axis in range(got.ndim):
        for keep in (False, True):
            summed = got.sum(axis=axis, keepdims=keep)
            if summed.shape == expected.shape and _alike(summed, expected):
                over = f"the {got.shape[axis]} rows" if axis == 0 else f"axis {axis}"
                return f"{said}: the sum over {over} is missing"
    if expected.ndim and got.ndim < expected.ndim and _is_sum(got, expected):
        return f"{said}: it was summed over too many axes"
    return said


def _is_sum(got: np.ndarray, expected: np.ndarray) -> bool:
    if got.ndim == 0:
        return _alike(got, expected.sum())
    return any(
        (summed := expected.sum(axis=axis)).shape == got.shape and _alike(got, summed) for axis in range(expected.ndim)
    )


def _not_finite(name: str, got: np.ndarray, expected: np.ndarray) -> str:
    bad = ~np.isfinite(got)
    entry = tuple(int(axis) for axis in np.argwhere(bad)[0])
    where = "everywhere" if bad.all() and got.size > 1 else f"in {bad.sum()} of {got.size} entries"
    return f"{name} is not finite {where}: {_at(name, entry)} is {got[entry]}, should be {_number(expected[entry])}."


def _place(name: str, wrong: np.ndarray) -> str:
    """Where the wrong entries are, if that is one entry, row or column of several."""
    if wrong.size > 1 and wrong.sum() == 1:
        return f"Only one entry of {name} is wrong"
    if wrong.ndim != 2 or wrong.all():
        return ""
    for axis, word in ((1, "row"), (0, "column")):
        lines = np.flatnonzero(wrong.any(axis=axis))
        if len(lines) == 1 and wrong.shape[1 - axis] > 1:
            return f"Only {word} {lines[0]} of {name} is wrong"
    return f"{wrong.sum()} of {wrong.size} entries of {name} are wrong"


def _worst(name: str, got: np.ndarray, expected: np.ndarray, wrong: np.ndarray) -> str:
    distance = np.where(wrong, np.abs(got - expected), -1.0)
    place = np.unravel_index(int(np.argmax(distance)), got.shape)
    entry = tuple(int(axis) for axis in place)
    right = float(expected[entry])
    error = f" (relative error {_number(float(distance[entry]) / abs(right), 2)})" if right else ""
    return f"{_at(name, entry)} is {_number(got[entry])}, should be {_number(right)}{error}"


def _at(name: str, entry: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, entry))}]" if entry else name


def _number(value: float, digits: int = 4) -> str:
    return f"{float(value) + 0.0:.{digits}g}"


def _is_bias(name: str) -> bool:
    return name.lstrip("d_").rstrip("0123456789").lower() in ("b", "bias", "biases", "beta")


def _alike(got: Any, expected: Any) -> bool:
    return bool(_close(got, expected, _LIKE).all())


def _close(got: Any, expected: Any, tolerance: float) -> np.ndarray:
    largest = float(np.max(np.abs(expected), initial=0.0))
    return np.asarray(np.abs(got - expected) <= tolerance * (largest or 1.0))
