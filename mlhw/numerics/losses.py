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
    shifted = scores - scores.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(targets)), targets]
    np.exp(shifted, out=shifted)
    totals = shifted.sum(axis=1, keepdims=True)
    shifted /= totals
    return np.log(totals[:, 0]) - chosen, shifted
