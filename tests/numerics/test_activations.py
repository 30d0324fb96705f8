"""Activations: the values that the course printed, derivatives against central differences, and no overflow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlhw.numerics.activations import ACTIVATIONS, activation_for, d_softmax, sigmoid, softmax
from mlhw.numerics.losses import softmax_cross_entropy

ROWS = arrays.arrays(np.float64, (3, 5), elements=st.floats(-50, 50))


def test_the_course_s_printed_values() -> None:
    row = "0.11308373 0.09495527 0.10991099 0.12813875 0.07212035 0.11325271 0.10747322 0.0645221 0.08195541 0.11458748"
    got = softmax(np.random.default_rng(8803).random((5, 10)))[0]
    np.testing.assert_allclose(got, [float(number) for number in row.split()], atol=5e-9)
    assert sigmoid(np.array(-5.0)) == pytest.approx(0.00669285, abs=5e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(z=arrays.arrays(np.float64, 7, elements=st.floats(-20, 20).filter(lambda value: abs(value) > 1e-3)))
def test_a_derivative_is_the_slope(name: str, z: np.ndarray) -> None:
    function, derivative = ACTIVATIONS[name]
    slope = (function(z + 1e-5) - function(z - 1e-5)) / 2e-5
    np.testing.assert_allclose(derivative(function(z)), slope, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_overflows_and_the_dtype_stays(name: str, dtype: type) -> None:
    function, derivative = ACTIVATIONS[name]
    out = function(np.array([-1e4, -1.0, 0.0, 1.0, 1e4], dtype))
    assert out.dtype == derivative(out).dtype == dtype
    assert np.isfinite(out).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_those_for_one_dtype_are_the_same_to_the_bit(name: str, dtype: type) -> None:
    z = np.random.default_rng(0).normal(0, 4, (3, 8, 16)).astype(dtype)
    one, other = ACTIVATIONS[name], activation_for(name, np.dtype(dtype))
    out = one.function(z)
    np.testing.assert_array_equal(other.function(z.copy()), out, strict=True)
    np.testing.assert_array_equal(other.derivative(out), one.derivative(out), strict=True)


@pytest.mark.parametrize(
    ("name", "slope"), [("sigmoid", 0.25), ("tanh", 1.0), ("relu", 0.0), ("leaky-relu", 1.0), ("elu", 1.0)]
)
def test_the_slope_at_0(name: str, slope: float) -> None:
    function, derivative = ACTIVATIONS[name]
    assert derivative(function(np.zeros(1)))[0] == slope


@given(z=ROWS)
def test_softmax_is_a_distribution_that_a_shift_does_not_change(z: np.ndarray) -> None:
    p = softmax(z)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_allclose(softmax(z + 1e4), p, atol=1e-10)


@given(z=ROWS)
def test_the_softmax_jacobian_is_the_slope_and_its_rows_sum_to_0(z: np.ndarray) -> None:
    z = z / 10
    jacobian = d_softmax(softmax(z)[0])
    np.testing.assert_allclose(jacobian.sum(axis=1), 0.0, atol=1e-12)
    for k in range(5):
        step = np.zeros_like(z)
        step[:, k] = 1e-6
        slope = (softmax(z + step) - softmax(z - step))[0] / 2e-6
        np.testing.assert_allclose(jacobian[:, k], slope, atol=1e-8)


@given(z=ROWS)
def test_cross_entropy_is_minus_the_log_of_softmax(z: np.ndarray) -> None:
    targets = np.array([0, 4, 2])
    losses, p = softmax_cross_entropy(z, targets)
    np.testing.assert_allclose(p, softmax(z))
    np.testing.assert_allclose(losses, -np.log(softmax(z)[np.arange(3), targets]), rtol=1e-9, atol=1e-12)


def test_cross_entropy_of_a_probability_that_rounds_to_0_is_finite() -> None:
    losses, _ = softmax_cross_entropy(np.array([[0.0, 1e4]]), np.array([0]))
    assert losses[0] == pytest.approx(1e4)


def test_bounded_scores_need_no_maximum_and_give_the_same() -> None:
    scores, targets = np.tanh(np.random.default_rng(4).standard_normal((6, 5)) * 3), np.array([0, 4, 2, 2, 1, 3])
    for got, expected in zip(
        softmax_cross_entropy(scores, targets, bounded=True), softmax_cross_entropy(scores, targets), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-14)


def test_losses_of_one_model_and_of_a_stack_of_it_agree() -> None:
    scores, targets = np.random.default_rng(4).standard_normal((6, 5)), np.array([0, 4, 2, 2, 1, 3])
    alone, (stacked, _) = softmax_cross_entropy(scores, targets)[0], softmax_cross_entropy(scores[None], targets[None])
    np.testing.assert_array_equal(alone, stacked[0])
    np.testing.assert_allclose(alone, -np.log(softmax(scores)[range(6), targets]), atol=1e-14)
