"""Every layer, activation and loss that mlhw has, each at a point where it can be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from mlhw.checks.chains import KINKED, away_from_kinks
from mlhw.checks.maps import Map
from mlhw.checks.networks import layer_map
from mlhw.checks.stacked import Placed
from mlhw.numerics.activations import ACTIVATIONS, d_softmax, softmax
from mlhw.numerics.convolution import convolve, convolve_backward, max_pool, max_pool_backward
from mlhw.numerics.layers import Dense, Dropout, Layer, Named, Residual
from mlhw.numerics.losses import LOSSES

ROWS, N_IN, N_OUT, UNITS = 6, 4, 3, 5  # all different: a transposed array then has another shape


def every_layer(rng: np.random.Generator) -> Iterator[Map]:
    """The layers of ``numerics.layers`` with each activation, convolution, pooling, the activations, softmax, the losses."""
    for activation in (None, *ACTIVATIONS):
        yield _layer(Dense(N_IN, N_OUT, activation), f"dense {activation or 'linear'}", activation, rng)
    for activation in ACTIVATIONS:
        yield _layer(Residual(N_IN, UNITS, activation), f"residual {activation}", activation, rng)
    yield _layer(Dropout(0.3), "dropout 0.3", None, rng)
    yield from convolutions(rng)
    yield from elementwise(rng)
    yield softmax_map(rng.standard_normal((ROWS, N_OUT)))
    for loss in LOSSES:
        yield loss_map(loss, rng.standard_normal((ROWS, N_OUT)), rng.integers(0, N_OUT, ROWS))


def _layer(layer: Layer, title: str, activation: str | None, rng: np.random.Generator) -> Map:
    own = {name: 0.6 * rng.standard_normal(shape) for name, shape in layer.shapes.items()}
    inputs = rng.standard_normal((ROWS, N_IN))
    if activation in KINKED:
        own["b"] += away_from_kinks(inputs @ own["W"] + own["b"])
    return layer_map(title, Placed(layer, own), inputs)


def elementwise(rng: np.random.Generator) -> Iterator[Map]:
    """The activations by themselves, their derivatives in terms of their outputs; numpy's and those on torch tensors."""
    z = rng.standard_normal((ROWS, N_OUT))
    z += 0.1 * np.sign(z)  # away from the kink at 0
    for name, (function, derivative) in ACTIVATIONS.items():
        yield activation_map(name, z, function, derivative)
    from mlhw.models import tensor_mlp

    for name, pair in tensor_mlp.ACTIVATIONS.items():
        yield activation_map(f"{name} (torch)", z, *map(_on_tensors, pair))


def _on_tensors(function: Callable[[Any], Any]) -> Callable[[np.ndarray], np.ndarray]:
    import torch

    return lambda array: np.asarray(function(torch.from_numpy(np.array(array))))


def activation_map(
    title: str,
    z: np.ndarray,
    function: Callable[[np.ndarray], np.ndarray],
    derivative: Callable[[np.ndarray], np.ndarray],
) -> Map:
    """An elementwise function of z, with its derivative in terms of its output."""

    def oracle(tensors: dict[str, Any]) -> Any:
        from mlhw.checks import oracles

        return oracles.ACTIVATIONS[title.split()[0]](tensors["z"])

    return Map(
        title,
        {"z": z},
        lambda at: function(at["z"]),
        lambda at, u: {"z": u * derivative(function(at["z"]))},
        lambda at, v: v["z"] * derivative(function(at["z"])),
        oracle,
    )


def model_activation(model: Any, layers: Sequence[tuple[Any, Placed, np.ndarray]]) -> Map | None:
    """The activation of a hand-written model as the model itself computes it, at the input of its first activation."""
    for _, placed, inputs in layers:
        name = getattr(placed.layer, "activation", None)
        if name is not None:
            z = inputs @ placed.own["W"] + placed.own["b"]
            pair = ACTIVATIONS[name]
            if hasattr(model, "derivative"):  # a model on torch tensors brings its own
                return activation_map(f"{name} (torch)", z, _on_tensors(model.function), _on_tensors(model.derivative))
            return activation_map(name, z, pair.function, pair.derivative)
    return None


def softmax_map(z: np.ndarray) -> Map:
    """softmax by row, with the full Jacobian diag(s) - s sᵀ of each."""

    def pullback(at: Named, u: np.ndarray) -> Named:
        return {"z": np.stack([d_softmax(row).T @ weights for row, weights in zip(softmax(at["z"]), u, strict=True)])}

    def pushforward(at: Named, v: Named) -> np.ndarray:
        return np.stack([d_softmax(row) @ move for row, move in zip(softmax(at["z"]), v["z"], strict=True)])

    return Map("softmax", {"z": z}, lambda at: softmax(at["z"]), pullback, pushforward, lambda t: t["z"].softmax(dim=1))


def loss_map(name: str, scores: np.ndarray, targets: np.ndarray) -> Map:
    """Each row's loss as a function of its scores, with the gradient that the loss itself returns."""
    loss = LOSSES[name]

    def oracle(tensors: dict[str, Any]) -> Any:
        import torch

        from mlhw.checks.oracles import oracle_losses

        return oracle_losses(name, tensors["scores"], torch.as_tensor(targets))

    return Map(
        name,
        {"scores": scores},
        lambda at: loss(at["scores"], targets)[0],
        lambda at, u: {"scores": u[:, None] * loss(at["scores"], targets)[1]},
        lambda at, v: np.sum(loss(at["scores"], targets)[1] * v["scores"], axis=1),
        oracle,
    )


def convolutions(rng: np.random.Generator) -> Iterator[Map]:
    """Convolution and max pooling with and without stride and padding, on images that are not square."""
    for how in ({}, {"stride": (2, 1), "padding": (1, 2)}):
        at = {
            "X": rng.standard_normal((2, 3, 6, 7)),
            "W": rng.standard_normal((4, 3, 3, 2)),
            "b": rng.standard_normal(4),
        }
        yield _convolution("convolution" + (" strided" if how else ""), at, how)
    values = 0.1 * rng.permutation(2 * 3 * 6 * 7)  # no two alike, nor near: pooling has a kink where they are
    for title, kernel, stride in (("max pool", 2, None), ("max pool overlap", 3, 2)):
        yield _pooling(title, values.reshape(2, 3, 6, 7), kernel, stride)


def _convolution(title: str, at: Named, how: dict[str, Any]) -> Map:
    def forward(X: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:  # noqa: N803  (the names that a reader writes)
        return convolve(X, W, b, **how)

    def pushforward(here: Named, v: Named) -> np.ndarray:
        d = {name: np.zeros_like(array) for name, array in here.items()} | v
        return convolve(d["X"], here["W"], **how) + convolve(here["X"], d["W"], d["b"], **how)

    def oracle(tensors: dict[str, Any]) -> Any:
        from torch.nn import functional

        return functional.conv2d(tensors["X"], tensors["W"], tensors["b"], **how)

    return Map(
        title,
        at,
        lambda here: forward(**here),
        lambda here, u: dict(zip("XWb", convolve_backward(u, here["X"], here["W"], **how), strict=True)),
        pushforward,
        oracle,
    )


def _pooling(title: str, values: np.ndarray, kernel: int, stride: int | None) -> Map:
    def oracle(tensors: dict[str, Any]) -> Any:
        from torch.nn import functional

        return functional.max_pool2d(tensors["X"], kernel, stride)

    return Map(
        title,
        {"X": values},
        lambda at: max_pool(at["X"], kernel, stride),
        lambda at, u: {"X": max_pool_backward(u, at["X"], kernel, stride)},
        oracle=oracle,
    )
