"""Learning-rate schedules: functions from progress in [0, 1) to a factor on the base rate."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def constant() -> Schedule:
    """1 throughout."""
    return lambda progress: 1.0


def step(*, epochs: int, every_epochs: int, factor: float = 0.1) -> Schedule:
    """``factor`` to the power of how often ``every_epochs`` have passed."""
    # The tiny part makes epoch boundaries land in the new stage although progress·epochs rounds below them.
    return lambda progress: factor ** int((progress * epochs + 1e-9) // every_epochs)


def cosine(*, warmup_fraction: float = 0.0, final_scale: float = 0.0) -> Schedule:
    """Linear from 0 over ``warmup_fraction``, then half a cosine from 1 to ``final_scale`` (Loshchilov & Hutter, 2017)."""

    def scale(progress: float) -> float:
        if progress < warmup_fraction:
            return max(progress, 1e-3 * warmup_fraction) / warmup_fraction
        rest = (progress - warmup_fraction) / (1.0 - warmup_fraction)
        return final_scale + (1.0 - final_scale) * 0.5 * (1.0 + math.cos(math.pi * rest))

    return scale


def one_cycle(*, peak_fraction: float = 0.3, initial_scale: float = 0.04) -> Schedule:
    """Up from ``initial_scale`` to 1 at ``peak_fraction`` and down to 0, both half a cosine (Smith & Topin, 2018)."""

    def scale(progress: float) -> float:
        if progress < peak_fraction:
            return initial_scale + (1.0 - initial_scale) * 0.5 * (1.0 - math.cos(math.pi * progress / peak_fraction))
        return 0.5 * (1.0 + math.cos(math.pi * (progress - peak_fraction) / (1.0 - peak_fraction)))

    return scale
