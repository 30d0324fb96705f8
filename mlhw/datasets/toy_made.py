"""Three small problems made from formulas: a mixture of Gaussians, levels of the peaks surface, two spiral arms.

Made to resemble the course's files in kind and in difficulty, not to repeat their numbers: the densities, the spread and
the share of wrong labels follow what was measured on those files. The same rows come out every time. As in the files,
rows stand class by class, values are those of float32, and a few labels are wrong.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

Rows = tuple[NDArray[np.float64], NDArray[np.int64]]
"""Inputs (rows, features) and their class indices (rows,)."""

VERSION: Final = 1  # raise it when any of the rows below change: what was prepared is then made anew
WRONG_LABELS: Final = 0.016  # of all rows, measured on GMMData and PeaksData
WRONG_ARMS: Final = 0.019  # the same, on SwissRollData

_GMM_SEED, _PEAKS_SEED, _SPIRAL_SEED = 3, 0, 0
_COMPONENTS: Final = 5  # Gaussians a class, equally likely
_CENTRE_DEVIATION: Final = 0.7
_AXES: Final = np.array([0.08, 0.14, 0.19, 0.21, 0.23])  # deviations along the axes of each Gaussian
_PEAKS_NOISE: Final = 0.055
_SPIRAL_NOISE: Final = 0.04
_SPIRAL_TURNS: Final = 2
_SPIRAL_GAP: Final = 0.2  # from one arm to the other; both reach 1 further out


def gmm(train_rows: int, val_rows: int) -> tuple[Rows, Rows]:
    """Train and validation rows of a mixture of 25 Gaussians in 5 dimensions, 5 to each of 5 classes.

    Centres are normal with deviation 0.7; each Gaussian is a narrow ellipsoid, turned at random. The seed is one of 40
    that were tried: with it, softmax regression does about as well as on GMMData (with others 36 to 68 %).
    """
    rng = np.random.default_rng(_GMM_SEED)
    classes = features = len(_AXES)
    centres = _CENTRE_DEVIATION * rng.standard_normal((classes, _COMPONENTS, features))
    turns = np.linalg.qr(rng.standard_normal((classes, _COMPONENTS, features, features)))[0]
    axes = (turns * _AXES).swapaxes(-1, -2)

    def draw(rows: int) -> Rows:
        targets = _class_by_class(rows, classes)
        component = rng.integers(0, _COMPONENTS, rows)
        spread = np.einsum("ri,rij->rj", rng.standard_normal((rows, features)), axes[targets, component])
        return _as_stored(centres[targets, component] + spread), _with_wrong_labels(targets, classes, WRONG_LABELS, rng)

    return draw(train_rows), draw(val_rows)


def peaks(train_rows: int, val_rows: int) -> tuple[Rows, Rows]:
    """Train and validation rows of the plane within ±3, its class the level of :func:`peaks_height`, from low to high.

    The five levels are equal parts of the surface's range. Each class has as many rows as the others, spread evenly over
    the ground of its level and then displaced by normal noise of deviation 0.055.
    """
    rng = np.random.default_rng(_PEAKS_SEED)
    side = np.linspace(-3.0, 3.0, 601)
    surface = peaks_height(side, side[:, np.newaxis])
    levels = np.linspace(surface.min(), surface.max(), 6)[1:-1]

    def draw(rows: int) -> Rows:
        targets = _class_by_class(rows, 5)
        inputs = np.empty((rows, 2))
        missing = np.arange(rows)
        while len(missing):  # the lowest and highest levels are 3 % of the ground each: two rounds
            points = rng.uniform(-3.0, 3.0, (4 * rows, 2))
            level = np.digitize(peaks_height(points[:, 0], points[:, 1]), levels)
            still = []
            for index in range(5):
                wanted, found = missing[targets[missing] == index], np.flatnonzero(level == index)
                inputs[wanted[: len(found)]] = points[found[: len(wanted)]]
                still.append(wanted[len(found) :])
            missing = np.concatenate(still)
        inputs += _PEAKS_NOISE * rng.standard_normal(inputs.shape)
        return _as_stored(inputs), _with_wrong_labels(targets, 5, WRONG_LABELS, rng)

    return draw(train_rows), draw(val_rows)


def peaks_height(x: Float[np.ndarray, "..."], y: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The height of MATLAB's ``peaks`` surface at (x, y): a sum of Gaussian bumps, -6.55 to 8.11 within ±3."""
    first = 3 * (1 - x) ** 2 * np.exp(-(x**2) - (y + 1) ** 2)
    second = 10 * (x / 5 - x**3 - y**5) * np.exp(-(x**2) - y**2)
    third = np.exp(-((x + 1) ** 2) - y**2) / 3
    return first - second - third


def swissroll(train_rows: int, val_rows: int) -> tuple[Rows, Rows]:
    """Train and validation rows of two spiral arms of two turns, one within the other: the inner is class 0.

    At position t, even in 0 to 1, an arm's radius is t (inner) or t + 0.2 (outer) and its angle 4πt; normal noise of
    deviation 0.04 is added.
    """
    rng = np.random.default_rng(_SPIRAL_SEED)

    def draw(rows: int) -> Rows:
        targets = _class_by_class(rows, 2)
        position = rng.random(rows)
        radius, angle = position + _SPIRAL_GAP * targets, 2 * np.pi * _SPIRAL_TURNS * position
        inputs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        inputs += _SPIRAL_NOISE * rng.standard_normal(inputs.shape)
        return _as_stored(inputs), _with_wrong_labels(targets, 2, WRONG_ARMS, rng)

    return draw(train_rows), draw(val_rows)


def _class_by_class(rows: int, classes: int) -> Int[np.ndarray, " rows"]:
    return np.sort(np.arange(rows, dtype=np.int64) % classes)


def _with_wrong_labels(
    targets: Int[np.ndarray, " rows"], classes: int, share: float, rng: np.random.Generator
) -> Int[np.ndarray, " rows"]:
    """``targets`` with about ``share`` of them, drawn row by row, replaced by another class."""
    wrong = rng.random(len(targets)) < share
    return np.where(wrong, (targets + rng.integers(1, classes, len(targets))) % classes, targets)


def _as_stored(inputs: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "rows features"]:
    """Rounded to float32, as the files store: last digits that differ between processors mostly go with it."""
    return inputs.astype(np.float32).astype(np.float64)
