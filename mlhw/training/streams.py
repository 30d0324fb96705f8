"""Random numbers by address: each purpose and epoch has its own stream, so none has to be stored to go on exactly."""

from __future__ import annotations

import numpy as np

ORDER, AUGMENT, STATISTICS = 1, 2, 3  # the purposes; part of every result, so never renumber them


def stream(seed: int, purpose: int, epoch: int) -> np.random.Generator:
    """The generator of ``purpose`` in ``epoch``: the same however the epoch was reached."""
    return np.random.default_rng([seed, purpose, epoch])
