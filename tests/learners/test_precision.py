"""Steps in bfloat16: another arithmetic, and nothing else of it stays behind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from mlhw.arrays import Batch
from mlhw.learners.autograd import AutogradLearner
from mlhw.learners.fused import FusedSgd
from mlhw.training.batches import in_order
from tests import made


class Watched(nn.Module):
    """A convolution and a linear layer, and the types that went through them."""

    def __init__(self) -> None:
        super().__init__()
        self.filters, self.scores = nn.Conv2d(1, 4, 3), nn.Linear(144, 4)
        self.seen: list[torch.dtype] = []

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        maps = self.filters(inputs)
        self.seen.append(maps.dtype)
        return self.scores(maps.relu().flatten(1))  # type: ignore[no-any-return]


def learner(precision: str) -> AutogradLearner:
    return AutogradLearner(
        Watched, lambda network: FusedSgd(), lr=0.1, scaling=made.UNIT, seed=0, precision=precision, average_decay=0.9
    )


def batch_of(made_learner: AutogradLearner) -> Batch:
    return next(iter(in_order(made_learner.place(made.blobs(32)), 32)))


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_steps_multiply_in_it_and_scores_do_not(precision: str, dtype: torch.dtype) -> None:
    mine = learner(precision)
    network: Any = mine.network
    batch = batch_of(mine)
    report = mine.step(batch, 1.0)
    assert network.seen == [dtype]
    assert report.loss_sum.dtype == torch.float32
    averaged: Any = mine.averaged
    averaged.seen.clear()
    mine.score(batch)
    assert averaged.seen == [torch.float32]
    kept = [*mine.network.state_dict().values(), *averaged.state_dict().values()]
    assert {value.dtype for value in kept} == {torch.float32}
    assert mine.probabilities(batch.inputs).dtype == "float32"


def test_a_step_is_float32_s_but_for_rounding() -> None:
    exact, rounded = learner("float32"), learner("bfloat16")
    before = {name: value.copy() for name, value in exact.parameters().items()}
    for mine in (exact, rounded):
        mine.average_decay = None
        mine.averaged = None
        mine.step(batch_of(mine), 1.0)
    one, other = exact.parameters(), rounded.parameters()
    for name, start in before.items():
        moved = abs(one[name] - start).max()
        assert 0 < abs(one[name] - other[name]).max() < 0.05 * moved, name


def test_the_type_does_not_outlive_a_step() -> None:
    mine = learner("bfloat16")
    mine.step(batch_of(mine), 1.0)
    assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.float32
    assert not torch.is_autocast_enabled("cpu")
