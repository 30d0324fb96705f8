"""The laws of the layout: nothing overlaps, edges lead onwards and run around boxes, and the same graph looks the same."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlhw.graphs.layers import crossings, items_and_dummies, layered, longest_paths
from mlhw.graphs.layout import Box, Layout, layout

Graph = tuple[list[Box], list[tuple[int, int]]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to twelve boxes and edges from lower to higher numbers, some of them double."""
    count = draw(st.integers(1, 12))
    sizes = st.builds(Box, st.floats(5, 80), st.floats(5, 60))
    boxes = draw(st.lists(sizes, min_size=count, max_size=count))
    if count == 1:
        return boxes, []
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])
    return boxes, draw(st.lists(ends, max_size=20))


def edges_of(centre: tuple[float, float], box: Box) -> tuple[float, float, float, float]:
    return centre[0] - box.width / 2, centre[0] + box.width / 2, centre[1] - box.height / 2, centre[1] + box.height / 2


def overlapping(boxes: list[Box], found: Layout) -> list[tuple[int, int]]:
    sides = [edges_of(centre, box) for centre, box in zip(found.centres, boxes, strict=True)]
    return [
        (i, j)
        for (i, a), (j, b) in combinations(enumerate(sides), 2)
        if min(a[1], b[1]) - max(a[0], b[0]) > 1e-6 and min(a[3], b[3]) - max(a[2], b[2]) > 1e-6
    ]


@settings(deadline=None, max_examples=50)
@given(graphs(), st.booleans())
def test_no_two_boxes_overlap_and_all_lie_on_the_page(graph: Graph, down: bool) -> None:
    boxes, edges = graph
    found = layout(boxes, edges, down=down)
    assert overlapping(boxes, found) == []
    for centre, box in zip(found.centres, boxes, strict=True):
        left, right, top, bottom = edges_of(centre, box)
        assert left >= -1e-6
        assert top >= -1e-6
        assert right <= found.width + 1e-6
        assert bottom <= found.height + 1e-6


@settings(deadline=None, max_examples=50)
@given(graphs(), st.booleans())
def test_every_edge_leads_onwards_from_border_to_border(graph: Graph, down: bool) -> None:
    boxes, edges = graph
    found = layout(boxes, edges, down=down)
    along = 1 if down else 0
    for (source, target), route in zip(edges, found.routes, strict=True):
        sides = [edges_of(found.centres[end], boxes[end]) for end in (source, target)]
        assert sides[0][2 * along + 1] < sides[1][2 * along]
        assert route[0][along] == pytest.approx(sides[0][2 * along + 1])
        assert route[-1][along] == pytest.approx(sides[1][2 * along])
        assert sides[1][2 * (1 - along)] <= route[-1][1 - along] <= sides[1][2 * (1 - along) + 1]
        assert all(one[along] <= other[along] + 1e-6 for one, other in pairwise(route))


@settings(deadline=None, max_examples=50)
@given(graphs())
def test_no_edge_runs_through_a_box(graph: Graph) -> None:
    """Within a layer edges are straight and beside the boxes; in the gaps between layers, where they bend, are none."""
    boxes, edges = graph
    found = layout(boxes, edges)
    sides = [edges_of(centre, box) for centre, box in zip(found.centres, boxes, strict=True)]
    for ends, route in zip(edges, found.routes, strict=True):
        for (x0, y0), (x1, y1) in pairwise(route):
            for number, (left, right, top, bottom) in enumerate(sides):
                if number not in ends and min(x1, right) - max(x0, left) > 1e-6:
                    assert y0 == pytest.approx(y1)
                    assert y0 < top + 1e-6 or y0 > bottom - 1e-6


@settings(deadline=None, max_examples=50)
@given(graphs())
def test_the_same_graph_gets_the_same_places(graph: Graph) -> None:
    assert layout(*graph) == layout(*graph)


@settings(deadline=None, max_examples=50)
@given(graphs())
def test_downwards_is_rightwards_turned(graph: Graph) -> None:
    boxes, edges = graph
    turned = layout([Box(box.height, box.width) for box in boxes], edges, down=True)
    assert [(y, x) for x, y in turned.centres] == layout(boxes, edges).centres


def test_an_overlap_would_be_seen() -> None:
    boxes = [Box(10, 10), Box(10, 10)]
    assert overlapping(boxes, Layout([(5, 5), (14, 9)], [], 20, 20)) == [(0, 1)]
    assert overlapping(boxes, Layout([(5, 5), (15, 5)], [], 20, 20)) == []


def test_edges_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        layout([Box(1, 1)] * 3, [(0, 1), (1, 2), (2, 1)])


def test_no_boxes() -> None:
    assert layout([], []) == Layout([], [], 0.0, 0.0)


def test_layers_are_longest_paths_and_a_leaf_stands_right_before_its_use() -> None:
    #  0 → 1 → 2 → 3,  4 → 3,  0 → 3
    edges = [(0, 1), (1, 2), (2, 3), (4, 3), (0, 3)]
    assert longest_paths(5, edges) == [0, 1, 2, 3, 2]
    assert items_and_dummies(5, edges) == 5 + 2


def test_a_tree_has_no_crossings() -> None:
    """Two levels of pairs, the edges given in an order that would cross."""
    edges = [(0, 4), (2, 5), (1, 4), (3, 5), (5, 6), (4, 6)]
    assert crossings(layered(7, edges)) == 0


def test_crossings_are_counted() -> None:
    layers = layered(4, [(0, 2), (0, 3), (1, 2), (1, 3)])  # the complete bipartite graph of 2 and 2
    assert crossings(layers) == 1


def test_sorting_by_neighbours_removes_crossings() -> None:
    """Three ends, 3, 4 and 5: met in that order, the edge from 0 to 4 crosses one of 1's two."""
    assert crossings(layered(6, [(0, 4), (1, 3), (1, 5)])) == 0


def test_a_chain_is_straight_and_its_side_branches_stand_aside() -> None:
    boxes = [Box(40, 20)] * 8
    edges = [(0, 1), (1, 2), (2, 3), (4, 1), (5, 2), (6, 2), (7, 3)]
    found = layout(boxes, edges, down=True, weights=[8, 8, 8, 0.02, 0.02, 0.02, 0.02])
    xs = [found.centres[node][0] for node in range(4)]
    assert max(xs) - min(xs) < 0.5
    for number in range(3):
        assert found.routes[number][-1][0] == pytest.approx(found.centres[number + 1][0])  # into the middle


def test_a_pair_of_operands_is_symmetric_about_its_result() -> None:
    found = layout([Box(30, 30)] * 3, [(0, 2), (1, 2)])
    (_, first), (_, second), (_, result) = found.centres
    assert (first + second) / 2 == pytest.approx(result)


def test_what_is_nearly_level_is_level() -> None:
    """Two products and their sum, as of_expression weighs them: each operation stands level with its result."""
    variables, products, results = [0, 1, 2, 3], [4, 5], [6, 7]
    edges = [(0, 4), (1, 4), (2, 5), (3, 5), (4, 6), (5, 7), (6, 8), (7, 8), (8, 9)]
    weights = [4.0 if edge in ((4, 6), (5, 7), (8, 9)) else 1.0 for edge in edges]
    found = layout([Box(40, 60)] * 10, edges, weights=weights)
    for product, result in zip(products, results, strict=True):
        assert found.centres[product][1] == pytest.approx(found.centres[result][1], abs=0.5)
    heights = [found.centres[variable][1] for variable in variables]
    assert heights == sorted(heights)
