"""test_predictions.csv: what the reported checkpoint says of every test row, so that later pictures need no model."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlhw.errors import RunError
from mlhw.files import write_text

HEADER = "row,target,predicted,probability"


class Predictions(NamedTuple):
    """Class indices and the predicted class's probability, one of each a test row."""

    target: np.ndarray
    predicted: np.ndarray
    probability: np.ndarray


def write(path: Path, targets: np.ndarray, probabilities: np.ndarray) -> None:
    """Write the likeliest class of each row of ``probabilities`` (rows, classes) beside its target."""
    predicted = probabilities.argmax(axis=1)
    share = probabilities[np.arange(len(predicted)), predicted]
    lines = [
        f"{row},{target},{guess},{p:.6f}"
        for row, (target, guess, p) in enumerate(zip(targets.tolist(), predicted.tolist(), share.tolist(), strict=True))
    ]
    write_text(path, "\n".join([HEADER, *lines]) + "\n")


def read(path: Path) -> Predictions:
    """What ``write`` wrote.

    Raises:
        RunError: there is no such file, or it is not one of predictions.
    """
    try:
        table = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
        return Predictions(table[:, 1].astype(np.int64), table[:, 2].astype(np.int64), table[:, 3])
    except (OSError, ValueError, IndexError) as error:
        raise RunError(f"{path}: cannot be read as predictions: {error}.") from error
