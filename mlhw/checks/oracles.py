"""The losses of hand-written models once more, by torch's own functions: what autograd differentiates as the oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mlhw.models.numpy_mlp import NumpyMlp
from mlhw.models.numpy_resnet import NumpyResnet
from mlhw.models.tensor_mlp import TensorMlp
from mlhw.numerics.activations import LEAK
from mlhw.numerics.layers import Dense, Residual

Tensors = Mapping[str, torch.Tensor]

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky-relu": lambda z: functional.leaky_relu(z, LEAK),
    "elu": functional.elu,
}


def oracle_loss(model: Any, parameters: Tensors, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The mean loss (a scalar) of ``model`` with ``parameters`` in place of its own, computed by torch alone.

    Raises:
        TypeError: the model is not one of the hand-written ones.
    """
    name = model.loss_name if isinstance(model, NumpyResnet) else "cross-entropy"
    return oracle_losses(name, oracle_scores(model, parameters, inputs), targets).mean()


def oracle_losses(name: str, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Each row's loss (rows,) by one of ``numerics.losses.LOSSES``."""
    if name == "least-squares":
        one_hot = functional.one_hot(targets, scores.shape[1]).to(scores.dtype)
        return 0.5 * (scores - one_hot).square().sum(dim=1)
    return functional.cross_entropy(scores, targets, reduction="none")


def oracle_scores(model: Any, parameters: Tensors, inputs: torch.Tensor) -> torch.Tensor:
    """The class scores (rows, classes) of ``model`` with ``parameters``, without dropout."""
    if isinstance(model, NumpyResnet):
        for layer, names in zip(model.layers, model.names, strict=True):
            inputs = oracle_layer(layer, {short: parameters[name] for short, name in names.items()}, inputs)
        return inputs
    if not isinstance(model, NumpyMlp | TensorMlp):
        raise TypeError(f"no oracle for {type(model).__name__}")
    squash_last = isinstance(model, NumpyMlp) and model.squash_scores
    for number in range(1, model.layers + 1):
        inputs = inputs @ parameters[f"W{number}"]
        if f"b{number}" in parameters:
            inputs = inputs + parameters[f"b{number}"]
        if number < model.layers or squash_last:
            inputs = ACTIVATIONS[model.activation_name](inputs)
    return inputs


def oracle_layer(layer: Any, own: Tensors, inputs: torch.Tensor) -> torch.Tensor:
    """What one layer of ``numerics.layers`` computes, without dropout."""
    if isinstance(layer, Residual):
        return inputs + ACTIVATIONS[layer.activation](functional.linear(inputs, own["W"].T, own["b"])) @ own["V"]
    if isinstance(layer, Dense):
        out = functional.linear(inputs, own["W"].T, own["b"])
        return ACTIVATIONS[layer.activation](out) if layer.activation else out
    return inputs


def oracle_pullback(
    function: Callable[[dict[str, torch.Tensor]], torch.Tensor], at: Mapping[str, np.ndarray], u: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The output of ``function`` at the arrays ``at``, and Jᵀu by argument, by autograd; all float64."""
    leaves = {name: torch.tensor(array, dtype=torch.float64, requires_grad=True) for name, array in at.items()}
    out = function(leaves)
    gradients = torch.autograd.grad(
        out, list(leaves.values()), torch.as_tensor(u).reshape(out.shape), allow_unused=True, materialize_grads=True
    )
    return out.detach().numpy(), {name: found.numpy() for name, found in zip(leaves, gradients, strict=True)}
