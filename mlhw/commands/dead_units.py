"""Which ReLU units are dead: wᵀx + b ≤ 0 for every training row, so that no gradient reaches them any more."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlhw.arrays import Split
from mlhw.protocols import Learner
from mlhw.training.batches import score_rows

MOST_INDICES = 20


def dead_units(learner: Learner, train: Split) -> list[dict[str, Any]]:
    """For each ReLU layer its ``units``, how many are ``dead`` on the placed rows ``train``, and the first 20 ``indices``.

    A convolution's unit is a channel, dead where it is at no place of any row above 0. Empty without ReLU: other units do
    not die so. At most one pass over the rows; it ends as soon as every unit was seen above 0.
    """
    step, largest = score_rows(train), dict[str, np.ndarray]()
    for start in range(0, len(train), step):
        for layer, values in learner.relu_maxima(train.model_inputs(start, start + step)).items():
            largest[layer] = np.maximum(values, largest.get(layer, values))
        if not any((values <= 0).any() for values in largest.values()):
            break
    dead = {layer: np.flatnonzero(values <= 0) for layer, values in largest.items()}
    return [
        {"layer": layer, "units": len(largest[layer]), "dead": len(rows), "indices": rows[:MOST_INDICES].tolist()}
        for layer, rows in dead.items()
    ]
