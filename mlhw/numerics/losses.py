"""Losses of class scores, with gradients."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def softmax_cross_entropy(
    scores: Float[np.ndarray, "rows classes"], targets: Int[np.ndarray, " rows"]
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows classes"]]:
    """Each row's -log softmax(scores)[target], and softmax(scores).

    From the scores and not from the probabilities, so that a probability that rounds to 0 has a finite loss.
    """
    # The ufuncs' own reductions: .max and .sum pass through Python first, which shows at a batch of eight.
    shifted = scores - np.maximum.reduce(scores, axis=1, keepdims=True)
    chosen = shifted[np.arange(len(targets)), targets]
    np.exp(shifted, out=shifted)
    totals = np.add.reduce(shifted, axis=1, keepdims=True)
    shifted /= totals
    return np.log(totals[:, 0]) - chosen, shifted
