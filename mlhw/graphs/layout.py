"""Where the boxes of a graph stand and how its edges run: a pure function of their sizes.

Layers (see ``layers``) follow each other from left to right, or from top to bottom; ``placing`` says where the items of a
layer stand within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from mlhw.graphs.layers import Edge, Layers, layered
from mlhw.graphs.placing import place_across

_DUMMY: Final = 4.0  # the room that an edge takes in a layer that it passes
_PORTS: Final = 9.0  # from one arrow's head to the next

Point = tuple[float, float]


class Box(NamedTuple):
    """A box's size in points."""

    width: float
    height: float


class Layout(NamedTuple):
    """Centres of the boxes, and for each edge the points that it runs through; all in 0..width × 0..height, y downwards.

    Between two points with the same cross coordinate an edge is straight; otherwise these are the two sides of a gap.
    """

    centres: list[Point]
    routes: list[list[Point]]
    width: float
    height: float


def layout(
    boxes: Sequence[Box],
    edges: Sequence[Edge],
    *,
    down: bool = False,
    layer_gap: float = 24.0,
    item_gap: float = 14.0,
    weights: Sequence[float] | None = None,
) -> Layout:
    """Places for ``boxes`` and routes for ``edges`` (source, target), which may be given several times.

    Every edge leads from a layer to a later one: rightwards, or downwards with ``down``. ``layer_gap`` and ``item_gap``
    are the least room between layers, and between the items of one. An edge with a larger weight (1 where none are given)
    is drawn straighter.

    Raises:
        ValueError: the edges run in a circle.
    """
    if down:
        turned = [Box(box.height, box.width) for box in boxes]
        found = layout(turned, edges, layer_gap=layer_gap, item_gap=item_gap, weights=weights)
        routes = [[(y, x) for x, y in route] for route in found.routes]
        return Layout([(y, x) for x, y in found.centres], routes, found.height, found.width)
    weights = weights or [1.0] * len(edges)
    layers = layered(len(boxes), edges)
    dummies = sum(len(row) for row in layers.order) - len(boxes)
    heights = [*(box.height for box in boxes), *[_DUMMY] * dummies]
    across = place_across(layers, len(boxes), heights, item_gap, weights)
    top = min((y - height / 2 for y, height in zip(across, heights, strict=True)), default=0.0)
    across = [y - top for y in across]
    left, right = _columns(layers, boxes, across, layer_gap)
    column = {item: number for number, row in enumerate(layers.order) for item in row}
    centres = [((left[column[i]] + right[column[i]]) / 2, across[i]) for i in range(len(boxes))]
    ports = _ports(layers, boxes, across, weights)
    routes = _routes(layers, boxes, centres, across, ports, column, left, right)
    bottom = max((y + height / 2 for y, height in zip(across, heights, strict=True)), default=0.0)
    return Layout(centres, routes, right[-1] if right else 0.0, bottom)


def _columns(
    layers: Layers, boxes: Sequence[Box], across: Sequence[float], gap: float
) -> tuple[list[float], list[float]]:
    """Left and right of each layer: as wide as its widest box, and further apart where edges climb high between them."""
    climb = [0.0] * len(layers.order)
    column = {item: number for number, row in enumerate(layers.order) for item in row}
    for source, target in layers.segments:
        climb[column[target]] = max(climb[column[target]], abs(across[source] - across[target]))
    left: list[float] = []
    right: list[float] = []
    for number, row in enumerate(layers.order):
        width = max((boxes[item].width for item in row if item < len(boxes)), default=0.0)
        left.append(right[-1] + gap + min(0.08 * climb[number], 1.5 * gap) if right else 0.0)
        right.append(left[-1] + width)
    return left, right


def _routes(
    layers: Layers,
    boxes: Sequence[Box],
    centres: Sequence[Point],
    across: Sequence[float],
    ports: dict[int, float],
    column: dict[int, int],
    left: Sequence[float],
    right: Sequence[float],
) -> list[list[Point]]:
    """The points of each edge: out of its source's right side, straight through layers, into its target's left side."""
    routes = []
    for number, chain in enumerate(layers.chains):
        source, target = chain[0], chain[-1]
        start = across[source]
        route = [(centres[source][0] + boxes[source].width / 2, start), (right[column[source]], start)]
        for dummy in chain[1:-1]:
            route += [(left[column[dummy]], across[dummy]), (right[column[dummy]], across[dummy])]
        end = ports[number]
        route += [(left[column[target]], end), (centres[target][0] - boxes[target].width / 2, end)]
        routes.append(route)
    return routes


def _ports(layers: Layers, boxes: Sequence[Box], across: Sequence[float], weights: Sequence[float]) -> dict[int, float]:
    """Where each edge meets its target: spread over its side in the order in which the edges arrive.

    The edge that is to be straighter than all others meets the middle of the side.
    """
    arriving: dict[int, list[int]] = {}
    for number, chain in enumerate(layers.chains):
        arriving.setdefault(chain[-1], []).append(number)
    ports = {}
    for target, numbers in arriving.items():
        numbers.sort(key=lambda number: across[layers.chains[number][-2]])
        heaviest = max(weights[number] for number in numbers)
        heavy = [rank for rank, number in enumerate(numbers) if weights[number] == heaviest]
        middle = float(heavy[0]) if len(heavy) == 1 else (len(numbers) - 1) / 2
        furthest = max(middle, len(numbers) - 1 - middle)
        step = min(_PORTS, 0.3 * boxes[target].height / furthest) if furthest else 0.0
        for rank, number in enumerate(numbers):
            ports[number] = across[target] + (rank - middle) * step
    return ports
