"""Losses: gradients against central differences, and nothing that overflows."""

from __future__ import annotations

import numpy as np
import pytest

from mlhw.numerics.losses import LOSSES, least_squares, negative_log_likelihood


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_the_slope_of_each_row_s_loss(name: str) -> None:
    loss = LOSSES[name]
    scores, targets = np.random.default_rng(0).standard_normal((4, 5)), np.array([0, 4, 2, 2])
    _, gradient = loss(scores, targets)
    for row, column in np.ndindex(4, 5):
        above, below = scores.copy(), scores.copy()
        above[row, column] += 1e-5
        below[row, column] -= 1e-5
        slope = (loss(above, targets)[0] - loss(below, targets)[0]) / 2e-5
        assert gradient[row, column] == pytest.approx(slope[row], abs=1e-9)
        assert np.count_nonzero(np.abs(slope) > 1e-9) <= 1  # no row's loss depends on another row's scores


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_scores_stay_finite_in_their_dtype(name: str, dtype: type) -> None:
    losses, gradient = LOSSES[name](np.array([[1e4, -1e4], [0.0, 1e4]], dtype), np.array([1, 0]))
    assert losses.dtype == gradient.dtype == dtype
    assert np.isfinite(losses).all()
    assert np.isfinite(gradient).all()


def test_the_scores_are_left_as_they_were() -> None:
    for loss in LOSSES.values():
        scores = np.ones((2, 3))
        loss(scores, np.array([0, 1]))
        np.testing.assert_array_equal(scores, 1.0)


def test_least_squares_of_the_target_itself_is_0() -> None:
    losses, gradient = least_squares(np.eye(3), np.arange(3))
    assert not losses.any()
    assert not gradient.any()


def test_the_log_of_a_probability_of_0_is_large_and_finite() -> None:
    losses = negative_log_likelihood(np.array([[1.0, 0.0]] * 2), np.array([0, 1]))
    assert losses[0] == 0.0
    assert 700 < losses[1] < 710  # -log of the smallest normal float64
