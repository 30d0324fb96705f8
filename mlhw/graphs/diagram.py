"""A graph to be drawn: what its boxes say and how they are joined; the same for an expression and for a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from mlhw.graphs.nodes import Graph, Node

Role = Literal["variable", "data", "intermediate", "result", "operation"]
ROUND: Final = ("variable", "data", "intermediate", "result")  # drawn round; operations are rectangles

_STRAIGHT: Final = 4.0  # the weight of an edge that should be straighter than its neighbours


@dataclass(frozen=True, slots=True)
class Item:
    """One box: its ``name``, below it what it holds (a value, or a shape), and its gradient, where it has one."""

    role: Role
    name: str
    holds: str = ""
    gradient: str = ""


@dataclass(slots=True)
class Diagram:
    """``items`` and the ``edges`` (source, target) between them; ``straight`` weighs each edge, see ``layout``.

    ``down``: the layers follow each other from top to bottom. ``gradient_of`` names what all gradients are of.
    """

    title: str
    items: list[Item] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)
    straight: list[float] = field(default_factory=list)
    down: bool = False
    gradient_of: str = ""

    def add(self, item: Item, sources: Sequence[int] = (), weight: float = 1.0) -> int:
        """The number of ``item``, now in the diagram with edges from ``sources``."""
        self.items.append(item)
        number = len(self.items) - 1
        for source in sources:
            self.join(source, number, weight)
        return number

    def join(self, source: int, target: int, weight: float = 1.0) -> None:
        """An edge from ``source`` to ``target``."""
        self.edges.append((source, target))
        self.straight.append(weight)


def of_expression(graph: Graph) -> Diagram:
    """The graph as one draws it by hand: circles for variables and results, and a rectangle before each result."""
    title = f"{graph.result.name} = {graph.text.strip()}"
    if graph.output is not graph.result:
        title += f",  {graph.output.name} = {graph.output.formula}"
    diagram = Diagram(title, gradient_of=graph.output.name)
    places: dict[Node, int] = {}
    depths: dict[Node, int] = {}
    for node in graph.nodes:
        inputs = [one for _, one in node.inputs]
        deepest = max((depths[one] for one in inputs), default=0)
        depths[node] = deepest + 1
        role: Role = "intermediate" if node.operation else "variable"
        if node in (graph.result, graph.output):
            role = "result"
        item = Item(role, node.name, figures(node.value, 5), figures(node.gradient, 5))
        if node.operation is None:
            places[node] = diagram.add(item)
            continue
        rectangle = diagram.add(Item("operation", label(node)))
        spine = [one for one in inputs if depths[one] == deepest]
        for one in inputs:  # a long calculation runs straight on, and what joins it comes from the side
            diagram.join(places[one], rectangle, _STRAIGHT if spine == [one] else 1.0)
        places[node] = diagram.add(item, [rectangle], _STRAIGHT)
    return diagram


def label(node: Node) -> str:
    """What the rectangle before ``node`` says: its operation's sign, or all of it where numbers or an order matter."""
    assert node.operation is not None
    exchangeable = not node.operation.ordered and len(node.inputs) == len(node.operands)
    return node.operation.symbol if exchangeable else node.formula


def figures(value: float, significant: int = 6) -> str:
    """``value`` with that many significant figures, and three decimals where these are among them: 0.030, 1.05127."""
    text = f"{value + 0.0:.{significant}g}"  # + 0.0: no negative zero
    if "e" in text:
        return text
    whole, _, decimals = text.partition(".")
    known = min(3, significant - len(whole.lstrip("-")))
    return f"{whole}.{decimals.ljust(known, '0')}" if decimals or known > 0 else whole


def to_dot(diagram: Diagram) -> str:
    """The diagram in Graphviz's language, with the same shapes and texts, for who wants to lay it out anew."""
    lines = [
        "digraph {",
        f"  graph [label={_quoted(diagram.title)}, labelloc=t, rankdir={'TB' if diagram.down else 'LR'}];",
        '  node [fontname="DejaVu Sans", fontsize=10];',
    ]
    for number, item in enumerate(diagram.items):
        gradient = f"∂ {item.gradient}" if item.gradient else ""
        text = _quoted("\n".join(part for part in (item.name, item.holds, gradient) if part))
        shape = "box" if item.role not in ROUND else "box, style=rounded" if diagram.down else "circle"
        extra = ", penwidth=2" if item.role == "result" else ""
        lines.append(f"  n{number} [shape={shape}{extra}, label={text}];")
    lines += [f"  n{source} -> n{target};" for source, target in diagram.edges]
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    r"""``text`` as a quoted string of DOT: backslashes and quotes escaped, lines divided by ``\n``."""
    clean = re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
