"""A network of dense and residual layers in numpy alone, its gradients by hand: softmax regression where it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from mlhw.arrays import Scaling
from mlhw.models.flat import Maker, flat_rows, rows_of_bytes
from mlhw.numerics.activations import softmax
from mlhw.numerics.layers import Dense, Dropout, Layer, Named, Residual
from mlhw.numerics.losses import LOSSES
from mlhw.protocols import StepReport

Inputs = Float[np.ndarray, "*#members rows features"]
Targets = Int[np.ndarray, "*#members rows"]


class NumpyResnet:
    """``layers`` one after the other, the last a linear one that gives the class scores, and a loss of the scores.

    ``parameters`` holds W1, b1, … of dense layers and W2, b2, V2, … of residual ones, numbered in the order of the layers
    that have any; layers without parameters (dropout) are not counted. With a leading axis of members they are those of a
    stack of networks: what is computed then has that axis too, and a batch is shared or has it as well.
    """

    def __init__(self, parameters: Named, layers: Sequence[Layer], loss: str = "cross-entropy") -> None:
        self.parameters, self.layers = parameters, tuple(layers)
        self.loss, self.loss_name = LOSSES[loss], loss
        self.names = _names(self.layers)
        self.dtype = parameters["W1"].dtype

    def as_inputs(self, stored: np.ndarray, scaling: Scaling) -> Float[np.ndarray, "rows features"]:
        """Stored examples as flat, scaled rows of this model's dtype."""
        return flat_rows(stored, scaling, self.dtype)

    def rows_of_bytes(self, stored: np.ndarray, scaling: Scaling) -> tuple[np.ndarray, Maker]:
        """Stored bytes as flat rows of them, and what makes some of those rows inputs."""
        return rows_of_bytes(stored, scaling, self.dtype)

    def as_targets(self, stored: np.ndarray) -> Int[np.ndarray, " rows"]:
        """Class indices as this model takes them."""
        return stored

    def own(self, layer: int) -> Named:
        """The parameters of the layer at position ``layer`` by the names that the layer knows: W, b, V."""
        return {short: self.parameters[name] for short, name in self.names[layer].items()}

    def scores(self, inputs: Inputs) -> Float[np.ndarray, "*members rows classes"]:
        """The class scores, without dropout."""
        for position, layer in enumerate(self.layers):
            inputs = layer.forward(inputs, self.own(position), None)[0]
        return inputs

    def score(self, inputs: Inputs, targets: Targets) -> StepReport:
        """The summed loss and the number of rows whose largest score is the target's."""
        scores = self.scores(inputs)
        return _report(scores, self.loss(scores, targets)[0], targets)

    def probabilities(self, inputs: Inputs) -> Float[np.ndarray, "*members rows classes"]:
        """softmax of the scores: after least squares not a calibrated probability, but the same class on top."""
        return softmax(self.scores(inputs))

    def relu_outputs(self, inputs: Inputs) -> dict[str, np.ndarray]:
        """The output of every ReLU, (rows, units) by layer, named as its parameters are: ``layer 1``, …"""
        found = {}
        for position, layer in enumerate(self.layers):
            inputs, memory = layer.forward(inputs, self.own(position), None)
            if getattr(layer, "activation", None) == "relu":
                found[f"layer {self.names[position]['W'][1:]}"] = memory[1]
        return found

    def loss_and_grads(
        self, inputs: Inputs, targets: Targets, rng: np.random.Generator | None = None
    ) -> tuple[StepReport, Named]:
        """The report, and the gradients of the *mean* loss by parameter name; dropout acts where there is an ``rng``."""
        memories, out = [], inputs
        for position, layer in enumerate(self.layers):
            out, memory = layer.forward(out, self.own(position), rng)
            memories.append(memory)
        losses, delta = self.loss(out, targets)
        report = _report(out, losses, targets)
        delta /= report.count
        gradients: Named = {}
        for position in reversed(range(len(self.layers))):
            delta, found = self.layers[position].backward(delta, memories[position], self.own(position))
            gradients |= {self.names[position][short]: gradient for short, gradient in found.items()}
        return report, gradients


def _names(layers: Sequence[Layer]) -> tuple[dict[str, str], ...]:
    """For each layer, its own parameter names and those in the network: ``{'W': 'W1', 'b': 'b1'}``."""
    names, number = [], 0
    for layer in layers:
        number += bool(layer.shapes)
        names.append({short: f"{short}{number}" for short in layer.shapes})
    return tuple(names)


def _report(scores: np.ndarray, losses: np.ndarray, targets: np.ndarray) -> StepReport:
    hits = scores.argmax(axis=-1) == targets
    return StepReport(losses.sum(axis=-1), np.count_nonzero(hits, axis=-1), targets.shape[-1])


def build(
    *,
    input_shape: Sequence[int],
    classes: int,
    seed: int,
    layers: Sequence[Mapping[str, Any]] = (),
    activation: str = "tanh",
    loss: str = "cross-entropy",
    init: str = "small",
    dropout: float = 0.0,
    dtype: str = "float64",
) -> NumpyResnet:
    """A fresh network of ``layers``, each ``{'kind': 'dense' or 'residual', 'units': n}``, and a linear one at the end.

    Weights: 0.1·N(0, 1) (small), or normal with variance 2/(in+out) (Glorot) or 2/in (He); biases 0. ``dropout`` follows
    every layer but the last.
    """
    rng = np.random.default_rng(seed)
    width, stack = int(np.prod(input_shape)), list[Layer]()
    for layer in layers:
        if layer["kind"] == "residual":
            stack.append(Residual(width, layer["units"], activation))
        else:
            stack.append(Dense(width, layer["units"], activation))
            width = layer["units"]
        if dropout:
            stack.append(Dropout(dropout))
    stack.append(Dense(width, classes))
    parameters: Named = {}
    for part, names in zip(stack, _names(stack), strict=True):
        for short, shape in part.shapes.items():
            values = np.zeros(shape) if short == "b" else _deviation(init, *shape) * rng.standard_normal(shape)
            parameters[names[short]] = values.astype(dtype)
    return NumpyResnet(parameters, stack, loss)


def _deviation(init: str, n_in: int, n_out: int) -> float:
    return {"small": 0.1, "glorot": (2.0 / (n_in + n_out)) ** 0.5, "he": (2.0 / n_in) ** 0.5}[init]
