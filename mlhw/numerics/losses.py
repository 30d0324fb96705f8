"""Losses of class scores, with gradients.

Scores are (rows, classes), or (members, rows, classes) of a stack, whose targets are shared (rows,) or each member's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

Loss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def softmax_cross_entropy(
    scores: Float[np.ndarray, "*members rows classes"],
    targets: Int[np.ndarray, "*#members rows"],
    bounded: bool = False,
) -> tuple[Float[np.ndarray, "*members rows"], Float[np.ndarray, "*members rows classes"]]:
    """Each row's -log softmax(scores)[target], and softmax(scores).

    From the scores and not from the probabilities, so that a probability that rounds to 0 has a finite loss. Where they are
    ``bounded`` (by an activation, within ±1) the row's maximum need not come off first: no exponential overflows.
    """
    # The ufuncs' own reductions: .max and .sum pass through Python first, which shows at a batch of eight.
    if bounded:
        chosen = _of_targets(scores, targets)
        shifted = np.exp(scores)
    else:
        shifted = scores - np.maximum.reduce(scores, axis=-1, keepdims=True)
        chosen = _of_targets(shifted, targets)
        np.exp(shifted, out=shifted)
    totals = np.add.reduce(shifted, axis=-1, keepdims=True)
    shifted /= totals
    return np.log(totals[..., 0]) - chosen, shifted


def cross_entropy(
    scores: Float[np.ndarray, "*members rows classes"], targets: Int[np.ndarray, "*#members rows"]
) -> tuple[Float[np.ndarray, "*members rows"], Float[np.ndarray, "*members rows classes"]]:
    """Each row's -log softmax(scores)[target], and its gradient in the scores, softmax(scores) - one-hot(target)."""
    losses, delta = softmax_cross_entropy(scores, targets)
    delta[_chosen(scores, targets)] -= 1.0
    return losses, delta


def least_squares(
    scores: Float[np.ndarray, "*members rows classes"], targets: Int[np.ndarray, "*#members rows"]
) -> tuple[Float[np.ndarray, "*members rows"], Float[np.ndarray, "*members rows classes"]]:
    """Each row's ½ ‖scores - one-hot(target)‖², and its gradient in the scores, scores - one-hot(target)."""
    delta = scores.copy()
    delta[_chosen(scores, targets)] -= 1.0
    return 0.5 * np.einsum("...j,...j->...", delta, delta), delta


def negative_log_likelihood(
    probabilities: Float[np.ndarray, "rows classes"], targets: Int[np.ndarray, " rows"]
) -> Float[np.ndarray, " rows"]:
    """Each row's -log p[target]; a probability of 0 counts as the smallest positive number of its dtype: large, finite."""
    chosen = probabilities[np.arange(len(targets)), targets]
    return -np.log(np.maximum(chosen, np.finfo(probabilities.dtype).tiny))


def _of_targets(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Each row's value at its target. For one model by position in memory: a third of the cost of two lists of indices."""
    if values.ndim != 2:
        return values[_chosen(values, targets)]
    rows, classes = values.shape
    return values.take(targets + _row_starts(rows, classes))


@lru_cache(maxsize=64)
def _row_starts(rows: int, classes: int) -> np.ndarray:
    return np.arange(0, rows * classes, classes)


def _chosen(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, ...]:
    """The index of each row's target in ``scores``."""
    rows = np.arange(scores.shape[-2])
    return (rows, targets) if scores.ndim == 2 else (np.arange(len(scores))[:, None], rows, targets)


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "least-squares": least_squares}
