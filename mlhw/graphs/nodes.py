"""The computational graph of an expression: values forward, gradients backward by the chain rule, in plain floats."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mlhw.errors import ConfigError
from mlhw.graphs.expression import Expression, Name, Number, Operand
from mlhw.graphs.operations import CONSTANTS, OPERATIONS, Operation
from mlhw.graphs.tokens import Span, fault

_RESULTS: Final = ("f", "y", "result")
_ERRORS: Final = ("e", "error")


@dataclass(eq=False, slots=True)
class Node:
    """A variable, or what an operation makes of its operands: earlier nodes, and numbers.

    ``gradient`` is the derivative of the graph's last node with respect to this one. ``span`` is the place in the
    expression; None for what is not written there.
    """

    name: str
    operation: Operation | None = None
    operands: tuple[Node | Number, ...] = ()
    value: float = math.nan
    gradient: float = 0.0
    span: Span | None = None

    @property
    def inputs(self) -> list[tuple[int, Node]]:
        """The operands that are nodes, each with its place among all operands."""
        return [(place, operand) for place, operand in enumerate(self.operands) if isinstance(operand, Node)]

    @property
    def formula(self) -> str:
        """The operation with its operands' names, such as ``w1·x1``; empty for a variable."""
        if self.operation is None:
            return ""
        names = [operand.name if isinstance(operand, Node) else operand.text for operand in self.operands]
        form = self.operation.form
        if form.count("{}") == len(names) and "(" not in form and len(names) > 1:
            return form.format(*(f"({name})" if name.startswith("-") else name for name in names))
        return form.format(", ".join(names))


@dataclass(slots=True)
class Graph:
    """``nodes`` in topological order, variables first; the last one is what all gradients are of.

    With a target t the last node is the error e = f - t, and ``result`` is f; else both are the same node.
    """

    text: str
    nodes: list[Node]
    result: Node

    @property
    def output(self) -> Node:
        """What all gradients are of."""
        return self.nodes[-1]

    @property
    def variables(self) -> list[Node]:
        """The nodes that have no operation."""
        return [node for node in self.nodes if node.operation is None]


def build(expression: Expression, values: Mapping[str, float], target: Number | None = None) -> Graph:
    """The graph of ``expression``, or of ``expression - target``, with values and gradients.

    Variables keep their names and each is one node, however often it is used; intermediate results are z1, z2, … and the
    result is f (another name where a variable has that one). A name without a value is one of CONSTANTS: a number.

    Raises:
        ConfigError: a value or a gradient does not exist or is too large; names the node and its operands' values.
    """
    variables = {name: Node(name, value=values[name]) for name in expression.names if name in values}
    taken = set(expression.names)
    made: list[Node] = []

    def operand(one: Operand) -> Node | Number:
        if isinstance(one, Name):
            return variables[one.text] if one.text in variables else Number(one.text, CONSTANTS[one.text])
        return one if isinstance(one, Number) else made[one.step]

    free = (f"z{number}" for number in range(1, len(expression.steps) + len(taken) + 1))
    names = (name for name in free if name not in taken)
    for step in expression.steps:
        name = _free(_RESULTS, taken) if step is expression.steps[-1] else next(names)
        made.append(Node(name, step.operation, tuple(operand(one) for one in step.operands), span=step.span))
    result = made[-1]
    if target is not None:
        made.append(Node(_free(_ERRORS, taken), OPERATIONS["subtract"], (result, target)))
    graph = Graph(expression.text, [*variables.values(), *made], result)
    forward(graph)
    backward(graph)
    return graph


def _free(wanted: Sequence[str], taken: Iterable[str]) -> str:
    """The first of ``wanted``, or of its last one with a number, that is not ``taken``."""
    taken = set(taken)
    more = (f"{wanted[-1]}{number}" for number in range(1, len(taken) + 2))
    return next(name for name in (*wanted, *more) if name not in taken)


def forward(graph: Graph) -> None:
    """Compute every node's value from its operands'.

    Raises:
        ConfigError: an operation has no value there, or one too large for a double.
    """
    for node in graph.nodes:
        if node.operation is None:
            continue
        try:
            value = float(node.operation.function(*_values(node)))
        except (ValueError, ZeroDivisionError):
            raise _fault(graph, node, node.operation.domain) from None
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise _fault(graph, node, "too large for a double (about 1.8e308 at most)")
        node.value = value


def backward(graph: Graph) -> None:
    """Compute every node's gradient: that of the output is 1; each node passes its own on, times the derivative.

    A node that is used several times gets the sum.

    Raises:
        ConfigError: a derivative does not exist or is too large where a gradient has to pass.
    """
    for node in graph.nodes:
        node.gradient = 0.0
    graph.output.gradient = 1.0
    for node in reversed(graph.nodes):
        if not node.inputs:
            continue
        derivatives = local_derivatives(node)
        for place, operand in node.inputs:
            if not math.isfinite(derivatives[place]):
                raise _fault(graph, node, f"the derivative with respect to {operand.name} is not finite")
            operand.gradient += node.gradient * derivatives[place]
            if not math.isfinite(operand.gradient):
                raise _fault(graph, node, f"the gradient of {operand.name} is too large for a double")


def local_derivatives(node: Node) -> tuple[float, ...]:
    """The derivative of ``node`` with respect to each of its operands, at their values."""
    assert node.operation is not None
    return node.operation.derivative(node.value, *_values(node))


def _values(node: Node) -> list[float]:
    return [operand.value for operand in node.operands]


def _fault(graph: Graph, node: Node, what: str) -> ConfigError:
    """An error at ``node``, with its formula and its operands' values."""
    values = {operand.name: operand.value for _, operand in node.inputs}
    several = list(values.items())[:6]
    at = ", ".join(f"{name} = {value:.6g}" for name, value in several) + (", …" if len(values) > len(several) else "")
    formula = node.formula if len(node.formula) <= 80 else f"{node.formula[:80]}…"
    message = f"{what}: {node.name} = {formula}{' with ' + at if at else ''}."
    return fault(graph.text, [node.span], message) if node.span else ConfigError(message)
