"""Layers by hand: every Jacobian entry, the transpose law, and what dropout does on average.

`mlhw check jacobians` tests the same layers more sharply (tests/checks); here are the laws of each by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mlhw.numerics.activations import ACTIVATIONS
from mlhw.numerics.layers import Dense, Dropout, Layer, Named, Residual

MADE: dict[str, Callable[[str], Layer]] = {
    "dense": lambda activation: Dense(4, 3, activation),
    "linear": lambda activation: Dense(4, 3),
    "residual": lambda activation: Residual(4, 6, activation),
}


def drawn(layer: Layer, seed: int = 0) -> tuple[np.ndarray, Named]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((5, 4)), {name: rng.standard_normal(shape) for name, shape in layer.shapes.items()}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", MADE)
def test_backward_is_the_transposed_jacobian_entry_by_entry(kind: str, activation: str) -> None:
    layer = MADE[kind](activation)
    inputs, parameters = drawn(layer)
    out, memory = layer.forward(inputs, parameters, None)
    u = np.random.default_rng(1).standard_normal(out.shape)
    d_inputs, gradients = layer.backward(u, memory, parameters)
    for name, got in {"x": d_inputs, **gradients}.items():
        value = inputs if name == "x" else parameters[name]
        assert got.shape == value.shape
        for entry in np.ndindex(value.shape):
            kept = value[entry]
            value[entry] = kept + 1e-5
            above = layer.forward(inputs, parameters, None)[0]
            value[entry] = kept - 1e-5
            below = layer.forward(inputs, parameters, None)[0]
            value[entry] = kept
            slope = ((above - below) * u).sum() / 2e-5
            assert got[entry] == pytest.approx(slope, rel=1e-6, abs=1e-8), (name, entry)


def test_a_residual_layer_that_adds_nothing_is_the_identity() -> None:
    layer = Residual(4, 6, "tanh")
    inputs, parameters = drawn(layer)
    parameters["V"][:] = 0.0
    out, memory = layer.forward(inputs, parameters, None)
    np.testing.assert_array_equal(out, inputs)
    np.testing.assert_array_equal(layer.backward(out, memory, parameters)[0], out)


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays_and_nothing_given_is_changed(kind: str, dtype: type) -> None:
    layer = MADE[kind]("elu")
    inputs, parameters = drawn(layer)
    inputs, parameters = inputs.astype(dtype), {name: value.astype(dtype) for name, value in parameters.items()}
    kept = inputs.copy(), {name: value.copy() for name, value in parameters.items()}
    out, memory = layer.forward(inputs, parameters, None)
    d_out = np.ones_like(out)
    d_inputs, gradients = layer.backward(d_out, memory, parameters)
    assert {value.dtype for value in (out, d_inputs, *gradients.values())} == {np.dtype(dtype)}
    np.testing.assert_array_equal(inputs, kept[0])
    np.testing.assert_array_equal(d_out, 1.0)
    for name, value in parameters.items():
        np.testing.assert_array_equal(value, kept[1][name])


def test_dropout_keeps_the_mean_and_passes_back_through_the_same_mask() -> None:
    layer, inputs = Dropout(0.25), np.ones((400, 100))
    out, memory = layer.forward(inputs, {}, np.random.default_rng(0))
    assert set(np.unique(out)) == {0.0, 1 / 0.75}
    assert out.mean() == pytest.approx(1.0, abs=0.01)
    np.testing.assert_array_equal(layer.backward(inputs, memory, {})[0], out)


def test_dropout_without_a_generator_is_the_identity() -> None:
    inputs = np.ones((2, 3))
    out, memory = Dropout(0.5).forward(inputs, {}, None)
    assert out is inputs
    assert Dropout(0.5).backward(inputs, memory, {})[0] is inputs
