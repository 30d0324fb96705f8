"""The drawn graph: shapes, texts in their places, and files that open."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch
from PIL import Image

from mlhw.graphs.diagram import Diagram, Item, of_expression
from mlhw.graphs.expression import Number, parse
from mlhw.graphs.nodes import build
from mlhw.plots import graph as plots
from mlhw.plots.graph import draw_graph, save_graph

Faults = Callable[[Figure], list[str]]

FORTY = (
    "tanh(a*b+c)^2 + max(a*c, b, sin(c*d), relu(d-a)) - log(1+exp(-(a*d+b*c))) * sigmoid(a^2+b^2+c^2+d^2)"
    " / (1+abs(sin(a)*cos(b))) + sqrt(d*d + 2*d*c + 3) + exp(-a*a/(2*b*b))"
)
EXAMPLES = {
    "example": "exp(-(w1*x1 + w2*x2))",
    "logistic unit": "1/(1+exp(-(w0*x0+w1*x1+w2)))",
    "smallest": "w1*x1+b1",
    "variable": "x",
    "number": "5",
    "forty": FORTY,
    "far apart": "a*1e-300 - 1.2345678e-9*b*a + a^8",
    "long name": "a_name_that_is_much_longer_than_any_circle * max(x1, x2, x3, x4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)",
}


def drawn(text: str, target: float | None = None) -> Figure:
    figure = draw_graph(diagram(text, target))
    assert figure is not None
    return figure


def diagram(text: str, target: float | None = None) -> Diagram:
    expression = parse(text)
    values = {name: 0.5 + 0.37 * number for number, name in enumerate(expression.names)}
    return of_expression(build(expression, values, None if target is None else Number(str(target), target)))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_no_text_overlaps_another_or_stands_out(text: str, text_faults: Faults) -> None:
    assert text_faults(drawn(text)) == []


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_text_stays_within_its_circle_or_rectangle(text: str) -> None:
    figure = drawn(text)
    figure.canvas.draw()
    boxes = [
        patch.get_window_extent() for patch in figure.axes[0].patches if isinstance(patch, Circle | FancyBboxPatch)
    ]
    for written in figure.axes[0].texts:
        box = written.get_window_extent()
        middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        around = [one for one in boxes if one.contains(*middle)]
        for one in around:
            assert one.x0 <= box.x0
            assert box.x1 <= one.x1
            assert one.y0 <= box.y0
            assert box.y1 <= one.y1


def test_circles_for_values_and_rectangles_for_operations() -> None:
    patches = drawn(EXAMPLES["example"], target=1).axes[0].patches
    assert sum(isinstance(patch, Circle) for patch in patches) == 10
    assert sum(isinstance(patch, FancyBboxPatch) for patch in patches) == 6
    assert sum(patch.get_gid() == "edge" for patch in patches) == 3 * 2 + 3 * 1 + 6  # operands of each, and results


def test_values_gradients_and_what_they_are_of_are_written() -> None:
    figure = drawn("x*y", target=1)
    written = texts(figure)
    assert "f = x*y,  e = f − 1" in written
    assert {"x", "0.500", "∂ 0.870", "×", "f", "∂ 1.000", "f − 1", "e", "−0.565"} <= set(written)
    assert any("derivative of e" in text for text in written)


def test_a_gradient_differs_from_a_value_in_colour_and_in_its_sign() -> None:
    shown = {text.get_text(): text.get_color() for text in drawn("x*y").axes[0].texts}
    assert shown["∂ 0.870"] == plots.GRADIENT
    assert shown["0.870"] == plots.VALUE
    assert plots.GRADIENT != plots.VALUE


def test_a_model_goes_from_top_to_bottom_without_a_legend(text_faults: Faults) -> None:
    model = Diagram("the loss of a model", down=True)
    place = model.add(Item("data", "x", "N×1×8×8"))
    for layer in range(30):
        weight = model.add(Item("variable", f"{layer}.some.long.path.weight", "16×16×3×3"))
        bias = model.add(Item("variable", f"{layer}.some.long.path.bias", "16"))
        operation = model.add(Item("operation", "conv2d", "N×16×8×8"), [place], 8.0)
        for parameter in (weight, bias):
            model.join(parameter, operation, 0.02)
        place = operation
    model.add(Item("result", "loss"), [place])
    figure = draw_graph(model)
    assert figure is not None
    width, height = figure.get_size_inches()
    assert height > 3 * width
    assert text_faults(figure) == []
    assert not any("derivative" in text for text in texts(figure))


def test_files_open_and_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = (save_graph(drawn(EXAMPLES["example"]), tmp_path / name) for name in ("one", "two"))
    assert [path.name for path in first] == ["one.png", "one.svg"]
    with Image.open(first[0]) as picture:
        assert picture.width > picture.height
    ElementTree.parse(first[1])
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_names_are_text_in_the_svg_and_cannot_be_anything_else(tmp_path: Path) -> None:
    model = Diagram("<script>alert(1)</script> & \x00", down=True)
    model.add(Item("result", "<b>&\"'", "$x_1$"), [model.add(Item("variable", "]]>"))])
    figure = draw_graph(model)
    assert figure is not None
    svg = save_graph(figure, tmp_path / "graph")[1]
    written = {
        "".join(element.itertext()).strip() for element in ElementTree.parse(svg).iter() if element.tag.endswith("text")
    }
    assert {"<script>alert(1)</script> &", "<b>&\"'", "$x_1$", "]]>"} <= written
    assert b"<script>alert" not in svg.read_bytes()


def test_a_graph_that_is_too_large_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert draw_graph(diagram("+".join(["x"] * 3000))) is None
    monkeypatch.setattr(plots, "MOST_INCHES", 3.0)
    assert draw_graph(diagram("w1*x1+b1")) is None


def test_a_picture_of_a_large_graph_has_fewer_dots_an_inch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "_MOST_PIXELS", 50_000)
    png, svg = save_graph(drawn(EXAMPLES["example"]), tmp_path / "graph")
    with Image.open(png) as picture:
        assert 30_000 < picture.width * picture.height <= 50_000
    assert svg.exists()
