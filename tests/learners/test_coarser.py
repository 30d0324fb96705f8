"""A learner that trains on finer classes reports coarser ones: their probabilities are sums, and nothing underflows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from mlhw.arrays import Batch
from mlhw.learners.autograd import AutogradLearner
from mlhw.learners.fused import FusedSgd
from tests import made

OF_FINER = np.array([0, 1, 0, 2, 1], dtype=np.int64)


def learner(coarser: np.ndarray | None = OF_FINER, smoothing: float = 0.0, width: float = 1.0) -> AutogradLearner:
    def build() -> Any:
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
        with torch.no_grad():
            network[1].weight.mul_(width)
        return network

    rule = FusedSgd()
    return AutogradLearner(
        build, lambda _: rule, lr=0.1, scaling=made.UNIT, seed=0, label_smoothing=smoothing, coarser=coarser
    )


def batch(targets: torch.Tensor) -> Batch:
    images = torch.from_numpy(made.blobs(len(targets)).inputs)
    return Batch(images, targets, torch.arange(len(targets)))


FINE = torch.tensor([0, 1, 2, 3, 4, 2, 3, 1])
COARSE = torch.from_numpy(OF_FINER)[FINE]


def test_a_coarser_class_has_the_sum_of_its_finer_classes_probabilities() -> None:
    inputs = batch(FINE).inputs
    fine, coarse = learner(None).probabilities(inputs), learner().probabilities(inputs)
    expected = np.stack([fine[:, index == OF_FINER].sum(axis=1) for index in range(3)], axis=1)
    np.testing.assert_allclose(coarse, expected, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_score_is_of_the_coarser_targets(smoothing: float) -> None:
    told = learner(smoothing=smoothing)
    probabilities = torch.from_numpy(told.probabilities(batch(FINE).inputs))
    report = told.score(batch(COARSE))
    torch.testing.assert_close(report.loss_sum, functional.nll_loss(probabilities.log(), COARSE, reduction="sum"))
    assert int(report.correct) == int((probabilities.argmax(dim=1) == COARSE).sum())


def test_a_probability_too_small_for_a_number_leaves_the_loss_finite() -> None:
    told = learner(width=1e4)
    assert (told.probabilities(batch(FINE).inputs) == 0).any()
    assert torch.isfinite(told.score(batch(COARSE)).loss_sum)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("mixed", [False, True])
def test_a_step_is_that_of_the_finer_classes_and_its_hits_are_coarser(mixed: bool, smoothing: float) -> None:
    told, plain = learner(smoothing=smoothing), learner(None, smoothing)
    hits = told.score(batch(COARSE)).correct
    targets = functional.one_hot(FINE, 5).float() if mixed else FINE
    mine, theirs = told.step(batch(targets), 1.0), plain.step(batch(targets), 1.0)
    torch.testing.assert_close(mine.loss_sum, theirs.loss_sum)
    assert float(mine.correct) == float(hits)
    for name, values in plain.parameters().items():
        np.testing.assert_array_equal(told.parameters()[name], values)
