"""Activations and their derivatives, the derivatives in terms of the activation's *output*.

That form is what backpropagation wants: the output is at hand, and the input need not be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

LEAK = 0.01  # the slope of the leaky ReLU below 0


def sigmoid(z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1 / (1 + exp(-z)), computed as ½ tanh(z/2) + ½, which overflows for no z."""
    out = np.asarray(np.tanh(z * 0.5))
    out *= 0.5
    out += 0.5
    return out


def d_sigmoid(out: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """dσ/dz = σ (1 - σ), from σ's output."""
    slope = np.asarray(1.0 - out)
    slope *= out
    return slope


def tanh(z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The hyperbolic tangent."""
    return np.tanh(z)


def d_tanh(out: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """d tanh/dz = 1 - tanh², from tanh's output."""
    return 1.0 - out * out


def relu(z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """max(z, 0)."""
    return np.maximum(z, 0.0)


def d_relu(out: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1 where the output is positive, else 0 (so 0 at the kink, by convention)."""
    return (out > 0).astype(out.dtype)


def leaky_relu(z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """max(z, z/100): a unit below 0 still has a slope, so it cannot die (Maas et al., 2013)."""
    return np.maximum(z, LEAK * z)


def d_leaky_relu(out: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1 where the output is not negative (the kink too, by convention), else 1/100."""
    return np.where(out >= 0, 1.0, LEAK).astype(out.dtype, copy=False)


def elu(z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """z above 0, exp(z) - 1 below: smooth, bounded by -1 (Clevert et al., 2016, with α = 1)."""
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0.0)))


def d_elu(out: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """exp(z) below 0, which is the output plus 1; else 1."""
    return np.minimum(out, 0.0) + 1.0


def softmax(
    z: Float[np.ndarray, "*members rows classes"], bounded: bool = False
) -> Float[np.ndarray, "*members rows classes"]:
    """exp(z) / Σ exp(z) a row, with the row's maximum taken off first, which changes nothing and overflows for no z.

    Where z is ``bounded`` (by an activation, within ±1) the maximum stays.
    """
    # The ufunc's own reduction: .max passes through Python first, which shows at a batch of eight.
    exponentials = np.exp(z if bounded else z - np.maximum.reduce(z, axis=-1, keepdims=True))
    exponentials /= row_sums(exponentials)
    return exponentials


def row_sums(values: Float[np.ndarray, "*members rows columns"]) -> Float[np.ndarray, "*members rows 1"]:
    """The sum of each row; of a single matrix as a product with ones, a third of the time of a reduction over few columns."""
    if values.ndim != 2:
        return np.add.reduce(values, axis=-1, keepdims=True)
    return values.dot(_ones(values.shape[1], values.dtype.char))


@lru_cache(maxsize=64)
def _ones(rows: int, kind: str) -> np.ndarray:
    return np.ones((rows, 1), kind)


def d_softmax(out: Float[np.ndarray, " classes"]) -> Float[np.ndarray, "classes classes"]:
    """The full Jacobian diag(s) - s sᵀ of one row, from softmax's output; its row sums are 0."""
    return np.diag(out) - np.outer(out, out)


class Activation(NamedTuple):
    """An elementwise function and its derivative in terms of its output."""

    function: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray]


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, d_sigmoid),
    "tanh": Activation(tanh, d_tanh),
    "relu": Activation(relu, d_relu),
    "leaky-relu": Activation(leaky_relu, d_leaky_relu),
    "elu": Activation(elu, d_elu),
}


@lru_cache(maxsize=32)  # so that networks of one kind have the same one, by which it is told that they can be stacked
def activation_for(name: str, dtype: np.dtype) -> Activation:
    """The activation ``name`` for arrays of ``dtype`` alone, to the bit the one in ``ACTIVATIONS``; it may overwrite z.

    A step of eight rows costs its calls: the sigmoid's numbers are made once, as numpy would convert them at each use, and
    it writes where it reads. A quarter less than in general.
    """
    if name != "sigmoid":
        return ACTIVATIONS[name]
    half, one = np.array(0.5, dtype), np.array(1.0, dtype)

    def function(z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        z *= half
        np.tanh(z, z)
        z *= half
        z += half
        return z

    def derivative(out: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        slope = one - out
        slope *= out
        return slope

    return Activation(function, derivative)
