"""How classes look in the plane: a colour and a marker each, and rows of a data set drawn with them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from mlhw.plots.style import RUN_COLOURS, RUN_MARKERS

# The colours of style.py in the order in which their pale tints stay apart the longest, for readers with deuteranopia and
# protanopia too: the smallest distance in CIELAB of five tints (45 %) is 13, in the order of the runs it would be 7.
COLOURS: Final = tuple(RUN_COLOURS[i] for i in (0, 1, 2, 6, 8, 3, 5, 9, 7, 4))
_WAVES: Final = 12  # in which rows are drawn, all classes in each: else the last class would cover the others


def colour(index: int) -> str:
    """The colour of class ``index``."""
    return COLOURS[index % len(COLOURS)]


def marker(index: int) -> str:
    """The marker of class ``index``; with the colour it makes 110 different signs."""
    return RUN_MARKERS[index % len(RUN_MARKERS)]


def key(index: int, size: float, *, hollow: bool = False) -> Line2D:
    """The sign of class ``index`` for a legend, ``size`` points large; ``hollow`` as a wrong row has it."""
    return Line2D([], [], linestyle="", marker=marker(index), markersize=size, **_look(index, hollow))


def draw_points(
    axes: Axes,
    points: Float[np.ndarray, "points 2"],
    targets: Int[np.ndarray, " points"],
    size: float,
    wrong: Bool[np.ndarray, " points"] | None = None,
) -> None:
    """Draw each row of ``points`` with the sign of its class, ``size`` points large; ``wrong`` ones hollow, on top."""
    wrong = np.zeros(len(targets), dtype=bool) if wrong is None else wrong
    for hollow, grown, order in ((False, 1.0, 3), (True, 1.35, 5)):
        rows = np.flatnonzero(wrong == hollow)
        for wave in range(_WAVES):
            for index in np.unique(targets[rows[wave::_WAVES]]).tolist():
                chosen = rows[wave::_WAVES][targets[rows[wave::_WAVES]] == index]
                x, y = points[chosen].T
                sign = {"marker": marker(index), "markersize": size * grown, **_look(index, hollow)}
                axes.plot(x, y, linestyle="", zorder=order, **sign)


def tint(indices: Int[np.ndarray, "*shape"], strength: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape 3"]:
    """The RGB colours (..., 3) of classes, mixed with white: ``strength`` 0 is white, 1 the full colour.

    Of black 0.85 of that, as rows of it could not be seen on its own tint.
    """
    table = np.array([to_rgb(colour(i)) for i in range(int(indices.max(initial=0)) + 1)])
    most = np.where(table.any(axis=1), 1.0, 0.85)
    return 1.0 - (np.clip(strength, 0.0, 1.0) * most[indices])[..., np.newaxis] * (1.0 - table[indices])


def _look(index: int, hollow: bool) -> dict[str, Any]:
    shade = colour(index)
    if hollow:
        return {"markerfacecolor": "white", "markeredgecolor": shade, "markeredgewidth": 1.1}
    return {"markerfacecolor": shade, "markeredgecolor": "white", "markeredgewidth": 0.25}
