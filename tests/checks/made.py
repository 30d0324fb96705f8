"""Small networks and layers to check, and faults to plant in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlhw.arrays import Scaling
from mlhw.checks.chains import move_biases
from mlhw.checks.maps import Check, Map
from mlhw.checks.networks import network_map
from mlhw.models import numpy_mlp, numpy_resnet, tensor_mlp
from mlhw.numerics.layers import Dense, Residual

ROWS, FEATURES, CLASSES = 7, 5, 4


def resnet(layers: int, activation: str = "tanh", seed: int = 0, **options: Any) -> Any:
    """A network of ``layers`` layers in all, dense and residual ones in turn; 0.1·randn as the course begins."""
    kinds = [{"kind": ("dense", "residual")[layer % 2], "units": 6 + layer} for layer in range(layers - 1)]
    return numpy_resnet.build(
        input_shape=(FEATURES,), classes=CLASSES, seed=seed, layers=kinds, activation=activation, **options
    )


def mlp(kind: str, activation: str = "sigmoid", seed: int = 0, **options: Any) -> Any:
    """A numpy or tensor network with two hidden layers."""
    build = numpy_mlp.build if kind == "numpy" else tensor_mlp.build
    return build(
        input_shape=(FEATURES,),
        classes=CLASSES,
        seed=seed,
        hidden_sizes=(6, 3),
        activation=activation,
        dtype="float64",
        **options,
    )


def loss(model: Any, seed: int = 0) -> tuple[Map, np.random.Generator]:
    """The loss of ``model`` on random rows, its biases moved, and the generator to go on with."""
    rng = np.random.default_rng(seed)
    inputs = model.as_inputs(rng.standard_normal((ROWS, FEATURES)), Scaling())
    move_biases(model, np.asarray(inputs), rng)
    return network_map(model, inputs, model.as_targets(rng.integers(0, CLASSES, ROWS))), rng


def failed(checks: list[Check]) -> set[tuple[str, str]]:
    """The test and the argument of each check that failed."""
    return {(check.test, check.name) for check in checks if not check.passed}


@dataclass(frozen=True)
class WrongSign(Dense):
    def backward(self, d_out: Any, memory: Any, parameters: Any) -> Any:
        d_inputs, gradients = Dense.backward(self, d_out, memory, parameters)
        return d_inputs, gradients | {"W": -gradients["W"]}


@dataclass(frozen=True)
class NoBias(Dense):
    def backward(self, d_out: Any, memory: Any, parameters: Any) -> Any:
        d_inputs, gradients = Dense.backward(self, d_out, memory, parameters)
        return d_inputs, gradients | {"b": 0.0 * gradients["b"]}


@dataclass(frozen=True)
class NoSkip(Residual):
    def backward(self, d_out: Any, memory: Any, parameters: Any) -> Any:
        d_inputs, gradients = Residual.backward(self, d_out, memory, parameters)
        return d_inputs - d_out, gradients


@dataclass(frozen=True)
class OneEntry(Dense):
    def backward(self, d_out: Any, memory: Any, parameters: Any) -> Any:
        d_inputs, gradients = Dense.backward(self, d_out, memory, parameters)
        gradients["W"][1, 2] *= 1.001
        return d_inputs, gradients


@dataclass(frozen=True)
class DeafForward(Dense):
    """Its output lacks the bias; its backward pass does not know."""

    def forward(self, inputs: Any, parameters: Any, rng: Any = None) -> Any:
        return Dense.forward(self, inputs, parameters | {"b": np.zeros(self.n_out)}, rng)
