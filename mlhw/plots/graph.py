"""A computational graph drawn: circles and rectangles, what they hold, and arrows; for an expression or for a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path as Outline

from mlhw.files import atomic_write
from mlhw.graphs.diagram import ROUND, Diagram, Item
from mlhw.graphs.layers import items_and_dummies
from mlhw.graphs.layout import Box, Layout, Point, layout
from mlhw.plots.style import DPI, INK, MUTED, RUN_COLOURS, WRONG, look, new_figure, save
from mlhw.plots.text import fit, text_width

MARGIN: Final = 16.0  # points, as all lengths here
NAME, HELD, TITLE, LEGEND = 11.0, 9.0, 11.5, 9.0  # sizes of text
VALUE, GRADIENT = RUN_COLOURS[0], WRONG  # the gradient also has a sign and its own place
MOST_ITEMS: Final = 20_000  # with the dummies of long edges: seconds of laying out and of drawing
MOST_INCHES: Final = 400.0
_MOST_PIXELS: Final = 60e6
_WIDEST_NAME: Final = 150.0
_LEAST_PAGE: Final = 250.0
_LINE: Final = 12.5  # from one line of text to the next
_ROOM: Final = 12.0  # above and below a rectangle among circles, both together
_CHORD: Final = 0.86  # of a circle's diameter that its two lines of text may take
_LEGEND_TEXT: Final = 46.0  # from the signs of the legend to their meaning
_HEAD: Final = 5.5  # length of an arrow's head

_FILLS: Final = {
    "variable": "#E6F0F7",
    "data": "#E8F3E6",
    "intermediate": "white",
    "result": "#FFF3D6",
    "operation": "#EFEFEF",
}


def draw_graph(diagram: Diagram) -> Figure | None:
    """A figure of ``diagram``, as large as it takes: nothing overlaps and all text keeps its size.

    None where laying it out would take too long, or the picture would be too long for any viewer.
    """
    if items_and_dummies(len(diagram.items), diagram.edges) > MOST_ITEMS:
        return None
    with look():
        boxes = _boxes(diagram)
        place = _place(diagram, boxes)
        if max(place.width, place.height) > MOST_INCHES * 72:
            return None
        legend = _legend(diagram)
        page = max([place.width, _LEAST_PAGE, *(_LEGEND_TEXT + text_width(text, LEGEND) for _, _, text in legend)])
        width = page + 2 * MARGIN
        title, size = fit(diagram.title, page, TITLE, 8.0, 2, bold=True)
        above = MARGIN + (title.count("\n") + 1) * size * 1.3 + (12 if diagram.down else 4)
        height = above + place.height + MARGIN + (len(legend) * _LINE + 6 if legend else 0)
        figure = new_figure(width / 72, height / 72)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.text(MARGIN, MARGIN, title, size=size, weight="bold", va="top", gid="title")
        _graph(axes, diagram, boxes, place, ((width - place.width) / 2, above))
        for number, (sign, colour, text) in enumerate(legend):
            y = height - MARGIN - (len(legend) - number - 0.5) * _LINE
            axes.text(MARGIN, y, sign, size=LEGEND, color=colour, va="center")
            axes.text(MARGIN + _LEGEND_TEXT, y, text, size=LEGEND, color=MUTED, va="center")
    return figure


def save_graph(figure: Figure, path_without_suffix: Path) -> list[Path]:
    """The PNG and SVG written; a PNG of a long graph has fewer dots an inch, so that it can be opened.

    Raises:
        OutputError: a file cannot be written.
    """
    wide, high = figure.get_size_inches()
    dpi = min(DPI, int(math.sqrt(_MOST_PIXELS / (wide * high))))
    if dpi == DPI:
        return save(figure, path_without_suffix)
    picture = path_without_suffix.with_name(f"{path_without_suffix.name}.png")
    with look(), atomic_write(picture) as file:
        figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return [picture, *save(figure, path_without_suffix, ("svg",))]


def _place(diagram: Diagram, boxes: Sequence[Box]) -> Layout:
    layer_gap, item_gap = (20.0, 16.0) if diagram.down else (21.0, 2.0)  # circles bring room of their own, see _boxes
    return layout(
        boxes, diagram.edges, down=diagram.down, layer_gap=layer_gap, item_gap=item_gap, weights=diagram.straight
    )


def _graph(axes: Axes, diagram: Diagram, boxes: Sequence[Box], place: Layout, corner: Point) -> None:
    """Draw all edges and items, with the upper left ``corner`` of the graph at that place of the page."""
    for edge, route in zip(diagram.edges, place.routes, strict=True):
        ends = [_gap(diagram.items[end], boxes[end], diagram.down) for end in edge]
        _arrow(axes, [(x + corner[0], y + corner[1]) for x, y in route], ends, diagram.down)
    for item, box, (x, y) in zip(diagram.items, boxes, place.centres, strict=True):
        _item(axes, item, box, (x + corner[0], y + corner[1]), diagram.down)


def _boxes(diagram: Diagram) -> list[Box]:
    """The room of each item. Circles are all of one size, which their texts set, and have a line below."""
    round_ones = [item for item in diagram.items if item.role in ROUND]
    names = (min(text_width(item.name, NAME), 44.0) for item in round_ones)  # a longer one is written smaller
    across = max([34.0, *names, *(text_width(item.holds, HELD) for item in round_ones)]) / _CHORD
    boxes = []
    for item in diagram.items:
        if diagram.down or item.role not in ROUND:
            width = max(_width(item.name, NAME), _width(item.holds, HELD)) + (26 if item.role in ROUND else 16)
            height = (36.0 if item.holds else 24.0) + (0.0 if diagram.down else _ROOM)
            boxes.append(Box(max(width, 30.0), height))
        else:
            gradient = _width(_gradient(item), HELD)
            boxes.append(Box(max(across, gradient), across + 2 * _LINE))
    return boxes


def _diameter(box: Box) -> float:
    return box.height - 2 * _LINE


def _gap(item: Item, box: Box, down: bool) -> float:
    """How far a circle's border lies within its box, which the gradient below may make wider."""
    return 0.0 if down or item.role not in ROUND else (box.width - _diameter(box)) / 2


