"""Diagnoses: each of the known faults is called by its name, and the worst entry stands beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlhw.checks.diagnose import diagnose

RNG = np.random.default_rng(3)
DW, SQUARE, DB, U = (
    RNG.standard_normal((4, 3)),
    RNG.standard_normal((3, 3)),
    RNG.standard_normal(3),
    RNG.standard_normal((4, 3)),
)


def with_entry(array: np.ndarray, index: object, value: float) -> np.ndarray:
    changed = array.copy()
    changed[index] = value  # type: ignore[call-overload]
    return changed


@pytest.mark.parametrize(
    ("name", "got", "expected", "words"),
    [
        ("dW", -DW, DW, ["dW has the wrong sign everywhere"]),
        ("dW", 7 * DW, DW, ["dW is m = 7 times too large everywhere: a 1/m is missing"]),
        ("dW", DW / 7, DW, ["dW is m = 7 times too small everywhere: divided by m once too often"]),
        ("dW", -7 * DW, DW, ["dW has the wrong sign and is m = 7 times too large", "1/m is missing"]),
        ("dW", 2 * DW, DW, ["dW is 2 times too large everywhere"]),
        ("dW", DW / 2, DW, ["dW is 2 times too small everywhere"]),
        ("db", 0 * DB, DB, ["db is 0 everywhere: the bias was forgotten"]),
        ("dW", 0 * DW, DW, ["dW is 0 everywhere."]),
        ("dW", DW, 0 * DW, ["dW should be 0 everywhere"]),
        ("db", np.zeros(()), DB, ["db has shape (), should be (3,), and is 0: the bias was forgotten"]),
        ("dW", SQUARE.T, SQUARE, ["dW is the transpose of what it should be."]),
        ("dW", -2 * SQUARE.T, SQUARE, ["dW is the transpose of what it should be, times -2"]),
        ("dW", DW.T, DW, ["dW has shape (3, 4), should be (4, 3): it is the transpose"]),
        ("dW", DW.T + 1, DW, ["dW has shape (3, 4), should be (4, 3)"]),
        ("db", DB[None], DB, ["(1, 3), should be (3,): the values are right, the shape is not"]),
        ("db", np.stack([DB, DB, -DB]), DB, ["(3, 3), should be (3,): the sum over the 3 rows is missing"]),
        ("db", DB.sum(), DB, ["db has shape (), should be (3,): it was summed over too many axes"]),
        ("dx", DW - U, DW, ["dx lacks d_out"]),
        ("dx", DW + U, DW, ["dx holds d_out, which it should not"]),
        ("dW", DW + 0.25, DW, ["dW is off by the same +0.25 everywhere"]),
        ("dW", with_entry(DW, 1, -DW[1]), DW, ["wrong sign in 3 of 12 entries"]),
        ("dW", with_entry(DW, 2, 0.0), DW, ["Only row 2 of dW is wrong", "dW[2, "]),
        ("dW", with_entry(DW, (slice(None), 1), 0.0), DW, ["Only column 1 of dW is wrong"]),
        ("dW", with_entry(DW, (2, 1), 0.31), DW, ["Only one entry of dW is wrong", "dW[2, 1] is 0.31, should be"]),
        ("dW", DW**2, DW, ["dW[", "relative error"]),
        ("dW", with_entry(DW, (0, 2), np.nan), DW, ["dW is not finite in 1 of 12 entries: dW[0, 2] is nan, should be"]),
        ("df", np.asarray(2.0), np.asarray(1.5), ["df is 1.333 times too large", "df is 2, should be 1.5"]),
    ],
)
def test_a_fault_is_named(name: str, got: np.ndarray, expected: np.ndarray, words: list[str]) -> None:
    said = diagnose(name, got, expected, rows=7, known={"d_out": U})
    for word in words:
        assert word in said


def test_the_worst_entry_has_its_index_and_both_values() -> None:
    said = diagnose("dW", np.array([[1.0, 2.0], [3.0, 0.31]]), np.array([[1.0, 2.0], [3.0, -0.12]]))
    assert said == "Only one entry of dW is wrong. dW[1, 1] is 0.31, should be -0.12 (relative error 3.6)."


def test_a_right_gradient_has_no_diagnosis() -> None:
    assert diagnose("dW", DW * (1 + 1e-9), DW) == ""


@given(factor=st.floats(-50, 50).filter(lambda value: abs(value - 1) > 1e-3), rows=st.integers(2, 64))
def test_any_factor_is_said_once_and_a_1_over_m_only_where_it_is_m(factor: float, rows: int) -> None:
    said = diagnose("dW", factor * DW, DW, rows)
    assert said.startswith("dW ")
    assert ("1/m is missing" in said) == (abs(abs(factor) / rows - 1) < 1e-4)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (1, 1), (2, 0)])
def test_odd_shapes_are_no_accident(shape: tuple[int, ...]) -> None:
    make: list[Callable[..., np.ndarray]] = [np.zeros, np.ones]
    for got in make:
        for expected in make:
            said = diagnose("dW", got(shape), expected(shape), rows=1)
            assert bool(said) == (got is not expected and 0 not in shape)
