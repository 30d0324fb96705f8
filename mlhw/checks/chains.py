"""Hand-written networks as chains of layers, and a point where their derivatives can be checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from mlhw.checks.stacked import Placed
from mlhw.models.numpy_mlp import NumpyMlp
from mlhw.models.numpy_resnet import NumpyResnet
from mlhw.models.tensor_mlp import TensorMlp
from mlhw.numerics.layers import Dense, Layer, Named

KINKED: Final = ("relu", "leaky-relu", "elu")  # the slope jumps at 0, or (ELU) the slope's slope
_BIAS: Final = 0.1  # biases at 0, as they begin, would hide a forgotten bias


@dataclass(frozen=True)
class Link:
    """One layer of a network: its ``title``, the layer, and its parameters' names here (W, b) and there (W1, b1)."""

    title: str
    layer: Layer
    names: dict[str, str]

    def placed(self, parameters: Named) -> Placed:
        """The layer with its own of the network's ``parameters``; a bias that the network has not is 0."""
        own = {short: parameters[name] for short, name in self.names.items()}
        return Placed(self.layer, {short: np.zeros(shape) for short, shape in self.layer.shapes.items()} | own)


def chain(model: Any) -> list[Link]:
    """The layers of a hand-written ``model``, bottom to top.

    Raises:
        TypeError: the model is not one of the hand-written ones.
    """
    if isinstance(model, NumpyResnet):
        return _resnet_chain(model)
    if not isinstance(model, NumpyMlp | TensorMlp):
        raise TypeError(f"{type(model).__name__} is not written by hand")
    links = []
    squash_last = isinstance(model, NumpyMlp) and model.squash_scores
    for number in range(1, model.layers + 1):
        n_in, n_out = model.parameters[f"W{number}"].shape
        activation = model.activation_name if number < model.layers or squash_last else None
        names = {short: f"{short}{number}" for short in "Wb" if f"{short}{number}" in model.parameters}
        links.append(Link(_title(number, "dense", activation), Dense(n_in, n_out, activation), names))
    return links


def _resnet_chain(model: NumpyResnet) -> list[Link]:
    links: list[Link] = []
    for layer, names in zip(model.layers, model.names, strict=True):
        number = sum(bool(link.names) for link in links) + bool(names)
        kind = type(layer).__name__.lower()
        links.append(Link(_title(number, kind, getattr(layer, "activation", None)), layer, dict(names)))
    return links


def _title(number: int, kind: str, activation: str | None) -> str:
    if kind == "dropout":
        return f"dropout after {number}"
    return f"layer {number} {kind}" + (f" {activation}" if activation else "")


def arrays(model: Any) -> Named:
    """The model's parameters as numpy arrays, which share memory with it: what is written to them the model sees."""
    return {name: np.asarray(value) for name, value in model.parameters.items()}


def move_biases(model: Any, inputs: Float[np.ndarray, "rows features"], rng: np.random.Generator) -> None:
    """Move the model's biases off 0, and every unit of a kinked activation as far from its kink as its bias can, in place.

    A derivative at a kink is a convention and no limit; one step of 6e-6 across it spoils a difference. Loosening the
    tolerance would hide real faults, so the point is moved: of all gaps between the unit's inputs over the rows, its bias
    goes to the middle of the widest.
    """
    parameters = arrays(model)
    for link in chain(model):
        placed = link.placed(parameters)
        if "b" in link.names:
            bias = placed.own["b"]
            bias += _BIAS * rng.standard_normal(bias.shape)
            if getattr(link.layer, "activation", None) in KINKED:
                bias += away_from_kinks(inputs @ placed.own["W"] + bias)
        inputs = placed.layer.forward(inputs, placed.own, None)[0]


def away_from_kinks(z: Float[np.ndarray, "rows units"]) -> Float[np.ndarray, " units"]:
    """For each unit the shift, of at most its deviation over the rows, that takes its values farthest from 0."""
    reach = np.maximum(z.std(axis=0), _BIAS)
    marks = np.sort(np.concatenate([np.clip(-z, -reach, reach), [-reach], [reach]]), axis=0)
    gaps = np.diff(marks, axis=0)
    widest, every = gaps.argmax(axis=0), np.arange(z.shape[1])
    return np.asarray(marks[widest, every] + 0.5 * gaps[widest, every])


def layer_inputs(model: Any, inputs: Float[np.ndarray, "rows features"]) -> list[tuple[Link, Placed, np.ndarray]]:
    """Each layer with its parameters and its actual input."""
    parameters, found = arrays(model), []
    for link in chain(model):
        placed = link.placed(parameters)
        found.append((link, placed, inputs))
        inputs = placed.layer.forward(inputs, placed.own, None)[0]
    return found
