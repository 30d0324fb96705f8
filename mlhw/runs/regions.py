"""decision_regions.npz: what the reported checkpoint says of a grid over the plane, and of some rows beside it.

For inputs of two features alone. Pictures of it need neither the model nor the data.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from mlhw.errors import RunError
from mlhw.files import write_bytes

MARGIN: Final = 0.05  # of the points' span, on each side
MOST_POINTS: Final = 2000
_FLATTEST: Final = 1 / 3  # rows over columns, at least: regions of a plane far wider than high have outlines too
_ARRAYS: Final = ("grid_x", "grid_y", "predicted", "confidence", "points", "targets", "guesses")


class Regions(NamedTuple):
    """A grid over the plane, and ``points`` of ``split``; features in the units of the data, not of the model.

    ``predicted`` and ``guesses`` are the likeliest classes of the grid and of the points, ``confidence`` the probability
    of the grid's. ``data`` names the source of the points as prepared: ``peaks``, or ``peaks-generated``.
    """

    grid_x: Float[np.ndarray, " columns"]
    grid_y: Float[np.ndarray, " rows"]
    predicted: Int[np.ndarray, "rows columns"]
    confidence: Float[np.ndarray, "rows columns"]
    points: Float[np.ndarray, "points 2"]
    targets: Int[np.ndarray, " points"]
    guesses: Int[np.ndarray, " points"]
    class_names: tuple[str, ...]
    split: str
    data: str


def grid(
    points: Float[np.ndarray, "points 2"], columns: int = 300
) -> tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " rows"], Float[np.ndarray, "cells 2"]]:
    """Grid lines x (columns,) and y (rows,) over ``points`` with a margin of 5 %, and all their crossings (cells, 2).

    The crossings go row by row, y rising, so that values at them reshape to (rows, columns). There are as many rows as
    make the cells square, within a third of the columns and three times as many.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    span = high - low
    span = np.where(span > 0, span, span.max() if span.max() > 0 else 1.0)  # all on one line, or in one place
    middle, half = (low + high) / 2, span * (0.5 + MARGIN)
    rows = round(columns * float(np.clip(span[1] / span[0], _FLATTEST, 1 / _FLATTEST)))
    x = np.linspace(middle[0] - half[0], middle[0] + half[0], columns)
    y = np.linspace(middle[1] - half[1], middle[1] + half[1], max(rows, 2))
    across, up = np.meshgrid(x, y)
    return x, y, np.stack([across.ravel(), up.ravel()], axis=1)


def pick(rows: int, most: int = MOST_POINTS) -> Int[np.ndarray, " picks"]:
    """Up to ``most`` of ``rows`` row indices, spread evenly over them, ascending."""
    return np.unique(np.linspace(0, rows - 1, min(most, rows)).round().astype(np.int64))


def write(path: Path, regions: Regions) -> None:
    """Write ``regions``, atomically.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    arrays = {name: getattr(regions, name) for name in _ARRAYS}
    arrays["predicted"] = regions.predicted.astype(np.int32)  # the grid is large, and a picture asks for no more
    arrays["confidence"] = regions.confidence.astype(np.float32)
    arrays["class_names"] = np.array(regions.class_names, np.str_)
    arrays["said"] = np.array((regions.split, regions.data), np.str_)
    content = io.BytesIO()  # a zip writer does not take well to a full disk
    np.savez_compressed(content, **arrays)
    write_bytes(path, content.getvalue())


def read(path: Path) -> Regions:
    """What ``write`` wrote.

    Raises:
        RunError: there is no such file, or it is not one of regions.
    """
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in _ARRAYS}
            names, said = tuple(file["class_names"].tolist()), file["said"].tolist()
        found = Regions(**arrays, class_names=names, split=said[0], data=said[1])
        _check(found)
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise RunError(f"{path}: cannot be read as decision regions: {error}.") from error
    return found


def _check(found: Regions) -> None:
    shape = (len(found.grid_y), len(found.grid_x))
    if found.predicted.shape != shape or found.confidence.shape != shape or min(shape) < 2:
        raise ValueError(f"a grid of {shape} with {found.predicted.shape} and {found.confidence.shape} values")
    if found.points.shape != (len(found.targets), 2) or found.guesses.shape != found.targets.shape:
        raise ValueError(f"{found.points.shape} points, {found.targets.shape} targets, {found.guesses.shape} guesses")
    classes = np.concatenate([found.predicted.ravel(), found.targets, found.guesses])
    if classes.min() < 0 or classes.max() >= len(found.class_names):
        raise ValueError(f"classes {classes.min()} to {classes.max()} of {len(found.class_names)}")
