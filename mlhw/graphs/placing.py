"""Where the items of each layer stand in it: near the mean of their neighbours, in order, without touching.

Solved a layer at a time, over and over (after Gansner et al., 1993, section 4, with least squares instead of medians).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from mlhw.graphs.layers import Layers

_ROUNDS: Final = 40
_LINE: Final = 8.0  # how much a straight line counts, times its items
_STIFFNESS: Final = (1.0, 2.0, 8.0)  # by how many ends are dummies: long edges show each bend (Gansner, section 4.1)

Pull = tuple[int, float]  # a neighbour, and how much it counts
Wanted = tuple[float, float]  # a place, and its weight


def place_across(
    layers: Layers, nodes: int, heights: Sequence[float], gap: float, weights: Sequence[float]
) -> list[float]:
    """Each item's place across its layer (its y where layers follow from left to right).

    Args:
        layers: with items of which the first ``nodes`` are nodes and the rest dummies.
        nodes: how many.
        heights: of all items.
        gap: the least room between two items of a layer.
        weights: of the edges; a heavier one is drawn straighter.
    """
    back, forth = _pulls(layers, nodes, len(heights), weights)
    lines = _lines(layers, weights, len(heights))
    line_of = {item: number for number, line in enumerate(lines) for item in line}
    y = [0.0] * len(heights)
    for row in layers.order:
        _settle(row, y, dict.fromkeys(row, (0.0, 1.0)), heights, gap)
    for turn in range(_ROUNDS):
        # First each layer follows one side alone, which carries far; then both are balanced, and lines are drawn straight
        # as a whole, which from neighbour to neighbour would take as many rounds as there are layers.
        one_sided, forwards = turn < _ROUNDS // 2, turn % 2 == 0
        stiffness = _LINE * (
            100.0 if turn >= _ROUNDS - 8 else 1.0
        )  # in the end, what is nearly straight becomes straight
        levels = [] if one_sided else [sum(y[item] for item in line) / len(line) for line in lines]
        for row in layers.order if forwards else layers.order[::-1]:
            wanted = {}
            for item in row:
                near = (back if forwards else forth)[item] if one_sided else back[item] + forth[item]
                total = sum(weight for _, weight in near)
                pull = sum(y[one] * weight for one, weight in near)
                if not one_sided and item in line_of:
                    stiff = stiffness * len(lines[line_of[item]])
                    total, pull = total + stiff, pull + stiff * levels[line_of[item]]
                wanted[item] = (pull / total, total) if total else (y[item], 1e-3)
            _settle(row, y, wanted, heights, gap)
    return y


def _lines(layers: Layers, weights: Sequence[float], items: int) -> list[list[int]]:
    """The paths that should be straight: along each, every edge is the one heaviest at both of its ends."""
    out: list[list[Pull]] = [[] for _ in range(items)]
    into: list[list[Pull]] = [[] for _ in range(items)]
    for chain, weight in zip(layers.chains, weights, strict=True):
        for source, target in pairwise(chain):
            out[source].append((target, weight))
            into[target].append((source, weight))
    follows = [_heaviest(edges) for edges in out]
    before = [_heaviest(edges) for edges in into]
    following = [then if then is not None and before[then] == item else None for item, then in enumerate(follows)]
    starts = set(range(items)) - {then for then in following if then is not None}
    lines = []
    for item in sorted(starts):
        line, then = [item], following[item]
        while then is not None:
            line.append(then)
            then = following[then]
        lines.append(line)
    return [line for line in lines if len(line) > 1]


def _heaviest(edges: Sequence[Pull]) -> int | None:
    """Where the one heaviest of ``edges`` leads; None where there is none, or several."""
    top = max((weight for _, weight in edges), default=0.0)
    ends = [end for end, weight in edges if weight == top]
    return ends[0] if len(ends) == 1 else None


def _pulls(
    layers: Layers, nodes: int, items: int, weights: Sequence[float]
) -> tuple[list[list[Pull]], list[list[Pull]]]:
    """For each item its neighbours before it, and those after it, each with the weight of the edge between them."""
    back: list[list[Pull]] = [[] for _ in range(items)]
    forth: list[list[Pull]] = [[] for _ in range(items)]
    for chain, weight in zip(layers.chains, weights, strict=True):
        for source, target in pairwise(chain):
            pull = weight * _STIFFNESS[(source >= nodes) + (target >= nodes)]
            back[target].append((source, pull))
            forth[source].append((target, pull))
    return back, forth


def _settle(
    row: Sequence[int], y: list[float], wanted: dict[int, Wanted], heights: Sequence[float], gap: float
) -> None:
    """Set ``y`` of ``row``, in its order and ``gap`` apart, as near to ``wanted`` (place, weight) as can be.

    Weighted least squares with an order is isotonic regression: neighbours that would overlap are pooled.
    """
    offsets, offset = [], 0.0
    for number, item in enumerate(row):
        offset += (heights[row[number - 1]] + heights[item]) / 2 + gap if number else 0.0
        offsets.append(offset)
    pools: list[list[float]] = []  # [weighted sum of places less offsets, weight, members]
    for item, offset in zip(row, offsets, strict=True):
        place, weight = wanted[item]
        pools.append([(place - offset) * weight, weight, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            last = pools.pop()
            pools[-1] = [one + other for one, other in zip(pools[-1], last, strict=True)]
    starts = [total / weight for total, weight, members in pools for _ in range(int(members))]
    for item, offset, start in zip(row, offsets, starts, strict=True):
        y[item] = start + offset
