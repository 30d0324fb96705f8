"""Laws of what is said of a filter: known kernels, and answers to waves held against waves."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlhw.models.filter_facts import filter_facts, waves

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=np.float64)
LAPLACE = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], dtype=np.float64)
LINE = np.array([[-1, 2, -1]] * 3, dtype=np.float64)
kernels = arrays(np.float64, (3, 5, 5), elements=st.floats(-4, 4, width=32))


@pytest.mark.parametrize("turns", range(4))
def test_an_edge_is_found_with_its_direction(turns: int) -> None:
    """``rot90`` turns counterclockwise: to the right, then up, to the left, down."""
    found = waves(np.rot90(SOBEL, turns).copy())
    assert math.isclose((found.degrees + 90 * turns) % 360, 0, abs_tol=1e-9)
    assert math.isclose(found.wavelength, 4)
    assert (found.even, found.across, found.odd, found.parted) == pytest.approx((0, 0, 1, 1), abs=1e-12)


def test_a_line_a_spot_and_a_mean_are_told_apart() -> None:
    line, spot, mean = waves(LINE), waves(LAPLACE), waves(np.ones((3, 3)))
    assert (line.wavelength, line.odd) == (2, 0)
    assert line.degrees % 180 == 0
    assert line.across < 0.1
    assert (spot.odd, spot.even) == (0, 0)
    assert spot.across == pytest.approx(1)
    assert (mean.wavelength, mean.even) == (math.inf, 1)


@given(kernels)
def test_no_wave_is_answered_more_than_the_best_one(weights: np.ndarray) -> None:
    pattern = weights[0]
    found = waves(pattern)
    down, right = np.mgrid[:5, :5]

    def answer(degrees: float, frequency: float) -> float:
        angle = math.radians(degrees)
        phase = 2 * np.pi * frequency * (math.cos(angle) * right + math.sin(angle) * down)
        return abs(complex((pattern * np.exp(1j * phase)).sum()))

    best = answer(found.degrees, 1 / found.wavelength)
    for degrees in range(0, 180, 30):
        for frequency in (0, 1 / 64, 1 / 8, 1 / 4, 1 / 2):
            aligned = degrees % 90 == 0 or frequency == 0  # on the grid of frequencies
            assert answer(degrees, frequency) <= best * (1 if aligned else 1.02) + 1e-9
    assert found.even * best == pytest.approx(abs(pattern.sum()), abs=1e-9)


@given(kernels, st.sampled_from([0.25, 2.0, 16.0]))
def test_sums_scale_with_the_weights_and_shares_do_not(weights: np.ndarray, factor: float) -> None:
    one, other = filter_facts(weights), filter_facts(weights * factor)
    assert other.total == pytest.approx(one.total * factor)
    assert other.absolute == pytest.approx(one.absolute * factor)
    assert other.largest == one.largest * factor == pytest.approx(np.abs(weights).max() * factor)
    assert other.shared == pytest.approx(one.shared)
    assert sum(one.totals) == pytest.approx(one.total, abs=1e-9)
    assert sum(one.squares) == pytest.approx(np.square(weights).sum())
    assert 1 / 3 - 1e-9 <= one.shared <= 1 + 1e-9
    assert max(one.mix, key=abs) >= 0


def test_one_pattern_is_found_with_its_colours() -> None:
    found = filter_facts(np.array([2.0, -1.0, 0.5])[:, None, None] * SOBEL)
    assert found.shared == pytest.approx(1)
    assert np.array(found.mix) / found.mix[0] == pytest.approx(np.array([1, -0.5, 0.25]))
    assert found.waves is not None
    assert astuple(found.waves) == pytest.approx(astuple(waves(SOBEL)), abs=1e-12)
    turned = filter_facts(np.array([-2.0, 1.0, 0.0])[:, None, None] * SOBEL)
    assert turned.mix[0] > 0
    assert turned.waves is not None
    assert turned.waves.degrees == 180


def test_a_filter_of_zeros_and_one_of_single_weights() -> None:
    zeros = filter_facts(np.zeros((3, 3, 3)))
    assert (zeros.absolute, zeros.largest, zeros.shared) == (0, 0, 1)
    single = filter_facts(np.array([3.0, -4.0]).reshape(2, 1, 1))
    assert single.waves is None
    assert single.mix == pytest.approx((-0.6, 0.8))
