"""The layers of a drawn graph, and the order within each: what comes before its place on the page.

After Sugiyama, Tagawa and Toda (1981): every edge leads from an earlier layer to a later one, an edge that passes layers
gets a dummy in each of them, and each layer is sorted by the mean place of its neighbours to have few crossings.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

Edge = tuple[int, int]

_SWEEPS: Final = 12


@dataclass(slots=True)
class Layers:
    """``order`` has each layer's items, first to last; ``chains`` the items of each edge: source, dummies, target.

    Items below the number of nodes are nodes, the others are dummies.
    """

    order: list[list[int]]
    chains: list[list[int]]

    @property
    def segments(self) -> list[Edge]:
        """The pairs of neighbours in all chains."""
        return [pair for chain in self.chains for pair in pairwise(chain)]


def layered(nodes: int, edges: Sequence[Edge]) -> Layers:
    """The layers of a graph of ``nodes`` nodes, numbered from 0.

    Raises:
        ValueError: the edges run in a circle.
    """
    layer = longest_paths(nodes, edges)
    chains, dummies = [], nodes
    for source, target in edges:
        between = layer[target] - layer[source] - 1
        chains.append([source, *range(dummies, dummies + between), target])
        layer += [layer[source] + 1 + step for step in range(between)]
        dummies += between
    layers = Layers(_depth_first(layer, chains, nodes), chains)
    _untangle(layers)
    return layers


def items_and_dummies(nodes: int, edges: Sequence[Edge]) -> int:
    """How many items the layers of such a graph have: what the time of laying it out grows with."""
    layer = longest_paths(nodes, edges)
    return nodes + sum(layer[target] - layer[source] - 1 for source, target in edges)


def longest_paths(nodes: int, edges: Sequence[Edge]) -> list[int]:
    """Each node's layer: as late as its successors allow, which is one layer before the first of them.

    Raises:
        ValueError: the edges run in a circle.
    """
    after = [0] * nodes  # edges on the longest way to an end
    waiting = [0] * nodes
    before: list[list[int]] = [[] for _ in range(nodes)]
    for source, target in edges:
        waiting[source] += 1
        before[target].append(source)
    ready = [node for node in range(nodes) if not waiting[node]]
    for node in ready:
        for source in before[node]:
            after[source] = max(after[source], after[node] + 1)
            waiting[source] -= 1
            if not waiting[source]:
                ready.append(source)
    if len(ready) < nodes:
        raise ValueError("the edges run in a circle")
    last = max(after, default=0)
    return [last - steps for steps in after]


def _depth_first(layer: Sequence[int], chains: Sequence[Sequence[int]], nodes: int) -> list[list[int]]:
    """The layers, each in the order in which a walk from the ends back to the starts, operands in order, meets its items.

    For a tree this order has no crossings.
    """
    back: list[list[int]] = [[] for _ in layer]
    ends = set(range(nodes))
    for chain in chains:
        ends.discard(chain[0])
        for source, target in pairwise(chain):
            back[target].append(source)
    order: list[list[int]] = [[] for _ in range(max(layer, default=0) + 1)]
    seen = [False] * len(layer)
    stack = sorted(ends, reverse=True)
    while stack:
        item = stack.pop()
        if not seen[item]:
            seen[item] = True
            order[layer[item]].append(item)
            stack += reversed(back[item])
    return order


def _untangle(layers: Layers) -> None:
    """Sort each layer by the mean place of its neighbours, up and down, and keep the order with the fewest crossings."""
    back, forth = neighbours(layers)
    best, fewest = [list(row) for row in layers.order], crossings(layers)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        near = back if sweep % 2 == 0 else forth
        place = {item: index for row in layers.order for index, item in enumerate(row)}
        for row in layers.order if sweep % 2 == 0 else reversed(layers.order):
            means = {
                item: sum(place[one] for one in near[item]) / len(near[item]) if near[item] else float(place[item])
                for item in row
            }
            row.sort(key=means.__getitem__)  # stable: what ties keeps its order
            place |= {item: index for index, item in enumerate(row)}
        count = crossings(layers)
        if count < fewest:
            best, fewest = [list(row) for row in layers.order], count
    layers.order = best


def neighbours(layers: Layers) -> tuple[list[list[int]], list[list[int]]]:
    """For each item, its neighbours in the layer before, and those in the layer after; one entry an edge."""
    items = sum(len(row) for row in layers.order)
    back: list[list[int]] = [[] for _ in range(items)]
    forth: list[list[int]] = [[] for _ in range(items)]
    for source, target in layers.segments:
        back[target].append(source)
        forth[source].append(target)
    return back, forth


def crossings(layers: Layers) -> int:
    """How many pairs of edges cross between neighbouring layers: inversions among the targets, sorted by source."""
    place = {item: index for row in layers.order for index, item in enumerate(row)}
    _, forth = neighbours(layers)
    total = 0
    for row in layers.order:
        met: list[int] = []
        for item in row:
            targets = sorted(place[target] for target in forth[item])
            total += sum(len(met) - bisect_left(met, target + 1) for target in targets)
            for target in targets:
                insort(met, target)
    return total