def _width(text: str, size: float) -> float:
    return min(text_width(text, size), _WIDEST_NAME) if text else 0.0


def _gradient(item: Item) -> str:
    return f"∂ {item.gradient.replace('-', '−')}" if item.gradient else ""


def _item(axes: Axes, item: Item, box: Box, centre: Point, down: bool) -> None:
    """Draw one box with its texts."""
    x, y = centre
    line: dict[str, Any] = {
        "facecolor": _FILLS[item.role],
        "edgecolor": INK,
        "linewidth": 1.8 if item.role == "result" else 1.0,
    }
    if item.role in ROUND and not down:
        across = _diameter(box)
        axes.add_patch(Circle((x, y), across / 2, zorder=2, gid=item.role, **line))
        axes.text(
            x, y + across / 2 + _LINE * 0.62, _gradient(item), size=HELD, color=GRADIENT, ha="center", va="center"
        )
        room = across * _CHORD
    else:
        high = box.height - (0.0 if down else _ROOM)
        style = f"round,pad=0,rounding_size={high / 2 if item.role in ROUND else 3.0}"
        corner = (x - box.width / 2, y - high / 2)
        axes.add_patch(FancyBboxPatch(corner, box.width, high, boxstyle=style, zorder=2, gid=item.role, **line))
        room = box.width - 12
    rows = [(item.name, NAME, INK)]
    if item.holds:
        rows.append((item.holds.replace("-", "−"), HELD, MUTED if down else VALUE))
    for number, (text, size, colour) in enumerate(rows):
        at = y + (number - (len(rows) - 1) / 2) * _LINE
        shown, size = fit(text, room, size, 6.5, 1)
        axes.text(x, at, shown, size=size, color=colour, ha="center", va="center_baseline", zorder=3)


def _arrow(axes: Axes, route: Sequence[Point], gaps: Sequence[float], down: bool) -> None:
    """Draw an edge: straight through layers, an S through gaps, and a head at its end; ``gaps`` longer at its ends."""
    along = 1 if down else 0
    start, tip = list(route[0]), list(route[-1])
    start[along] -= gaps[0]
    tip[along] += gaps[1]
    neck = list(tip)
    neck[along] -= _HEAD * 0.8
    points, codes = [(start[0], start[1])], [Outline.MOVETO]
    for point in [*route[1:-1], (neck[0], neck[1])]:
        last = points[-1]
        if abs(last[1 - along] - point[1 - along]) < 0.05:
            points.append(point)
            codes.append(Outline.LINETO)
            continue
        middle = (last[along] + point[along]) / 2
        bends = [list(last), list(point)]
        for bend in bends:
            bend[along] = middle
        points += [(bends[0][0], bends[0][1]), (bends[1][0], bends[1][1]), point]
        codes += [Outline.CURVE4] * 3
    axes.add_patch(
        PathPatch(Outline(points, codes), facecolor="none", edgecolor=MUTED, linewidth=1.1, zorder=1, gid="edge")
    )
    back, half = tip[along] - _HEAD, _HEAD * 0.42
    corners = [(tip[along], tip[1 - along]), (back, tip[1 - along] - half), (back, tip[1 - along] + half)]
    head = [(b, a) if down else (a, b) for a, b in corners]
    axes.add_patch(Polygon(head, closed=True, facecolor=MUTED, edgecolor="none", zorder=1))


def _legend(diagram: Diagram) -> list[tuple[str, str, str]]:
    """The lines below the graph: a sign, its colour, and what it means."""
    if not diagram.gradient_of:
        return []
    return [
        ("1.234", VALUE, "value: computed forwards"),
        ("∂ 1.234", GRADIENT, f"gradient: derivative of {diagram.gradient_of}, computed backwards"),
    ]
