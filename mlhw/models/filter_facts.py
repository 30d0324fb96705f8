"""What a filter is, as far as its numbers tell: whether they cancel, what it makes of colours, which stripes it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

GRID: Final = 64  # frequencies along each axis: even areas, and waves of 2 to 64 pixels


@dataclass(frozen=True, slots=True)
class Waves:
    """How a pattern of weights, laid over a picture, answers sine waves of all directions and wavelengths.

    ``degrees`` is the direction in which those run that it answers most, 0 to the right and 90 downwards (their crests lie
    across it), ``wavelength`` is in pixels: infinite where it answers nothing more than an even area. Over that largest
    answer, ``even`` is the one to an even area and ``across`` the one to the same waves turned by 90°, both 0..1.

    ``odd`` is the share of the squared weights in the part that changes sign when the pattern is turned by 180°: 1 for an
    edge, 0 for a line or a spot. ``parted`` (0..1) is 1 where along ``degrees`` all weights ahead of the centre are positive
    and all behind it negative.
    """

    degrees: float
    wavelength: float
    even: float
    across: float
    odd: float
    parted: float


@dataclass(frozen=True, slots=True)
class FilterFacts:
    """One filter in numbers.

    ``total`` is the sum of its weights, ``absolute`` that of their magnitudes, ``largest`` the largest magnitude; ``totals``
    and ``absolutes`` are the sums by channel, ``squares`` those of the squared weights.

    ``shared`` is the share of the squared weights that is one pattern, weighed by channel as ``mix`` says (of norm 1, its
    largest entry positive). ``waves`` is about that pattern, None where it is a single weight.
    """

    total: float
    absolute: float
    largest: float
    totals: tuple[float, ...]
    absolutes: tuple[float, ...]
    squares: tuple[float, ...]
    shared: float
    mix: tuple[float, ...]
    waves: Waves | None


def filter_facts(weights: Float[np.ndarray, "channels height width"]) -> FilterFacts:
    """The facts of one filter's ``weights``, which are finite.

    The best single pattern is the first pair of singular vectors of the matrix (channels, height·width).
    """
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    left, strengths, right = np.linalg.svd(flat, full_matrices=False)
    sign = 1.0 if left[np.abs(left[:, 0]).argmax(), 0] >= 0 else -1.0
    explained = np.square(strengths / (strengths[0] or 1.0))
    pattern = sign * right[0].reshape(weights.shape[1:])
    return FilterFacts(
        total=float(flat.sum()),
        absolute=float(np.abs(flat).sum()),
        largest=float(np.abs(flat).max()),
        totals=tuple(flat.sum(axis=1).tolist()),
        absolutes=tuple(np.abs(flat).sum(axis=1).tolist()),
        squares=tuple(np.square(flat).sum(axis=1).tolist()),
        shared=float(1 / explained.sum()) if strengths[0] else 1.0,
        mix=tuple((sign * left[:, 0]).tolist()),
        waves=waves(pattern) if pattern.size > 1 else None,
    )


def waves(pattern: Float[np.ndarray, "height width"]) -> Waves:
    """The answers of ``pattern`` to waves: the magnitudes of its Fourier transform, on a grid of frequencies."""
    answers = np.abs(np.fft.fft2(pattern, (GRID, GRID)))
    down, right = (int(index) for index in np.unravel_index(answers.argmax(), answers.shape))
    most, frequencies = float(answers[down, right]), np.fft.fftfreq(GRID)
    energy = float(np.square(pattern).sum())
    odd = float(np.square(pattern - pattern[::-1, ::-1]).sum() / 4 / energy) if energy else 0.0
    frequency = math.hypot(frequencies[down], frequencies[right])
    if frequency == 0 or most == 0:
        return Waves(0.0, math.inf, 1.0, 1.0, odd, 0.0)
    degrees = math.degrees(math.atan2(frequencies[down], frequencies[right]))
    moments = pattern * _ahead(pattern.shape, degrees)
    moved = float(np.abs(moments).sum())
    parted = float(moments.sum() / moved) if moved else 0.0
    if parted < 0:  # a wave runs both ways; named is the way in which the weights grow
        degrees, parted = degrees + 180, -parted
    return Waves(
        degrees=degrees % 360,
        wavelength=1 / frequency,
        even=float(answers[0, 0]) / most,
        across=float(answers[right, -down]) / most,
        odd=odd,
        parted=parted,
    )


def _ahead(shape: tuple[int, ...], degrees: float) -> Float[np.ndarray, "height width"]:
    """How far each place lies from the centre in the direction ``degrees``, in pixels."""
    down, right = (np.arange(size) - (size - 1) / 2 for size in shape)
    angle = math.radians(degrees)
    return math.cos(angle) * right[None, :] + math.sin(angle) * down[:, None]
