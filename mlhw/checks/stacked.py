"""Central differences against every entry of a layer's parameters, at the price of a few hundred evaluations.

101,770 parameters are 203,540 evaluations of the loss, half a minute at eight rows. But W[i, j] moves column j of xW alone, so
all entries of a column can be moved at once, each in a copy of its own; and the layers above work row by row, so that the
copies pass through them, through their own ``forward``, as one tall batch. What is assumed is that a dense layer is f(xW + b)
and a residual one x + f(xW + b)V; :func:`mlhw.checks.networks.network_map` compares a sample of the entries with the model's
own loss and computes every entry the slow way where they differ.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from mlhw.checks.differences import CERTAIN, STEP, Differences
from mlhw.numerics.activations import ACTIVATIONS
from mlhw.numerics.layers import Dense, Layer, Named, Residual

_MOST_VALUES = 4_000_000  # of a stack of outputs: 32 MB, and a few times that on the way


class Placed(NamedTuple):
    """A layer with its own parameters, by the names that it knows."""

    layer: Layer
    own: Named


Outputs = Float[np.ndarray, "copies rows _"]
Value = Callable[[Outputs], Float[np.ndarray, " copies"]]


def parameter_differences(
    layers: Sequence[Placed],
    name: str,
    inputs: Float[np.ndarray, "rows n_in"],
    value: Value,
    rounding: float,
    tick: Callable[[int], None] = lambda entries: None,
) -> Differences:
    """The slope of ``value`` of what ``layers`` make of ``inputs``, in every entry of the first one's parameter ``name``.

    Args:
        layers: the layer in question, and those above it.
        name: W, b or V.
        inputs: what the first layer gets.
        value: a number for each copy of the last layer's output.
        rounding: how far rounding moves ``value``.
        tick: is told how many entries are done since it was last told.

    Raises:
        TypeError: the first layer is neither dense nor residual.
    """
    step = step_for(inputs)
    slopes = np.empty(layers[0].own[name].shape)
    for index, moved in _moved(layers[0], name, inputs):
        above, below = (value(_through(layers[1:], moved(sign * step))) for sign in (1.0, -1.0))
        slopes[index] = (above - below) / (2.0 * step)
        tick(len(above))
    return Differences(slopes, slopes, CERTAIN * rounding / step)


def input_differences(
    placed: Placed, inputs: Float[np.ndarray, "rows n_in"], u: Float[np.ndarray, "rows n_out"], rounding: float
) -> Differences:
    """The slope of <u, layer(inputs)> in every entry of ``inputs``, for a layer that works row by row."""
    slopes = np.empty(inputs.shape)
    for row, values in enumerate(inputs):
        moves = STEP * np.diag(np.maximum(1.0, np.abs(values)))
        above, below = (placed.layer.forward(values + sign * moves, placed.own, None)[0] @ u[row] for sign in (1, -1))
        slopes[row] = (above - below) / (2.0 * np.diag(moves))
    return Differences(slopes, slopes, CERTAIN * rounding / STEP)


def step_for(inputs: Float[np.ndarray, "rows n_in"]) -> float:
    """The step in a weight that moves the products with ``inputs`` by ∛ε, where the inputs are larger than 1."""
    return STEP / max(1.0, float(np.abs(inputs).max(initial=0.0)))


def _through(layers: Sequence[Placed], outputs: Outputs) -> Outputs:
    copies, rows, width = outputs.shape
    flat = outputs.reshape(copies * rows, width)
    for placed in layers:
        flat = placed.layer.forward(flat, placed.own, None)[0]
    return flat.reshape(copies, rows, -1)


Moved = Callable[[float], Outputs]


def _moved(placed: Placed, name: str, inputs: np.ndarray) -> Iterator[tuple[Any, Moved]]:
    """For each batch of entries its index, and the outputs when each of them is moved by a step, in a copy of its own."""
    layer, own = placed
    if isinstance(layer, Dense):
        activation = ACTIVATIONS[layer.activation].function if layer.activation else np.positive
        z = inputs @ own["W"] + own["b"]
        yield from _columns(activation(z), z, activation, None, name, inputs)
    elif isinstance(layer, Residual):
        activation = ACTIVATIONS[layer.activation].function
        z = inputs @ own["W"] + own["b"]
        hidden = activation(z)
        out = inputs + hidden @ own["V"]
        if name == "V":
            yield from _columns(out, out, np.positive, None, "W", hidden)
        else:
            yield from _columns(out, z, activation, own["V"], name, inputs)
    else:
        raise TypeError(f"no stacked differences for {type(layer).__name__}")


def _columns(
    out: np.ndarray, z: np.ndarray, activation: Callable[[np.ndarray], np.ndarray], after: Any, name: str, inputs: Any
) -> Iterator[tuple[Any, Moved]]:
    """Moves of W in z = inputs W + b, a column at a time, or of all of b at once; ``after`` multiplies activation(z)."""
    still = activation(z)

    def outputs(columns: Any, deltas: np.ndarray) -> Outputs:
        """``out`` with column ``columns[copy]`` of z moved by ``deltas[copy]`` (rows,)."""
        copies = np.repeat(out[None], len(deltas), axis=0)
        every = np.arange(len(deltas))
        change = activation(z.T[columns] + deltas) - still.T[columns]
        if after is None:
            copies[every, :, columns] += change
        else:
            copies += change[:, :, None] * after[columns][:, None, :]
        return copies

    units, most = z.shape[1], max(1, _MOST_VALUES // out.size)
    if name == "b":
        for part in _parts(units, most):
            yield part, functools.partial(_moved_by, outputs, np.arange(units)[part], np.ones((units, len(z)))[part])
        return
    for unit in range(units):
        for part in _parts(inputs.shape[1], most):
            deltas = inputs.T[part]
            yield (part, unit), functools.partial(_moved_by, outputs, np.full(len(deltas), unit), deltas)


def _moved_by(outputs: Callable[..., Outputs], columns: np.ndarray, deltas: np.ndarray, step: float) -> Outputs:
    return outputs(columns, step * deltas)


def _parts(count: int, most: int) -> Iterator[slice]:
    return (slice(start, start + most) for start in range(0, count, most))
