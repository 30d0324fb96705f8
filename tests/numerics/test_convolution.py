"""Convolution and pooling by hand against torch, against seven nested loops, and against their own laws."""

from __future__ import annotations

import inspect
import re
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from benchmarks.convolution import seven_loops
from mlhw.numerics import convolution
from mlhw.numerics.arithmetic import output_sizes
from mlhw.numerics.convolution import convolve, convolve_backward, max_pool, max_pool_backward

UNTIMED = settings(deadline=None)  # the first call of each torch function takes long
TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}


class Case(NamedTuple):
    """Operands that fit, a gradient at the output, and how the kernel moves."""

    inputs: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    d_out: np.ndarray
    stride: tuple[int, int]
    padding: tuple[int, int]

    @property
    def moves(self) -> dict[str, tuple[int, int]]:
        return {"stride": self.stride, "padding": self.padding}


def made(rows: int, channels: int, filters: int, sizes: Any, kernel: Any, stride: Any, padding: Any, seed: int) -> Case:
    places = output_sizes(sizes, kernel, stride, padding)
    shapes = [(rows, channels, *sizes), (filters, channels, *kernel), (filters,), (rows, filters, *places)]
    rng = np.random.default_rng(seed)
    return Case(*(rng.standard_normal(shape) for shape in shapes), stride, padding)


@st.composite
def geometries(draw: st.DrawFn) -> tuple[Any, ...]:
    """What :func:`made` takes, the kernel no larger than the padded image."""
    counts = [draw(st.integers(1, 4)) for _ in range(3)]
    kernel, stride, padding = (draw(st.tuples(numbers, numbers)) for numbers in map(st.integers, (1, 1, 0), (5, 3, 3)))
    sizes = tuple(draw(st.integers(max(1, k - 2 * p), 9)) for k, p in zip(kernel, padding, strict=True))
    return *counts, sizes, kernel, stride, padding, draw(st.integers(0, 2**32 - 1))


A_CASE = made(3, 2, 4, (7, 6), (3, 2), (2, 1), (1, 2), seed=0)


def by_torch(case: Case, dtype: Any = np.float64) -> tuple[np.ndarray, ...]:
    """The output, and the gradients with respect to inputs, weights and bias."""
    leaves = [torch.from_numpy(array.astype(dtype)).requires_grad_() for array in case[:3]]
    out = functional.conv2d(*leaves, stride=case.stride, padding=case.padding)
    gradients = torch.autograd.grad(out, leaves, torch.from_numpy(case.d_out.astype(dtype)))
    return tuple(array.detach().numpy() for array in (out, *gradients))


def by_hand(case: Case, dtype: Any = np.float64) -> tuple[np.ndarray, ...]:
    inputs, weights, bias, d_out = (array.astype(dtype) for array in case[:4])
    out = convolve(inputs, weights, bias, **case.moves)
    return out, *convolve_backward(d_out, inputs, weights, **case.moves)


@pytest.mark.parametrize("dtype", TOLERANCE)
@UNTIMED
@given(geometry=geometries())
def test_output_and_gradients_are_torch_s_in_value_shape_and_dtype(dtype: Any, geometry: tuple[Any, ...]) -> None:
    case = made(*geometry)
    for got, expected in zip(by_hand(case, dtype), by_torch(case, dtype), strict=True):
        assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
        scale = 1.0 if dtype == np.float64 else max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


