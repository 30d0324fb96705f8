"""The hot functions alone, by pytest-benchmark: ``pytest benchmarks/hot`` (needs the extra ``bench``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mlhw.arrays import Batch, Scaling, Split
from mlhw.commands.threads import use_threads
from mlhw.learners.explicit import ExplicitLearner
from mlhw.models import numpy_mlp, tensor_mlp
from mlhw.numerics.convolution import convolve
from mlhw.numerics.losses import softmax_cross_entropy
from mlhw.numerics.optimisers import Sgd
from mlhw.training.batches import in_order, shuffled

pytest.importorskip("pytest_benchmark")
RNG = np.random.default_rng(0)


def _split(kind: str, rows: int) -> Split:
    inputs, targets = RNG.random((rows, 784), dtype=np.float32), RNG.integers(0, 10, rows)
    if kind == "tensor":
        return Split(torch.from_numpy(inputs), torch.from_numpy(targets), ())
    return Split(inputs.astype(np.float64), targets, ())


@pytest.mark.parametrize(("kind", "rows", "units"), [("numpy", 8, 16), ("numpy", 32, 128), ("tensor", 32, 128)])
def test_step(benchmark: Any, kind: str, rows: int, units: int) -> None:
    build = {"numpy": numpy_mlp.build, "tensor": tensor_mlp.build}[kind]
    dtype = "float64" if kind == "numpy" else "float32"
    model: Any = build(input_shape=(784,), classes=10, seed=0, hidden_sizes=(units,), dtype=dtype)
    split, learner = _split(kind, rows), ExplicitLearner(model, Sgd(), 0.1, Scaling())
    use_threads(1, kind)
    benchmark(learner.step, Batch(split.inputs, split.targets, np.arange(rows)), 1.0)


@pytest.mark.parametrize("kind", ["numpy", "tensor"])
@pytest.mark.parametrize("order", ["in order", "shuffled"])
def test_batches(benchmark: Any, kind: str, order: str) -> None:
    split = _split(kind, 4096)
    if order == "in order":
        benchmark(lambda: sum(1 for _ in in_order(split, 32)))
    else:
        benchmark(lambda: sum(1 for _ in shuffled(split, 32, [np.random.default_rng(0)])))


@pytest.mark.parametrize("rows", [8, 4096])
def test_softmax_cross_entropy(benchmark: Any, rows: int) -> None:
    benchmark(softmax_cross_entropy, RNG.standard_normal((rows, 10)), RNG.integers(0, 10, rows))


def test_convolution(benchmark: Any) -> None:
    inputs, weights = RNG.standard_normal((5, 3, 24, 24)), RNG.standard_normal((16, 3, 5, 5))
    benchmark(convolve, inputs, weights, RNG.standard_normal(16))
