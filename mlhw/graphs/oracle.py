"""torch's autograd, in double precision, over the nodes of a graph: what the gradients by hand are held to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import torch

from mlhw.graphs.nodes import Graph, Node, local_derivatives

# Rounding of a sum of products, each of a few roundings, grows with its length: a graph has up to some thousand nodes.
TOLERANCE: Final = 1e-12
_NOTHING: Final = 1e-290  # smaller than this torch's sigmoid is 0, where ours still has digits

_DIFFERENCES: Final = ("tanh", "sigmoid")  # 1 - out² and out - out²: exact to the size of their terms only

TORCH: Final[dict[str, Callable[..., Any]]] = {
    "identity": lambda a: a.clone(),
    "negate": torch.neg,
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "divide": torch.div,
    "power": torch.pow,
    "exp": torch.exp,
    "log": torch.log,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "sqrt": torch.sqrt,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "abs": torch.abs,
    "max": lambda *operands: torch.stack(operands).amax(),
    "min": lambda *operands: torch.stack(operands).amin(),
}


class Agreement(NamedTuple):
    """``difference``: the largest one between a gradient by hand and torch's. ``faults`` names the nodes that disagree."""

    difference: float
    faults: list[str]


def compare(graph: Graph) -> Agreement:
    """Hold every node's value and gradient to torch's own operations and autograd.

    Each operation gets this graph's values as operands, so that a difference is the operation's own and not one in the
    last digit that a later sine of a large number has blown up. Differences count against the size of what was added up:
    a gradient of 1e-20 that is the difference of two of 1 cannot be exact.
    """
    tensors, faults = _forward(graph)
    gradients = torch.autograd.grad(tensors[graph.output], list(tensors.values()))
    difference, sizes = 0.0, _sizes(graph)
    for (node, _), gradient in zip(tensors.items(), gradients, strict=True):
        here = abs(node.gradient - gradient.item())
        difference = max(difference, here)
        if not here <= TOLERANCE * max(sizes[node], _NOTHING):
            faults.append(f"the gradient of {node.name} is {node.gradient:.17g}, autograd's {gradient.item():.17g}")
    return Agreement(difference, faults)


def _forward(graph: Graph) -> tuple[dict[Node, torch.Tensor], list[str]]:
    """A tensor a node, with this graph's value and torch's way back; and the values that torch does not agree with."""
    tensors: dict[Node, torch.Tensor] = {}
    faults: list[str] = []
    for node in graph.nodes:
        value = torch.tensor(node.value, dtype=torch.float64)
        if node.operation is None:
            tensors[node] = value.requires_grad_()
            continue
        operands = [
            tensors[one] if isinstance(one, Node) else torch.tensor(one.value, dtype=torch.float64)
            for one in node.operands
        ]
        computed = TORCH[node.operation.name](*operands)
        if not abs(computed.item() - node.value) <= TOLERANCE * max(abs(node.value), _NOTHING):
            faults.append(f"the value of {node.name} is {node.value:.17g}, torch's {computed.item():.17g}")
        if not computed.requires_grad:  # an operation on numbers alone
            computed.requires_grad_()
        tensors[node] = computed + (value - computed.detach())
    return tensors, faults


def _sizes(graph: Graph) -> dict[Node, float]:
    """For each node the sum of the absolute values of all that its gradient adds up, along all paths."""
    sizes = dict.fromkeys(graph.nodes, 0.0)
    sizes[graph.output] = 1.0
    for node in reversed(graph.nodes):
        if node.inputs:
            derivatives = local_derivatives(node)
            terms = node.value**2 if node.operation and node.operation.name in _DIFFERENCES else 0.0
            for place, operand in node.inputs:
                sizes[operand] += sizes[node] * (abs(derivatives[place]) + terms)
    return sizes