def test_a_planted_fault_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above can fail: true convolution, which flips the kernel, is another function."""
    honest = convolution._matrix
    monkeypatch.setattr(convolution, "_matrix", lambda weights: honest(weights[:, :, ::-1, ::-1]))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(by_hand(A_CASE)[0], by_torch(A_CASE)[0], rtol=0, atol=1e-10)


@UNTIMED
@given(geometry=geometries())
def test_the_backward_pass_is_the_transpose(geometry: tuple[Any, ...]) -> None:
    """The output is linear in each operand, so ⟨d_out, out⟩ is the inner product of each operand and its gradient."""
    case = made(*geometry)
    d_inputs, d_weights, d_bias = convolve_backward(case.d_out, case.inputs, case.weights, **case.moves)
    product = np.vdot(case.d_out, convolve(case.inputs, case.weights, **case.moves))
    assert np.vdot(d_inputs, case.inputs) == pytest.approx(product, abs=1e-9)
    assert np.vdot(d_weights, case.weights) == pytest.approx(product, abs=1e-9)
    np.testing.assert_allclose(d_bias, case.d_out.sum(axis=(0, 2, 3)), atol=1e-10)


def test_the_course_s_example() -> None:
    case = made(5, 3, 16, (24, 24), (5, 5), (1, 1), (0, 0), seed=0)
    for got, expected in zip(by_hand(case), by_torch(case), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)
    assert by_hand(case)[0].shape == (5, 16, 20, 20)


def test_seven_nested_loops_come_to_the_same() -> None:
    case = made(2, 3, 2, (5, 6), (3, 2), (1, 1), (0, 0), seed=1)
    np.testing.assert_allclose(
        convolve(case.inputs, case.weights, case.bias), seven_loops(case.inputs, case.weights, case.bias), atol=1e-12
    )


def test_one_number_stands_for_both_axes_and_no_bias_for_zeros() -> None:
    inputs, weights, *_ = A_CASE
    expected = convolve(inputs, weights, np.zeros(4), stride=(2, 2), padding=(1, 1))
    np.testing.assert_array_equal(convolve(inputs, weights, stride=2, padding=1), expected)


def test_of_two_dtypes_the_wider_one_is_returned() -> None:
    inputs, weights, bias, d_out = (array.astype(np.float32) for array in A_CASE[:4])
    wide = A_CASE.weights
    assert convolve(inputs, wide, **A_CASE.moves).dtype == np.float64
    assert convolve(inputs, weights, bias.astype(np.float64), **A_CASE.moves).dtype == np.float64
    assert {array.dtype for array in convolve_backward(d_out, inputs, wide, **A_CASE.moves)} == {np.dtype(np.float64)}


def strided(array: np.ndarray) -> np.ndarray:
    """The same values, each of them with a gap after it, in the reverse order of axes."""
    wide = np.full((*array.shape[::-1], 2), np.nan)
    wide[..., 0] = array.T
    return wide[..., 0].T


def test_memory_layout_does_not_matter_and_nothing_given_is_changed() -> None:
    arrays = [strided(array) for array in A_CASE[:4]]
    for array, original in zip(arrays, A_CASE[:4], strict=True):
        np.testing.assert_array_equal(array, original)
        array.flags.writeable = False
    inputs, weights, bias, d_out = arrays
    assert not inputs.flags.c_contiguous
    got = convolve(inputs, weights, bias, **A_CASE.moves), *convolve_backward(d_out, inputs, weights, **A_CASE.moves)
    for array, expected in zip(got, by_hand(A_CASE), strict=True):
        np.testing.assert_allclose(array, expected, rtol=0, atol=1e-12)
        assert array.flags.c_contiguous


def test_how_many_rows_go_at_a_time_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = by_hand(A_CASE)
    inputs, weights, _, _, stride, _ = A_CASE
    two_rows = convolution._windows(inputs[:2], weights.shape[2:], stride).size * 8
    for part_bytes, sizes in ((0, [1, 1, 1]), (two_rows, [2, 1]), (1 << 30, [3])):
        monkeypatch.setattr(convolution, "PART_BYTES", part_bytes)
        parts = convolution._parts(convolution._windows(inputs, weights.shape[2:], stride))
        assert [len(inputs[part]) for part in parts] == sizes
        for array, whole in zip(by_hand(A_CASE), expected, strict=True):
            np.testing.assert_allclose(array, whole, rtol=0, atol=1e-12)


def test_no_rows_give_no_rows() -> None:
    inputs, weights, bias = np.zeros((0, 2, 5, 5)), np.ones((3, 2, 3, 3)), np.ones(3)
    out = convolve(inputs, weights, bias)
    assert out.shape == (0, 3, 3, 3)
    d_inputs, d_weights, d_bias = convolve_backward(out, inputs, weights)
    assert d_inputs.shape == inputs.shape
    assert not d_weights.any()
    assert not d_bias.any()


INPUTS, WEIGHTS = (2, 3, 6, 5), (4, 3, 3, 3)


@pytest.mark.parametrize(
    ("inputs", "weights", "options", "message"),
    [
        (INPUTS, (4, 2, 3, 3), {}, "weights should have as many channels (axis 1) as the inputs, 3, got 2"),
        (
            (3, 6, 5),
            WEIGHTS,
            {},
            "inputs should have the axes (rows, channels, height, width), got the shape (3, 6, 5)",
        ),
        (INPUTS, (3, 3), {}, "weights should have the axes (filters, channels, height, width), got the shape (3, 3)"),
        (INPUTS, (4, 3, 7, 3), {}, "height: a kernel that spans 7 does not fit into an input of 6 padded by 0"),
        (
            INPUTS,
            (4, 3, 3, 8),
            {"padding": 1},
            "width: a kernel that spans 8 does not fit into an input of 5 padded by 1",
        ),
        (INPUTS, (4, 3, 0, 3), {}, "height: kernel should be a whole number from 1, got 0"),
        (INPUTS, WEIGHTS, {"stride": 0}, "height: stride should be a whole number from 1, got 0"),
        (INPUTS, WEIGHTS, {"stride": (1, -2)}, "width: stride should be a whole number from 1, got -2"),
        (INPUTS, WEIGHTS, {"padding": (0, -1)}, "width: padding should be a whole number from 0, got -1"),
        (INPUTS, WEIGHTS, {"bias": np.zeros(3)}, "bias should have the shape (4,), got (3,)"),
    ],
)
def test_what_does_not_fit_is_said(inputs: Any, weights: Any, options: dict[str, Any], message: str) -> None:
    unchecked = inspect.unwrap(convolve)  # outside of tests no jaxtyping stands before it
    with pytest.raises(ValueError, match=re.escape(message)):
        unchecked(np.zeros(inputs), np.zeros(weights), **options)
    if "bias" not in options:
        with pytest.raises(ValueError, match=re.escape(message)):
            inspect.unwrap(convolve_backward)(np.zeros((2, 4, 4, 3)), np.zeros(inputs), np.zeros(weights), **options)


def test_a_gradient_of_another_shape_than_the_output_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("d_out should have the shape (2, 4, 4, 3), got (2, 4, 4, 4)")):
        convolve_backward(np.zeros((2, 4, 4, 4)), np.zeros(INPUTS), np.zeros(WEIGHTS))
    with pytest.raises(ValueError, match=re.escape("d_out should have the shape (2, 3, 3, 2), got (2, 3, 3, 3)")):
        max_pool_backward(np.zeros((2, 3, 3, 3)), np.zeros(INPUTS), 2)


# --- max pooling -------------------------------------------------------------------------------------------------------


@st.composite
def pools(draw: st.DrawFn) -> tuple[np.ndarray, tuple[int, int], tuple[int, int] | None, int]:
    """Images of few different values, so that most windows hold their largest more than once."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.none() | st.tuples(st.integers(1, 5), st.integers(1, 5)))
    shape = *(draw(st.integers(1, 3)) for _ in range(2)), *(draw(st.integers(k, 9)) for k in kernel)
    seed = draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(-2, 2, shape).astype(np.float64), kernel, stride, seed


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@UNTIMED
@given(pool=pools())
def test_pooling_is_torch_s_and_of_equal_pixels_the_first_gets_the_gradient(dtype: Any, pool: Any) -> None:
    inputs, kernel, stride, seed = pool
    inputs = inputs.astype(dtype)
    leaf = torch.from_numpy(inputs).requires_grad_()
    expected = functional.max_pool2d(leaf, kernel, stride)
    d_out = np.random.default_rng(seed).integers(-9, 10, tuple(expected.shape)).astype(dtype)  # exact in any order
    (d_expected,) = torch.autograd.grad(expected, leaf, torch.from_numpy(d_out))
    got, d_got = max_pool(inputs, kernel, stride), max_pool_backward(d_out, inputs, kernel, stride)
    np.testing.assert_array_equal(got, expected.detach().numpy(), strict=True)
    np.testing.assert_array_equal(d_got, d_expected.numpy(), strict=True)


def test_the_first_of_equal_pixels_row_by_row() -> None:
    inputs = np.array([[[[0.0, 5.0], [5.0, 5.0]]]])
    np.testing.assert_array_equal(max_pool_backward(np.ones((1, 1, 1, 1)), inputs, 2), [[[[0, 1], [0, 0]]]])


@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "message"),
    [
        ((1, 1, 3, 3), (4, 2), None, "height: a kernel that spans 4 does not fit into an input of 3"),
        ((1, 1, 3, 3), 0, 1, "height: kernel should be a whole number from 1, got 0"),
        ((1, 1, 3, 3), 2, (1, 0), "width: stride should be a whole number from 1, got 0"),
        ((3, 3), 2, None, "inputs should have the axes (rows, channels, height, width), got the shape (3, 3)"),
    ],
)
def test_a_window_that_does_not_fit_is_said(shape: Any, kernel: Any, stride: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        inspect.unwrap(max_pool)(np.zeros(shape), kernel, stride)
