"""What each kind of ``torch.nn`` layer does to the places of its input, in words, fields and arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from torch import nn

from mlhw.errors import MlhwError
from mlhw.models.receptive_field import Span, adaptive_taps, window_taps
from mlhw.numerics.arithmetic import convolution_parameters, output_size, pair

Field = tuple[Span, ...]  # one span an axis of the input
Shape = Sequence[int]

PLACE_BY_PLACE = (  # every place stays where it is; flattened, the places keep their fields until a linear layer joins them
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SiLU, nn.GELU, nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Hardswish),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout, nn.Dropout2d, nn.Identity, nn.Flatten),
)
FUNCTIONS = {  # by name without underscores: Tensor.__iadd__, torch.relu_, …
    **dict.fromkeys(("add", "iadd", "radd"), "Add"),
    **dict.fromkeys(("mul", "imul", "rmul"), "Multiply"),
    "relu": "ReLU",
    "cat": "Concatenate",
    "flatten": "Flatten",
}


class Effect(NamedTuple):
    """What a layer does: its kind in words, what its output sees, its multiply-adds, and the arithmetic of its size."""

    kind: str
    field: Field
    multiply_adds: int = 0
    by_hand: str = ""


def of_layer(layer: nn.Module, field: Field, before: Shape, after: Shape) -> Effect:
    """The effect of ``layer``, which made an output of shape ``after`` of an input of shape ``before`` and ``field``.

    Shapes are those of one example, channels first.

    Raises:
        MlhwError: the output's size or the number of weights is not what the arithmetic says, or there is no rule.
    """
    if isinstance(layer, nn.Conv2d):
        _check_weights(layer)
        return _window(layer, field, before, after)
    if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
        return _window(layer, field, before, after)
    if isinstance(layer, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        taps = [adaptive_taps(*sizes) for sizes in zip(before[1:], after[1:], strict=True)]
        name = type(layer).__name__.removeprefix("Adaptive").removesuffix("2d")
        return Effect(f"{name} to {_by(after[1:])}", _through(field, taps))
    if isinstance(layer, nn.Linear) and len(after) == 1:
        return Effect("Linear", tuple(span.joined() for span in field), layer.weight.numel())
    if isinstance(layer, PLACE_BY_PLACE):
        name = type(layer).__name__.removesuffix("1d").removesuffix("2d")
        return Effect(f"{name} {layer.p:g}" if isinstance(layer, nn.Dropout | nn.Dropout2d) else name, field)
    raise MlhwError(f"there is no rule for a {type(layer).__name__} of {_by(after)} yet: add one to {__name__}.")


def of_function(name: str, fields: Sequence[Field]) -> Effect:
    """The effect of a function of tensors with ``fields``: place by place it sees what any of them sees.

    Raises:
        MlhwError: there is no rule for it.
    """
    plain = name.strip("_")
    if plain not in FUNCTIONS:
        raise MlhwError(f"there is no rule for the function {name} yet: add one to {__name__}.")
    joined = fields[0]
    for other in fields[1:]:
        joined = tuple(span.beside(more) for span, more in zip(joined, other, strict=True))
    return Effect(FUNCTIONS[plain], joined)


def _window(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, field: Field, before: Shape, after: Shape) -> Effect:
    kernel, stride, dilation = pair(layer.kernel_size), pair(layer.stride), pair(getattr(layer, "dilation", 1))
    if isinstance(layer.padding, str):
        raise MlhwError(
            f"padding '{layer.padding}' is not in pixels: give the number, for a kernel k and stride 1 (k-1)/2."
        )
    padding = pair(layer.padding)
    ceil = getattr(layer, "ceil_mode", False)
    windows = list(zip(kernel, stride, padding, dilation, strict=True))
    axes = list(zip(before[1:], after[1:], windows, strict=True))
    lines = dict.fromkeys(_check_size(*axis, ceil) for axis in axes)  # height and width, where they differ
    taps = [window_taps(places, *window) for _, places, window in axes]
    words = [f"{type(layer).__name__.replace('Pool2d', 'Pool')} {_by(kernel)}"]
    groups = getattr(layer, "groups", 1)
    if groups > 1:
        words.append("depthwise" if groups == before[0] else f"in {groups} groups")
    defaults = {"stride": (stride, 1), "pad": (padding, 0), "dilation": (dilation, 1)}
    words += [f"{word} {_one(numbers)}" for word, (numbers, plain) in defaults.items() if set(numbers) != {plain}]
    weights = layer.weight.numel() if isinstance(layer, nn.Conv2d) else 0
    return Effect(" ".join(words), _through(field, taps), weights * prod(after[1:]), "; ".join(lines))


def _through(field: Field, taps: Sequence[np.ndarray]) -> Field:
    return tuple(span.through(tap) for span, tap in zip(field, taps, strict=True))


def _check_size(size: int, places: int, window: tuple[int, int, int, int], ceil: bool) -> str:
    """The arithmetic of an output of ``places`` along one axis, written out. Raises MlhwError where it says otherwise."""
    kernel, stride, padding, dilation = window
    span = dilation * (kernel - 1) + 1
    says = output_size(size, kernel, stride, padding, dilation)
    if ceil and (size + 2 * padding - span) % stride and says * stride < size + padding:
        says += 1  # one more window hangs over the end; torch leaves it out where it would begin in the padding
    brackets = "⌈⌉" if ceil else "⌊⌋"
    line = f"{brackets[0]}({size} - {span} + 2·{padding})/{stride}{brackets[1]} + 1 = {says}"
    if says != places:
        raise MlhwError(f"arithmetic says {line}, but the network gives {places}.")
    return line


def _check_weights(layer: nn.Conv2d) -> None:
    """Raise MlhwError unless each filter has a kernel for each channel that it reads, and perhaps a bias."""
    channels, filters = layer.in_channels // layer.groups, layer.out_channels
    says = convolution_parameters(channels, filters, pair(layer.kernel_size), bias=layer.bias is not None)
    found = sum(value.numel() for value in layer.parameters())
    if says != found:
        raise MlhwError(f"arithmetic says {says:,} weights for {filters} filters, but the layer has {found:,}.")


def _by(numbers: Sequence[int]) -> str:
    return "×".join(map(str, numbers))


def _one(numbers: tuple[int, int]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else _by(numbers)
