"""preparation.json: how the examples of a run look as stored and become inputs, and what its classes are called.

With it and the reported weights a run names classes where its data set is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlhw.arrays import Scaling
from mlhw.datasets.coarser import Coarser
from mlhw.errors import RunError
from mlhw.files import read_json, write_json


@dataclass(frozen=True, eq=False)
class Preparation:
    """``input_shape`` and ``dtype`` of one stored example, its ``scaling``, and the classes that the model was trained on.

    ``coarser``: the classes that results are told in, where those are others.
    """

    input_shape: tuple[int, ...]
    dtype: str
    scaling: Scaling
    class_names: tuple[str, ...]
    coarser: Coarser | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """The names of the classes that results are told in."""
        return self.class_names if self.coarser is None else self.coarser.class_names


def write(path: Path, preparation: Preparation) -> None:
    """Write ``preparation`` to ``path``. Raises OutputError where that cannot be."""
    coarser = preparation.coarser
    value = {
        "input_shape": list(preparation.input_shape),
        "dtype": preparation.dtype,
        "shift": list(preparation.scaling.shift),
        "scale": list(preparation.scaling.scale),
        "class_names": list(preparation.class_names),
        "coarser_class_names": None if coarser is None else list(coarser.class_names),
        "coarser_of_finer": None if coarser is None else coarser.of_finer.tolist(),
    }
    write_json(path, value)


def read(path: Path) -> Preparation | None:
    """What ``write`` wrote, to the last bit; None where there is no such file, as in the runs of earlier versions.

    Raises:
        RunError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        return _parsed(read_json(path) or {})
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{path}: should say how the run's inputs were prepared, and does not ({type(error).__name__}: {error}). "
            "Remove the file: what it held is then taken from the data set."
        ) from error


def _parsed(value: dict[str, Any]) -> Preparation:
    coarser = None
    if value["coarser_class_names"] is not None:
        of_finer = np.array([int(index) for index in value["coarser_of_finer"]], dtype=np.int64)
        coarser = Coarser(tuple(map(str, value["coarser_class_names"])), of_finer)
        if len(of_finer) != len(value["class_names"]) or not (
            0 <= of_finer.min() <= of_finer.max() < len(coarser.class_names)
        ):
            raise ValueError("coarser_of_finer does not fit the classes")
    shift, scale = (tuple(map(float, value[key])) for key in ("shift", "scale"))
    shape = tuple(int(length) for length in value["input_shape"])
    if not shape or min(shape) < 1 or not shift or len(shift) != len(scale) or len(shift) not in (1, shape[-1]):
        raise ValueError("shift and scale do not fit the input_shape")
    return Preparation(
        shape, str(np.dtype(value["dtype"])), Scaling(shift, scale), tuple(map(str, value["class_names"])), coarser
    )
