"""Batch normalisation folded into the convolution before it: one pass over the activations less for each."""

from __future__ import annotations

import copy
import warnings
from collections import Counter

import torch
from torch import fx, nn


def folded(network: nn.Module) -> nn.Module:
    """``network``, in evaluation mode, with every batch normalisation folded that alone reads a convolution.

    It is a copy that shares all other weights; ``network`` itself where there is nothing to fold.

    In evaluation mode both are linear: γ·(Wx + b - μ)/√(σ² + ε) + β is a convolution with the weights W·γ/√(σ² + ε). They
    are computed in double precision, so that only the rounding of the new weights tells the copy from the original (about
    1e-6 of a probability). Nothing is folded where the order of layers cannot be told without running the network.
    """
    pairs = _pairs(network)
    if not pairs:
        return network
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    network = copy.deepcopy(network, shared).eval()
    modules = dict(network.named_modules())
    for before, after in pairs:
        convolution, norm = modules[before], modules[after]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        _fold(convolution, norm)
        network.set_submodule(after, nn.Identity())
    return network


def _pairs(network: nn.Module) -> list[tuple[str, str]]:
    """Names of a convolution and of the batch normalisation that alone reads what it gives; both are used once."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = list(fx.Tracer().trace(network).nodes)
    except Exception:  # a forward pass may do anything, and what tracing then raises is not said anywhere
        return []
    modules = dict(network.named_modules())
    names = {id(module): name for name, module in modules.items()}
    # By the module itself: one module may have two names. What is used twice cannot take up two different layers.
    uses = Counter(id(modules[str(node.target)]) for node in nodes if node.op == "call_module")
    found = []
    for node in nodes:
        first = node.args[0] if node.args else None
        if node.op != "call_module" or not isinstance(first, fx.Node) or first.op != "call_module":
            continue
        before, after = modules[str(first.target)], modules[str(node.target)]
        alone = len(first.users) == 1 and uses[id(before)] == uses[id(after)] == 1
        if alone and type(before) is nn.Conv2d and type(after) is nn.BatchNorm2d and after.running_mean is not None:
            found.append((names[id(before)], names[id(after)]))
    return found


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    kind = convolution.weight.dtype
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.double()
    bias = torch.zeros_like(scale) if convolution.bias is None else convolution.bias.double()
    bias = (bias - norm.running_mean.double()) * scale
    if norm.bias is not None:
        bias = bias + norm.bias.double()
    # The product keeps the weights' memory layout, channels last.
    weight = convolution.weight.double() * scale.reshape(-1, 1, 1, 1)
    convolution.weight = nn.Parameter(weight.to(kind), requires_grad=False)
    convolution.bias = nn.Parameter(bias.to(kind), requires_grad=False)
