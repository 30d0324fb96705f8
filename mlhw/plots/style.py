"""The one place for the look of a figure: colours, line styles, fonts, sizes, and how a figure is saved.

Colours are those of Okabe and Ito (2008, "Color Universal Design"), less yellow, which white paper swallows, and with
three dark ones added so that ten stay apart for readers with deuteranopia and protanopia. Nothing is told by colour
alone: splits also differ in line style and marker, runs in marker.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mlhw.files import atomic_write

INK: Final = "#222222"
MUTED: Final = "#666666"
GRID: Final = "#E2E2E2"
WRONG: Final = "#B23A00"  # vermilion, darkened until text in it reads well on white

RUN_COLOURS: Final = (
    "#0072B2",  # blue
    "#E69F00",  # orange
    "#009E73",  # bluish green
    "#D55E00",  # vermilion
    "#CC79A7",  # reddish purple
    "#56B4E9",  # sky blue
    "#000000",  # black
    "#5A1FA0",  # indigo
    "#7A3B00",  # brown
    "#99004C",  # wine
)
RUN_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")  # 11: the pair repeats after 110 runs only

SMALL, NORMAL, LARGE = 8.0, 9.0, 12.0  # points
DPI: Final = 150
_CSS_DPI: Final = 96  # by definition


@dataclass(frozen=True, slots=True)
class SplitStyle:
    """How the lines of one split look: ``colour`` where colour does not tell runs apart, dashes and marker always."""

    colour: str
    dashes: Any
    width: float
    marker: str


# On every figure train is dashed and what is held out solid, or (test) dash-dotted: it is what one looks at.
SPLIT_STYLES: Final = {
    "train": SplitStyle("#0072B2", (0, (4, 1.6)), 1.3, "o"),
    "val": SplitStyle("#D55E00", "-", 1.8, "s"),
    "test": SplitStyle("#000000", (0, (5, 1.5, 1, 1.5)), 1.5, "D"),
}

BEST_MARK: Final[dict[str, Any]] = {
    "markersize": 9.5,
    "markerfacecolor": "none",
    "markeredgewidth": 1.6,
    "clip_on": False,
}
"""The ring at the reported epoch."""

_LOOK: Final[Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": [
        "DejaVu Sans",
        "Verdana",
        "Arial",
    ],  # the first comes with matplotlib; the rest are for SVG viewers
    "font.size": NORMAL,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "text.usetex": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": NORMAL,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.frameon": False,
    "legend.fontsize": NORMAL,
    "savefig.dpi": DPI,
    "svg.fonttype": "none",  # text stays text: it can be searched, and is escaped by the writer
    "svg.hashsalt": "mlhw",  # ids follow from the content, not from chance
}


@contextlib.contextmanager
def look() -> Iterator[None]:
    """A block in which matplotlib has this look, whatever the user's matplotlibrc says; left as found afterwards.

    A name in a script that the font lacks is drawn as boxes in a PNG and is right in an SVG: no reason to warn.
    """
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_LOOK)
        yield


class _Picture(Figure):
    """A figure that a notebook shows as it would be saved, whether or not pyplot was ever imported there."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The PNG, and how large it is to be shown, in CSS pixels: sharp on fine screens too."""
        content = io.BytesIO()
        with look():
            self.savefig(content, format="png", dpi=DPI)
        return content.getvalue(), {"width": round(self.get_figwidth() * _CSS_DPI)}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of ``width`` × ``height`` inches with an Agg canvas: no window system, no global list."""
    figure = _Picture(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path_without_suffix: Path, formats: Sequence[str] = ("png", "svg")) -> list[Path]:
    """The paths written, one a format, each atomically. The same figure gives the same bytes.

    Raises:
        OutputError: a file cannot be written; names the path.
    """
    paths = []
    for kind in formats:
        path = path_without_suffix.parent / f"{path_without_suffix.name}.{kind}"  # a dot in the name is no suffix
        metadata = {"Date": None} if kind == "svg" else {"Software": None} if kind == "png" else None
        with look(), atomic_write(path) as file:
            figure.savefig(file, format=kind, dpi=DPI, metadata=metadata)
        paths.append(path)
    return paths


_NOT_IN_XML = re.compile("[^\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def literal(text: str) -> str:
    """``text`` on one line, with what an SVG cannot hold (control signs, halves of surrogate pairs) as a space."""
    return _NOT_IN_XML.sub(" ", text)
