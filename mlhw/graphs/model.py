"""The computational graph of a model's loss, read from the graph that torch's autograd keeps for its way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch

from mlhw.graphs.autograd import Function, is_silent, operands_of, say, takes_targets
from mlhw.graphs.diagram import Diagram, Item, Role

Kind = Literal["parameter", "data", "operation"]
Dimension = int | str
_ROLES: Final[dict[Kind, Role]] = {"parameter": "variable", "data": "data", "operation": "operation"}


@dataclass(frozen=True, slots=True)
class Traced:
    """An operation, a parameter or data: ``name`` is unique, ``operands`` are names, ``shape`` is that of the result.

    The batch's dimension is the string N.
    """

    name: str
    kind: Kind
    operation: str
    operands: tuple[str, ...]
    shape: tuple[Dimension, ...]


def batch_rows(shapes: Sequence[Sequence[int]]) -> int:
    """How many rows to trace with: at least two, and a number that is no other dimension, so that it can be told."""
    taken = {dimension for shape in shapes for dimension in shape}
    return next(rows for rows in range(2, len(taken) + 3) if rows not in taken)


def trace(
    loss: torch.Tensor, parameters: Mapping[str, torch.Tensor], inputs: torch.Tensor, targets: torch.Tensor
) -> list[Traced]:
    """What ``loss`` is made of, in topological order: parameters and data first, the loss last.

    Args:
        loss: a scalar that depends on nothing with a gradient but ``parameters`` and ``inputs``.
        parameters: by name.
        inputs: (rows, ...), a leaf that requires a gradient too; it is called x.
        targets: (rows,) or (rows, classes); called y, and an operand of the loss itself.
    """
    order = _topological(loss.grad_fn)
    shapes = _shapes(loss, order)
    leaves = {id(value): name for name, value in parameters.items()} | {id(inputs): "x"}
    rows = len(inputs)

    def shape_of(shape: Sequence[int]) -> tuple[Dimension, ...]:
        return tuple("N" if place == 0 and size == rows else size for place, size in enumerate(shape))

    names: dict[Function, str] = {}
    found = [Traced("x", "data", "", (), shape_of(inputs.shape)), Traced("y", "data", "", (), shape_of(targets.shape))]
    found += [Traced(name, "parameter", "", (), tuple(value.shape)) for name, value in parameters.items()]
    count = 0
    for function in order:
        operands = [names[one] for one in operands_of(function)]
        if hasattr(function, "variable"):
            names[function] = leaves[id(function.variable)]
        elif is_silent(function, shapes):
            names[function] = operands[0]
        else:
            count += 1
            names[function] = name = "loss" if function is loss.grad_fn else f"z{count}"
            if takes_targets(function):
                operands.append("y")
            found.append(Traced(name, "operation", say(function, rows), tuple(operands), shape_of(shapes[function])))
    return found


def _topological(end: Function) -> list[Function]:
    """All functions before ``end``, and ``end``, each after its operands; without recursion, for networks are deep."""
    order: list[Function] = []
    state: dict[Function, bool] = {}  # met: False, done: True
    stack = [end]
    while stack:
        function = stack[-1]
        waiting = [one for one in operands_of(function) if one not in state]
        state.setdefault(function, False)
        if waiting:
            stack.append(waiting[0])
            continue
        stack.pop()
        if not state[function]:
            state[function] = True
            order.append(function)
    return order


def _shapes(loss: torch.Tensor, functions: Sequence[Function]) -> dict[Function, tuple[int, ...]]:
    """The shape of what each function made: that of the gradient which arrives there on the way back."""
    shapes: dict[Function, tuple[int, ...]] = {}

    def noting(function: Function) -> Any:
        def note(gradients: Sequence[torch.Tensor | None]) -> None:
            shapes[function] = next(tuple(one.shape) for one in gradients if one is not None)

        return note

    hooks = [function.register_prehook(noting(function)) for function in functions]
    torch.autograd.backward(loss, retain_graph=True)
    for hook in hooks:
        hook.remove()
    return shapes


def of_model(title: str, nodes: Sequence[Traced]) -> Diagram:
    """The graph of a loss, from top to bottom: rectangles for operations, round boxes for parameters and data."""
    diagram = Diagram(title, down=True)
    places: dict[str, int] = {}
    beside = {node.name for node in nodes if not node.operands and node.name != "x"}
    for node in nodes:
        number = diagram.add(Item(_ROLES[node.kind], node.operation or node.name, by(node.shape)))
        for operand in node.operands:
            # Parameters and targets stand beside the way of the data, which is to be straight.
            diagram.join(places[operand], number, 0.02 if operand in beside else 8.0)
        places[node.name] = number
    diagram.add(Item("result", "loss"), [places[nodes[-1].name]], 8.0)
    return diagram


def by(shape: Sequence[Dimension]) -> str:
    """A shape as N×16×8×8; a single number for what has no dimensions is called that."""
    return "×".join(map(str, shape)) if shape else "one number"
