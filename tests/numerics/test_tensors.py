"""The course's exercises on plain tensors: the values that it printed, by hand in numpy and by torch's autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlhw.numerics.activations import ACTIVATIONS

V1, V2 = np.array([1.0, 2.0]), np.array([-2.0, -1.0])
A = np.array([[1.0, -1.0], [0.0, 1.0]])
V = np.stack([V1, V2], axis=1)  # the vectors as columns

SLOPES_AT_0 = {"sigmoid": 0.25, "tanh": 1.0, "relu": 0.0, "leaky-relu": 1.0, "elu": 1.0}


def test_a_squared_distance_and_its_gradients() -> None:
    """‖v₁ - v₂‖² = 18; by hand its gradients are 2 (v₁ - v₂) and the opposite."""
    difference = V1 - V2
    assert difference @ difference == 18.0
    np.testing.assert_array_equal(2.0 * difference, [6, 6])
    leaves = [torch.tensor(vector, requires_grad=True) for vector in (V1, V2)]
    distance = ((leaves[0] - leaves[1]) ** 2).sum()
    distance.backward()
    assert distance.item() == 18.0
    for leaf, by_hand in zip(leaves, (2.0 * difference, -2.0 * difference), strict=True):
        assert leaf.grad is not None
        np.testing.assert_array_equal(leaf.grad.numpy(), by_hand)


def test_the_elementwise_and_the_matrix_product() -> None:
    np.testing.assert_array_equal(V, [[1, -2], [2, -1]])
    np.testing.assert_array_equal(A * V, [[1, 2], [0, -1]])
    np.testing.assert_array_equal(A @ V, [[-1, -1], [2, -1]])
    a, v = torch.from_numpy(A), torch.from_numpy(V)
    np.testing.assert_array_equal((a * v).numpy(), A * V)
    np.testing.assert_array_equal((a @ v).numpy(), A @ V)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_unit_s_gradient_is_the_slope_times_the_input(name: str, sign: float) -> None:
    """∂h/∂w_j = activation'(wᵀx) · x_j for h = activation(wᵀx), on both sides of the kink."""
    function, derivative = ACTIVATIONS[name]
    w, x = sign * np.array([0.4, -0.3, 0.2]), np.array([1.5, -0.5, -0.7])
    by_hand = derivative(function(np.atleast_1d(w @ x))) * x
    steps = 1e-6 * np.eye(3)
    slopes = [
        (function(np.atleast_1d((w + step) @ x)) - function(np.atleast_1d((w - step) @ x))) / 2e-6 for step in steps
    ]
    np.testing.assert_allclose(by_hand, np.concatenate(slopes), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_has_its_slope_at_0(name: str) -> None:
    function, derivative = ACTIVATIONS[name]
    assert derivative(function(np.zeros(1)))[0] == SLOPES_AT_0[name]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_only_a_relu_unit_dies(name: str) -> None:
    """Where wᵀx + b ≤ 0 for every training row, a ReLU unit's gradient is 0, so it stays as it is; no other's is."""
    function, derivative = ACTIVATIONS[name]
    rows = np.random.default_rng(0).standard_normal((50, 3))
    z = rows @ np.array([0.4, -0.3, 0.2])
    z -= z.max()  # the bias that brings the highest row to 0, which counts as dead too
    gradient = derivative(function(z)) @ rows
    assert (not gradient.any()) == (name == "relu")
