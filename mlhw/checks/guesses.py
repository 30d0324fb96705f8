"""Arguments for a learner's function, guessed by their names, where the file has no ``example(rng)``.

All sizes differ, so that a transposed array has another shape: 5 rows, 4 features, 3 units or classes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

ROWS: Final = 5
WIDTHS: Final = (4, 3, 2, 6, 7)  # features, then the units of layer 1, 2, …
INPUTS: Final = ("x", "a", "h", "input", "inputs", "features", "data")
SCORES: Final = ("z", "s", "score", "scores", "logits", "out", "outputs", "theta_x")
PROBABILITIES: Final = ("p", "probs", "probabilities", "y_hat", "yhat", "y_pred", "pred", "predictions", "output")
CLASSES: Final = ("y", "t", "c", "target", "targets", "label", "labels", "classes")
ONE_HOT: Final = ("Y", "T", "C", "one_hot", "onehot", "Y_true", "y_one_hot")
NUMBERS: Final = ("alpha", "eps", "epsilon", "lam", "rate", "leak", "slope")
_WEIGHTS = re.compile(r"(w|weight|weights|theta)_?(\d?)", re.IGNORECASE)
_BIAS = re.compile(r"(b|bias|biases)_?(\d?)", re.IGNORECASE)


def guess(names: Sequence[str], rng: np.random.Generator) -> dict[str, Any]:
    """An argument for each of ``names``: float64 arrays, or integers where no gradient is asked for.

    Raises:
        KeyError: a name is not one of the known ones; it is the exception's argument.
    """
    classes = WIDTHS[_layers(names)] if _layers(names) else WIDTHS[1]
    return {name: _one(name, classes, rng) for name in names}


def _layers(names: Sequence[str]) -> int:
    """The highest number of a weight matrix among ``names``, 1 for one without; 0 where there is none."""
    found = [int(match[2] or 1) for name in names if (match := _WEIGHTS.fullmatch(name))]
    return min(max(found, default=0), len(WIDTHS) - 1)


def _one(name: str, classes: int, rng: np.random.Generator) -> Any:
    if name in ONE_HOT:  # before the lower-case names: Y is one-hot, y holds class numbers
        return np.eye(classes, dtype=np.int64)[rng.permutation(np.arange(ROWS) % classes)]
    if (match := _WEIGHTS.fullmatch(name)) and 0 < int(match[2] or 1) < len(WIDTHS):
        layer = int(match[2] or 1)
        return rng.standard_normal((WIDTHS[layer - 1], WIDTHS[layer]))
    if (match := _BIAS.fullmatch(name)) and 0 < int(match[2] or 1) < len(WIDTHS):
        return rng.standard_normal(WIDTHS[int(match[2] or 1)])
    lower = name.lower()
    if lower in INPUTS:
        return rng.standard_normal((ROWS, WIDTHS[0]))
    if lower == "v":
        return rng.standard_normal((WIDTHS[1], WIDTHS[0]))
    if lower in CLASSES:
        return rng.permutation(np.arange(ROWS) % classes)
    if lower in SCORES:
        return rng.standard_normal((ROWS, classes))
    if lower in PROBABILITIES:
        return rng.dirichlet(np.full(classes, 3.0), ROWS)
    if lower in ("gamma", "beta"):
        return rng.standard_normal(WIDTHS[0])
    if lower in NUMBERS:
        return 0.1
    raise KeyError(name)


def described(arguments: dict[str, Any]) -> str:
    """``x (5, 4), W (4, 3), b (3,)``: what a function was called with."""
    return ", ".join(f"{name} {value.shape if hasattr(value, 'shape') else value}" for name, value in arguments.items())
