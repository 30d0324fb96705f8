"""The loss of an ``nn.Module`` as a function of its parameters, with autograd's gradient as the derivative."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mlhw.checks.maps import Map
from mlhw.numerics.layers import Named

_BIAS = 0.1
_DITHER = 0.1


def module_map(network: nn.Module, inputs: Any, targets: Any, rng: np.random.Generator, title: str = "loss") -> Map:
    """The mean cross-entropy of ``network`` on ``inputs`` (rows, ...) and ``targets`` (rows,), by its parameters.

    A copy in float64 is checked, in the mode of scoring: no dropout, batch normalisation by its running statistics. Its
    biases are moved off 0, where a ReLU of a dead input would sit on its kink exactly.
    """
    network = _in_double(network, rng)
    values, classes = torch.as_tensor(inputs, dtype=torch.float64), torch.as_tensor(targets)
    at = {name: value.detach().numpy().copy() for name, value in network.named_parameters()}

    def loss(leaves: dict[str, torch.Tensor]) -> torch.Tensor:
        return functional.cross_entropy(torch.func.functional_call(network, leaves, (values,)), classes)

    def function(arrays: Named) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(loss({name: torch.tensor(array) for name, array in arrays.items()}).numpy())

    def pullback(arrays: Named, u: np.ndarray) -> Named:
        leaves = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
        gradients = torch.autograd.grad(loss(leaves) * float(u), list(leaves.values()))
        return {name: gradient.numpy() for name, gradient in zip(leaves, gradients, strict=True)}

    return Map(title, at, function, pullback, rows=len(classes))


def scores_map(network: nn.Module, inputs: Any, rng: np.random.Generator, title: str = "scores") -> Map:
    """The class scores of ``network`` as a function of its input X: J v by autograd's forward mode, Jᵀ u by its reverse mode.

    The network is prepared as in :func:`module_map`, and the input dithered: two equal pixels of a blank background are a
    kink of max pooling.
    """
    network = _in_double(network, rng)

    def function(arrays: Named) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(network(torch.tensor(arrays["X"])).numpy())

    def pullback(arrays: Named, u: np.ndarray) -> Named:
        leaf = torch.tensor(arrays["X"], requires_grad=True)
        return {"X": torch.autograd.grad(network(leaf), leaf, torch.as_tensor(u))[0].numpy()}

    def pushforward(arrays: Named, v: Named) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # at its first use torch loads a compiler that it deprecates
            tangent = torch.func.jvp(network, (torch.tensor(arrays["X"]),), (torch.as_tensor(v["X"]),))[1]
        return np.asarray(tangent.detach().numpy())

    values = np.asarray(inputs, dtype=np.float64)
    at = {"X": values + _DITHER * rng.standard_normal(values.shape)}
    return Map(title, at, function, pullback, pushforward, rows=len(at["X"]))


def _in_double(network: nn.Module, rng: np.random.Generator) -> nn.Module:
    network = copy.deepcopy(network).double().eval().to(memory_format=torch.contiguous_format)
    for module in network.modules():
        if hasattr(module, "inplace"):
            module.inplace = False  # type: ignore[assignment]  # forward mode cannot follow a value that is overwritten
    with torch.no_grad():
        for value in network.parameters():
            if value.ndim == 1:
                value.add_(torch.as_tensor(_BIAS * rng.standard_normal(value.shape)))
    return network
