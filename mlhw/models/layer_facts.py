"""What is to be known of each layer of a network: its output, parameters, multiply-adds and receptive field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from mlhw.models.numpy_resnet import NumpyResnet
from mlhw.numerics.layers import Dense, Dropout, Residual


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer, for one example.

    ``output_shape`` is (channels, height, width) or (units,); ``parameters`` are trained, ``buffers`` are not;
    ``multiply_adds`` are the multiplications by a weight. ``receptive_field`` is how many input pixels (height, width), or
    values of a flat input, the output value sees that sees most; ``sees_all`` that every one sees the whole input.
    ``kept_values`` are the numbers that the layer adds to memory: 0 where it only views its input or writes over it.
    ``by_hand`` is the arithmetic of a window's output size; ``block`` the class of the network's part that the layer is in.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int = 0
    buffers: int = 0
    multiply_adds: int = 0
    receptive_field: tuple[int, ...] = ()
    sees_all: bool = False
    kept_values: int = 0
    by_hand: str = ""
    block: str = ""


def hand_written_layers(model: Any, input_shape: Sequence[int]) -> list[LayerFacts]:
    """The layers of a hand-written model (numpy or torch tensors) that is fed examples of ``input_shape``, as stored.

    A layer bears the number that its parameters have: W1, b1, … Every layer with weights sees the whole input.
    """
    seen = tuple(input_shape[:2]) if len(input_shape) == 3 else (prod(input_shape),)
    parts = _stacked(model) if isinstance(model, NumpyResnet) else _perceptron(model)
    found: list[LayerFacts] = []
    for name, kind, kept, weights in parts:
        output = kept[-1:] or found[-1].output_shape
        parameters = sum(prod(weight.shape) for weight in weights)
        multiplied = sum(prod(weight.shape) for weight in weights if weight.ndim == 2)
        found.append(
            LayerFacts(name, kind, output, parameters, 0, multiplied, seen, sees_all=True, kept_values=sum(kept))
        )
    return found


# The name, the kind, the widths of what it keeps (its output last) and the parameters of a layer.
Part = tuple[str, str, tuple[int, ...], list[Any]]


def _perceptron(model: Any) -> list[Part]:
    """The layers of a multi-layer perceptron, numpy's or torch's."""
    parts: list[Part] = []
    for number in range(1, model.layers + 1):
        weights = [model.parameters[name] for name in (f"W{number}", f"b{number}") if name in model.parameters]
        squashed = number < model.layers or getattr(model, "squash_scores", False)
        kind = f"Dense {model.activation_name}" if squashed else "Dense"
        parts.append((str(number), kind, (weights[0].shape[1],), weights))
    return parts


def _stacked(model: NumpyResnet) -> list[Part]:
    """The layers of a network of dense and residual ones."""
    parts: list[Part] = []
    for layer, names in zip(model.layers, model.names, strict=True):
        weights = [model.parameters[name] for name in names.values()]
        parts.append((names["W"][1:] if names else "dropout", _kind(layer), _width(layer), weights))
    return parts


def _kind(layer: Any) -> str:
    if isinstance(layer, Dropout):
        return f"Dropout {layer.rate:g}"
    if isinstance(layer, Residual):
        return f"Residual {layer.activation}, {layer.units} units"
    return f"Dense {layer.activation or ''}".strip()


def _width(layer: Any) -> tuple[int, ...]:
    """How many values the layer newly keeps, its output last; dropout keeps none where nothing is left to chance."""
    if isinstance(layer, Residual):
        return (layer.units, layer.n_in)
    return (layer.n_out,) if isinstance(layer, Dense) else ()
