"""Products with the weights of one model, (n_in, n_out), or of a stack of models, (members, n_in, n_out).

Numpy arrays and torch tensors alike. Where a stack's members share their inputs, the products are one wide one:
(rows, n_in) times (n_in, members · n_out). It costs no copy where the weights lie in memory as (n_in, members, n_out),
which :func:`wide` sees to; without that the weights are copied and the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Array = Any  # np.ndarray or torch.Tensor
Names = tuple[str, str]  # of a layer's weights and bias
Deltas = Sequence[tuple[Names, Array, Array]]  # a layer's names, its inputs a and the gradient δ in its outputs


def layer_names(layers: int) -> list[Names]:
    """The names of the parameters of ``layers`` layers: W1 and b1, W2 and b2, … Made once: a step is too short to make them."""
    return [(f"W{layer}", f"b{layer}") for layer in range(1, layers + 1)]


def times(inputs: Array, weights: Array) -> Array:
    """``inputs`` weights, (rows, n_out) or (members, rows, n_out)."""
    if inputs.ndim >= weights.ndim:
        return inputs @ weights
    return narrow(inputs @ flat(weights), len(weights))


def transposed_times(inputs: Array, delta: Array) -> Array:
    """``inputs``ᵀ ``delta``, (n_in, n_out) or (members, n_in, n_out): the gradient in the weights; laid out as ``wide`` does
    where ``inputs`` are shared."""
    if inputs.ndim >= delta.ndim:
        return inputs.swapaxes(-1, -2) @ delta
    return narrow(inputs.swapaxes(0, 1) @ flat(delta), len(delta))


def gradients_of(deltas: Deltas, parameters: Mapping[str, Array]) -> dict[str, Array]:
    """The gradients in the weights W1, … and biases b1, … of ``parameters``: ∂L/∂W = aᵀδ, ∂L/∂b = Σδ."""
    gradients: dict[str, Array] = {}
    for (weights, bias), below, delta in deltas:
        gradients[weights] = transposed_times(below, delta)
        if bias in parameters:
            gradients[bias] = delta.sum(-2)
    return gradients


def flat(values: Array) -> Array:
    """(members, n, n_out) as (n, members · n_out): a view where they lie so."""
    members, n, n_out = values.shape
    return values.swapaxes(0, 1).reshape(n, members * n_out)


def narrow(values: Array, members: int) -> Array:
    """(n, members · n_out) as (members, n, n_out), a view."""
    return values.reshape(len(values), members, -1).swapaxes(0, 1)


def wide(values: Array) -> Array:
    """A copy of ``values`` (members, n, n_out) that lies in memory as (n, members, n_out)."""
    return narrow(flat(values * 1.0), len(values))
