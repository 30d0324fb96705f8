"""What is drawn: circles, rectangles, their texts; and the same as DOT."""

from __future__ import annotations

import re

import pytest

from mlhw.graphs.diagram import Diagram, Item, figures, label, of_expression, to_dot
from mlhw.graphs.expression import Number, parse
from mlhw.graphs.nodes import build

NODE = re.compile(r'  n(\d+) \[shape=(circle|box)(, style=rounded)?(, penwidth=2)?, label="((?:[^"\\\n]|\\.)*)"\];')
EDGE = re.compile(r"  n(\d+) -> n(\d+);")


def the_example() -> Diagram:
    graph = build(parse("exp(-(w1*x1 + w2*x2))"), {"w1": 0.1, "x1": 0.3, "w2": -0.2, "x2": 0.4}, Number("1", 1.0))
    return of_expression(graph)


def test_circles_and_rectangles_take_turns() -> None:
    diagram = the_example()
    operations = {number for number, item in enumerate(diagram.items) if item.role == "operation"}
    assert len(diagram.items) == 10 + 6
    assert len(operations) == 6
    assert all((source in operations) != (target in operations) for source, target in diagram.edges)


def test_values_and_gradients_are_written_in() -> None:
    items = {item.name: item for item in the_example().items}
    assert items["w1"] == Item("variable", "w1", "0.100", "-0.31538")
    assert items["z3"] == Item("intermediate", "z3", "-0.050", "-1.0513")
    assert items["f"] == Item("result", "f", "1.0513", "1.000")
    assert items["f − 1"] == Item("operation", "f − 1")


def test_a_shared_variable_is_drawn_once_with_an_edge_a_use() -> None:
    diagram = of_expression(build(parse("x*x"), {"x": 3.0}))
    assert [item.name for item in diagram.items] == ["x", "×", "f"]
    assert diagram.edges == [(0, 1), (0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a*b", "×"),
        ("a+b", "+"),
        ("-a*1", "−"),
        ("a-b", "a − b"),
        ("a/b", "a / b"),
        ("2*a", "2·a"),
        ("max(a,b)", "max"),
    ],
)
def test_a_rectangle_names_operands_only_where_numbers_or_an_order_matter(text: str, said: str) -> None:
    graph = build(parse(text), dict.fromkeys(parse(text).names, 2.0))
    assert label(graph.nodes[len(graph.variables)]) == said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.03, "0.030"),
        (-0.08000000000000002, "-0.080"),
        (1.0512710963760241, "1.05127"),
        (-0.31538132891280724, "-0.315381"),
        (1.0, "1.000"),
        (-0.0, "0.000"),
        (5000.0, "5000.00"),
        (123456.7, "123457"),
        (1234567.0, "1.23457e+06"),
        (1.5e-7, "1.5e-07"),
    ],
)
def test_numbers_have_the_figures_that_are_known(value: float, text: str) -> None:
    assert figures(value) == text


def test_dot_has_every_box_and_every_edge() -> None:
    diagram = the_example()
    lines = to_dot(diagram).splitlines()
    assert lines[0] == "digraph {"
    assert lines[-1] == "}"
    nodes = [NODE.fullmatch(line) for line in lines[3 : 3 + len(diagram.items)]]
    edges = [EDGE.fullmatch(line) for line in lines[3 + len(diagram.items) : -1]]
    assert all(nodes)
    assert all(edges)
    assert [(int(match[1]), int(match[2])) for match in edges if match] == diagram.edges
    assert nodes[0]
    assert nodes[0][5] == r"w1\n0.100\n∂ -0.31538"
    assert [match[2] for match in nodes if match].count("box") == 6


def test_names_cannot_leave_their_quotes() -> None:
    diagram = Diagram('a "quoted" \\ title', [Item("variable", 'x"]; n9 [label="\\N\x00', "1\\")])
    line = to_dot(diagram).splitlines()[3]
    match = NODE.fullmatch(line)
    assert match
    assert (
        re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], match[5]) == 'x"]; n9 [label="\\N \n1\\'
    )
