"""Statistics of batch normalisation taken anew: those of rows as they are scored, whatever training drew and dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mlhw.arrays import Batch
from mlhw.commands import assemble
from mlhw.config.load import load
from mlhw.errors import ConfigError
from mlhw.learners.autograd import AutogradLearner
from mlhw.learners.fused import FusedSgd
from mlhw.learners.norms import norms
from mlhw.training.batches import in_order
from tests import made

ROWS = made.blobs(300)  # more than are taken at once


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 6),
        nn.BatchNorm1d(6, momentum=0.3), nn.Linear(6, 4),
    )  # fmt: skip


def learner(average_decay: float | None = 0.9, rows: Any = ROWS.inputs) -> AutogradLearner:
    return AutogradLearner(
        network, lambda network: FusedSgd(), lr=0.1, scaling=made.UNIT, seed=0,
        average_decay=average_decay, statistics_rows=rows,
    )  # fmt: skip


def batches(of: AutogradLearner) -> list[Batch]:
    return list(in_order(of.place(made.blobs(96, seed=1)), 32))


@pytest.mark.parametrize("average_decay", [None, 0.9])
def test_they_are_those_of_the_rows_as_they_are_scored(average_decay: float | None) -> None:
    mine = learner(average_decay)
    for batch in batches(mine):
        mine.step(batch, 1.0)
    kept = mine.parameters()
    scorer: Any = mine._scorer()
    halves = (torch.from_numpy(ROWS.inputs).permute(0, 3, 1, 2).float() / 255).tensor_split(2)
    first, second = norms(scorer)
    with torch.no_grad():
        maps = [scorer[0](half) for half in halves]
        plain = [
            nn.functional.batch_norm(part, None, None, first.weight, first.bias, training=True, eps=first.eps).relu()
            for part in maps
        ]
        units = [scorer[5](part.flatten(1)) for part in plain]  # nothing dropped
    for layer, parts, dims in ((first, maps, (0, 2, 3)), (second, units, (0,))):
        torch.testing.assert_close(layer.running_mean, torch.stack([part.mean(dims) for part in parts]).mean(0))
        torch.testing.assert_close(layer.running_var, torch.stack([part.var(dims) for part in parts]).mean(0))
    np.testing.assert_array_equal(kept["1.running_mean"], first.running_mean)
    assert (first.momentum, second.momentum) == (0.1, 0.3)
    assert not any(module.training for module in scorer.modules())


def test_nothing_else_is_changed_by_them() -> None:
    mine, plain = learner(), learner(rows=None)
    for batch in batches(mine):
        one, other = mine.step(batch, 1.0), plain.step(batch, 1.0)
        assert torch.equal(one.loss_sum, other.loss_sum)
        mine.score(batch)
    for name, value in plain.parameters().items():
        assert ("running" in name or "num_batches" in name) != np.array_equal(mine.parameters()[name], value), name


def test_how_often_they_were_taken_does_not_show() -> None:
    often, once = learner(), learner()
    for batch in batches(often):
        often.step(batch, 1.0)
        often.score(batch)
        often.state()
        once.step(batch, 1.0)
    for name, value in once.parameters().items():
        np.testing.assert_array_equal(often.parameters()[name], value)


def test_who_goes_on_from_a_state_scores_the_same() -> None:
    mine, other = learner(), learner()
    first, *_ = batches(mine)
    mine.step(first, 1.0)
    other.restore(mine.state())
    np.testing.assert_array_equal(other.probabilities(first.inputs), mine.probabilities(first.inputs))
    other.adopt(mine.parameters())
    np.testing.assert_array_equal(other.probabilities(first.inputs), mine.probabilities(first.inputs))


def test_the_rows_are_drawn_by_the_data_s_seed() -> None:
    def taken(*overrides: str) -> torch.Tensor:
        experiment = load("fashion-cnn", [*overrides, "data.normalize=none", "train.statistics_rows=40"])
        data = made.blobs(100, side=16)
        built: Any = assemble.build_learner(experiment, data, "cpu")
        return torch.cat(built._statistics_rows)

    rows = taken()
    assert len(rows) == 40
    assert torch.equal(rows, taken())
    assert not torch.equal(rows, taken("seed.data=1"))
    whole = load("fashion-cnn", ["data.normalize=none", "train.statistics_rows=500"])
    everything: Any = assemble.build_learner(whole, made.blobs(100, side=16), "cpu")
    np.testing.assert_array_equal(torch.cat(everything._statistics_rows), made.blobs(100, side=16).inputs)


def test_they_are_refused_where_nothing_is_normalised() -> None:
    experiment = load("digits-cnn", ["data.normalize=none", "train.statistics_rows=40"])
    with pytest.raises(ConfigError, match=r"train.statistics_rows does not fit .* 'digits-cnn': it has no batch norm"):
        assemble.build_learner(experiment, made.blobs(100), "cpu")
