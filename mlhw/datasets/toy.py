"""The course's toy problems GMM, Peaks and SwissRoll: a few features, a few classes, thousands of rows.

Read from MATLAB files ``<data>/toy2d/{GMM,Peaks,SwissRoll}Data.mat``, or generated (``toy_made``) where those are absent.
A file holds ``Yt`` (features, rows) and the one-hot ``Ct`` (classes, rows) for training, ``Yv`` and ``Cv`` for validation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Float, Int

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets import matlab, toy_made
from mlhw.datasets.cache import fingerprint, prepared
from mlhw.errors import DataMissing

FOLDER: Final = "toy2d"
Source = Literal["auto", "mat", "generated"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One of the three: its file, what its rows are, and how many of them ``make`` makes for train and validation."""

    name: str
    file: str
    features: int
    class_names: tuple[str, ...]
    rows: tuple[int, int]
    make: Callable[[int, int], tuple[toy_made.Rows, toy_made.Rows]]

    @property
    def title(self) -> str:
        """The name as the course writes it."""
        return self.file.removesuffix("Data.mat")


_CLASSES = tuple(f"class {number}" for number in range(1, 6))
_LEVELS = ("lowest", "low", "middle", "high", "highest")
_ARMS = ("inner arm", "outer arm")
PROBLEMS: Final = {
    problem.name: problem
    for problem in (
        Problem("gmm", "GMMData.mat", 5, _CLASSES, (25_000, 6_250), toy_made.gmm),
        Problem("peaks", "PeaksData.mat", 2, _LEVELS, (25_000, 6_250), toy_made.peaks),
        Problem("swissroll", "SwissRollData.mat", 2, _ARMS, (20_000, 5_000), toy_made.swissroll),
    )
}


def load_gmm(place: Place, *, source: Source = "auto") -> Splits:
    """GMM: 5 features, 5 classes, each of them 5 Gaussians. As :func:`load`."""
    return load(place, problem="gmm", source=source)


def load_peaks(place: Place, *, source: Source = "auto") -> Splits:
    """Peaks: the plane, its 5 classes the levels of a surface of hills and valleys. As :func:`load`."""
    return load(place, problem="peaks", source=source)


def load_swissroll(place: Place, *, source: Source = "auto") -> Splits:
    """SwissRoll: the plane, its 2 classes two spiral arms. As :func:`load`."""
    return load(place, problem="swissroll", source=source)


def is_generated(splits: Splits) -> bool:
    """Whether :func:`load` has generated ``splits``, and not read them from a file."""
    return splits.origin.split("-")[1] == "generated"


def load(place: Place, *, problem: str, source: Source = "auto") -> Splits:
    """Train and val of ``problem``: inputs float64 (rows, features), targets int64. Rows stand class by class.

    The ``origin`` begins with the problem's name, and goes on ``-generated-`` where the rows were generated.

    Args:
        place: where the data lies.
        problem: one of the keys of ``PROBLEMS``.
        source: the MATLAB file, rows generated here, or (``auto``) the file where it is there.

    Raises:
        DataMissing: ``source`` is ``mat``, and the file is not there.
        DataError: the file is not what it should be; says what is, and what is wanted.
    """
    known = PROBLEMS[problem]
    path = Path(place.data) / FOLDER / known.file
    there = path.exists() or path.is_symlink()  # a link that leads nowhere is a fault, and no reason to generate
    if source == "generated" or (source == "auto" and not there):
        settings = {"version": toy_made.VERSION, "rows": known.rows}
        return prepared(place, f"{problem}-generated", settings, lambda _: _generated(place, known))
    if not there:
        raise DataMissing(
            f"there is no {path}. It is not to be had from the network: put it there, set MLHW_DATA to the folder that "
            f"holds {FOLDER}/, or have such rows generated with data.source: generated."
        )
    return prepared(place, problem, {"files": fingerprint([path])}, lambda _: _from_file(place, known, path))


def _generated(place: Place, problem: Problem) -> Splits:
    place.progress(f"generating {problem.name}", 0, 1)
    train, val = problem.make(*problem.rows)
    place.progress(f"generating {problem.name}", 1, 1)
    return Splits(Split(*train, problem.class_names), val=Split(*val, problem.class_names))


def _from_file(place: Place, problem: Problem, path: Path) -> Splits:
    place.progress(f"preparing {problem.name}", 0, 1)
    features, classes = problem.features, len(problem.class_names)
    arrays = matlab.read(path, {"Yt": features, "Ct": classes, "Yv": features, "Cv": classes})
    place.progress(f"preparing {problem.name}", 1, 1)
    train, val = (_split(path, problem, arrays[f"Y{end}"], arrays[f"C{end}"], end) for end in "tv")
    return Splits(train, val=val)


def _split(path: Path, problem: Problem, values: Any, classes: Any, end: str) -> Split:
    """One split of the matrices Y (features, rows) and C (classes, rows). Raises DataError."""
    if values.shape[1] != classes.shape[1]:
        raise matlab.fault(path, f"Y{end} has {values.shape[1]:,} columns, C{end} has {classes.shape[1]:,}")
    inputs: Float[np.ndarray, "rows features"] = np.ascontiguousarray(values.T, dtype=np.float64)
    bad = ~np.isfinite(inputs)
    if bad.any():
        row, feature = np.argwhere(bad)[0].tolist()
        raise matlab.fault(
            path, f"Y{end} holds {inputs[row, feature]} in row {feature + 1}, column {row + 1}; finite wanted"
        )
    hot: Float[np.ndarray, "rows classes"] = classes.T.astype(np.float64)
    wrong = ((hot != 0) & (hot != 1)).any(axis=1) | (hot.sum(axis=1) != 1)
    if wrong.any():
        column = int(np.argmax(wrong))
        got = ", ".join(f"{value:g}" for value in hot[column].tolist())
        raise matlab.fault(
            path, f"C{end} should have a single 1 and else 0 in each column, got ({got}) in column {column + 1}"
        )
    targets: Int[np.ndarray, " rows"] = hot.argmax(axis=1).astype(np.int64)
    return Split(inputs, targets, problem.class_names)
