"""Layers by hand: what each computes, and how a gradient passes back through it.

A layer holds sizes, not arrays. ``forward`` returns the output and whatever ``backward`` needs; ``backward`` takes the
gradient of a scalar in the output and returns that in the input and in each parameter: it is multiplication by the
transposed Jacobian, which is never formed.

    x  inputs (rows, n_in)      W, V  weights      b  bias      f  activation      ∘  elementwise product

Parameters with a leading axis of members are those of a stack of models: all that is said of rows then has that axis too. The
inputs of a stack's first layer may be without it: the same for every member.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from mlhw.numerics.activations import ACTIVATIONS
from mlhw.numerics.products import times, transposed_times

Named = dict[str, np.ndarray]


@runtime_checkable
class Layer(Protocol):
    """A differentiable function of rows and named parameters."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter by name; empty where there is none."""

    def forward(self, inputs: np.ndarray, parameters: Named, rng: np.random.Generator | None) -> tuple[np.ndarray, Any]:
        """The output (rows, n_out), and what ``backward`` needs. Without ``rng`` nothing is left to chance."""

    def backward(self, d_out: np.ndarray, memory: Any, parameters: Named) -> tuple[np.ndarray, Named]:
        """The gradients in the inputs and in each parameter, from that in the output."""


@dataclass(frozen=True)
class Dense:
    """f(x W + b); without an activation x W + b."""

    n_in: int
    n_out: int
    activation: str | None = None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"W": (self.n_in, self.n_out), "b": (self.n_out,)}

    def forward(
        self,
        inputs: Float[np.ndarray, "*#members rows n_in"],
        parameters: Named,
        rng: np.random.Generator | None = None,
    ) -> tuple[Float[np.ndarray, "*#members rows n_out"], Any]:
        out = times(inputs, parameters["W"])
        out += parameters["b"][..., None, :]
        if self.activation:
            out = ACTIVATIONS[self.activation].function(out)
        return out, (inputs, out)

    def backward(
        self, d_out: Float[np.ndarray, "*#members rows n_out"], memory: Any, parameters: Named
    ) -> tuple[Float[np.ndarray, "*#members rows n_in"], Named]:
        """δ = d_out ∘ f′; ∂W = xᵀδ, ∂b = Σδ, ∂x = δWᵀ."""
        inputs, out = memory
        delta = d_out * ACTIVATIONS[self.activation].derivative(out) if self.activation else d_out
        gradients = {"W": transposed_times(inputs, delta), "b": delta.sum(axis=-2)}
        return delta @ parameters["W"].swapaxes(-1, -2), gradients


@dataclass(frozen=True)
class Residual:
    """x + f(x W + b) V: the layer learns what to add to its input (He et al., CVPR 2016, without batch norm)."""

    n_in: int
    units: int
    activation: str = "tanh"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"W": (self.n_in, self.units), "b": (self.units,), "V": (self.units, self.n_in)}

    def forward(
        self,
        inputs: Float[np.ndarray, "*#members rows n_in"],
        parameters: Named,
        rng: np.random.Generator | None = None,
    ) -> tuple[Float[np.ndarray, "*#members rows n_in"], Any]:
        hidden = times(inputs, parameters["W"])
        hidden += parameters["b"][..., None, :]
        hidden = ACTIVATIONS[self.activation].function(hidden)
        return inputs + hidden @ parameters["V"], (inputs, hidden)

    def backward(
        self, d_out: Float[np.ndarray, "*#members rows n_in"], memory: Any, parameters: Named
    ) -> tuple[Float[np.ndarray, "*#members rows n_in"], Named]:
        """∂V = hᵀd_out, δ = d_out Vᵀ ∘ f′; ∂W = xᵀδ, ∂b = Σδ, ∂x = d_out + δWᵀ."""
        inputs, hidden = memory
        delta = (d_out @ parameters["V"].swapaxes(-1, -2)) * ACTIVATIONS[self.activation].derivative(hidden)
        gradients = {
            "W": transposed_times(inputs, delta),
            "b": delta.sum(axis=-2),
            "V": transposed_times(hidden, d_out),
        }
        return d_out + delta @ parameters["W"].swapaxes(-1, -2), gradients


@dataclass(frozen=True)
class Dropout:
    """Each value is 0 with probability ``rate`` and divided by 1 - rate otherwise, so that its mean stays (Srivastava
    et al., 2014, inverted); the identity where there is no generator to draw from, as in scoring."""

    rate: float

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {}

    def forward(
        self, inputs: Float[np.ndarray, "rows n_in"], parameters: Named, rng: np.random.Generator | None = None
    ) -> tuple[Float[np.ndarray, "rows n_in"], Any]:
        if rng is None or not self.rate:
            return inputs, None
        mask = (rng.random(inputs.shape, dtype=np.float32) >= self.rate).astype(inputs.dtype)
        mask /= 1.0 - self.rate
        return inputs * mask, mask

    def backward(
        self, d_out: Float[np.ndarray, "rows n_in"], memory: Any, parameters: Named
    ) -> tuple[Float[np.ndarray, "rows n_in"], Named]:
        return (d_out if memory is None else d_out * memory), {}
