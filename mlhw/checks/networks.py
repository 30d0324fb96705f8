"""The loss of a whole hand-written network as a function of its parameters, and of one layer at its actual input."""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np
from jaxtyping import Float

from mlhw.checks.chains import arrays, chain
from mlhw.checks.differences import STEP, Differences, central_differences
from mlhw.checks.maps import Map
from mlhw.checks.rounding import measured_rounding
from mlhw.checks.stacked import Placed, input_differences, parameter_differences, step_for
from mlhw.checks.tangents import layer_tangent
from mlhw.numerics.layers import Dense, Dropout, Named, Residual
from mlhw.numerics.losses import LOSSES

_PATIENCE = 2.0  # seconds
_SAMPLE = 16  # entries of each parameter that the model's own loss is asked for


class Network:
    """A hand-written model at a point, with its loss on ``inputs`` and ``targets`` as the model takes them (float64)."""

    def __init__(self, model: Any, inputs: Any, targets: Any, dropout_seed: int | None = None) -> None:
        self.model, self.inputs, self.targets, self.dropout_seed = model, inputs, targets, dropout_seed
        self.parameters = arrays(model)
        self.at = {name: array.copy() for name, array in self.parameters.items()}

    def loss(self, parameters: Named) -> np.ndarray:
        """The model's own mean loss, () with ``parameters`` in place of its own."""
        self._set(parameters)
        try:
            report = self._forward()
        finally:
            self._set(self.at)
        return np.asarray(float(report.loss_sum) / len(self.targets))

    def gradients(self, parameters: Named) -> Named:
        """The model's own gradients, likewise."""
        self._set(parameters)
        try:
            return {name: np.asarray(found).copy() for name, found in self._both()[1].items()}
        finally:
            self._set(self.at)

    def _forward(self) -> Any:
        if self.dropout_seed is None:
            return self.model.score(self.inputs, self.targets)
        return self._both()[0]

    def _both(self) -> Any:
        # A generator of the same seed draws the same mask again: with dropout the loss is still one function.
        chance = () if self.dropout_seed is None else (np.random.default_rng(self.dropout_seed),)
        return self.model.loss_and_grads(self.inputs, self.targets, *chance)

    def _set(self, parameters: Named) -> None:
        for name, array in parameters.items():
            if self.parameters[name] is not array:
                self.parameters[name][...] = array


def network_map(
    model: Any,
    inputs: Any,
    targets: Any,
    title: str = "loss",
    dropout_seed: int | None = None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Map:
    """The mean loss of ``model`` as a function of its parameters, with the model's own backward pass as the derivative.

    ``progress`` is told of the entries done where they take longer than two seconds.
    """
    network = Network(model, inputs, targets, dropout_seed)

    def oracle(tensors: dict[str, Any]) -> Any:
        import torch

        from mlhw.checks.oracles import oracle_loss

        return oracle_loss(model, tensors, torch.as_tensor(inputs), torch.as_tensor(targets))

    total, done, began = sum(array.size for array in network.at.values()), 0, monotonic()

    def tick(entries: int) -> None:
        nonlocal done
        done += entries
        if monotonic() - began > _PATIENCE:
            progress("every entry by differences", done, total)

    def differences(name: str, u: np.ndarray) -> Differences:
        return _network_differences(network, name, float(u), tick)

    plain = dropout_seed is None
    return Map(
        title,
        network.at,
        network.loss,
        lambda at, u: {name: u * found for name, found in network.gradients(at).items()},
        oracle=oracle if plain else None,
        differences=differences if plain else None,
        rows=len(targets),
    )


def _network_differences(network: Network, name: str, scale: float, tick: Callable[[int], None]) -> Differences:
    """Stacked differences where the chain of layers computes what the model does, else one entry after the other."""

    def f(array: np.ndarray) -> float:
        return scale * float(network.loss(network.at | {name: array}))

    rounding = measured_rounding(f, network.at[name])
    inputs, targets = np.asarray(network.inputs), np.asarray(network.targets)
    links = chain(network.model)
    placed = [link.placed(network.at) for link in links]
    place = next(position for position, link in enumerate(links) if name in link.names.values())
    short = next(own for own, full in links[place].names.items() if full == name)
    for below in placed[:place]:
        inputs = below.layer.forward(inputs, below.own, None)[0]

    def mean_loss(outputs: np.ndarray) -> np.ndarray:
        copies, rows, classes = outputs.shape
        each = LOSSES[getattr(network.model, "loss_name", "cross-entropy")]
        losses = each(outputs.reshape(copies * rows, classes), np.tile(targets, copies))[0]
        return scale * losses.reshape(copies, rows).mean(axis=1)

    if not isinstance(placed[place].layer, Dense | Residual):
        return central_differences(f, network.at[name], rounding=rounding)
    found = parameter_differences(placed[place:], short, inputs, mean_loss, rounding, tick)
    return found if _agrees(found, f, network.at[name], step_for(inputs)) else central_differences(f, network.at[name])


def _agrees(found: Differences, f: Any, w: np.ndarray, step: float) -> bool:
    """Whether ``f`` itself has the slopes ``found`` in a sample of the entries: the largest, and some at random."""
    flat = found.low.reshape(-1)
    rng = np.random.default_rng(0)
    sample = {int(np.abs(flat).argmax()), *rng.integers(0, flat.size, _SAMPLE).tolist()}
    point = w.copy()
    moved = point.reshape(-1)
    for entry in sample:
        at = float(moved[entry])
        moved[entry] = at + step
        above = f(point)
        moved[entry] = at - step
        below = f(point)
        moved[entry] = at
        if not abs((above - below) / (2 * step) - flat[entry]) <= 1e-6 * abs(flat[entry]) + found.noise:
            return False
    return True


def layer_map(title: str, placed: Placed, inputs: Float[np.ndarray, "rows n_in"]) -> Map:
    """One layer as a function of its input X and its own parameters, with the layer's ``backward`` as the derivative.

    Dropout is checked as it trains, with a mask that the same seed draws each time.
    """
    layer = placed.layer
    at = {"X": np.array(inputs, dtype=np.float64)} | {short: placed.own[short].copy() for short in placed.own}

    def chance() -> np.random.Generator | None:
        return np.random.default_rng(0) if isinstance(layer, Dropout) else None

    def function(arrays: Named) -> np.ndarray:
        return np.asarray(layer.forward(arrays["X"], arrays, chance())[0])

    def pullback(arrays: Named, u: np.ndarray) -> Named:
        memory = layer.forward(arrays["X"], arrays, chance())[1]
        d_inputs, gradients = layer.backward(u, memory, arrays)
        return {"X": d_inputs} | gradients

    def oracle(tensors: dict[str, Any]) -> Any:
        from mlhw.checks.oracles import oracle_layer

        return oracle_layer(layer, tensors, tensors["X"])

    def differences(name: str, u: np.ndarray) -> Differences:
        def f(array: np.ndarray) -> float:
            return float(np.vdot(u, function(at | {name: array})))

        rounding = measured_rounding(f, at[name])
        if name == "X":
            found = input_differences(placed, at["X"], u, rounding)
            step = STEP
        else:
            found = parameter_differences([placed], name, at["X"], lambda out: np.einsum("crn,rn->c", out, u), rounding)
            step = step_for(at["X"])
        return found if _agrees(found, f, at[name], step) else central_differences(f, at[name])

    if not isinstance(layer, Dense | Residual):
        return Map(title, at, function, pullback, rows=len(inputs))
    tangent = functools.partial(layer_tangent, layer)
    return Map(title, at, function, pullback, tangent, oracle, differences, len(inputs))
