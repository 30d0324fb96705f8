"""Small data and small learners, made here: what the tests stand on where there is no real data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlhw.arrays import Scaling, Split, Splits
from mlhw.protocols import Learner


def blobs(rows: int, seed: int = 0, classes: int = 4, side: int = 8, channels: int = 1) -> Split:
    """Noisy images (rows, side, side, channels) uint8, each class bright in its own quarter: easy, not trivial."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, rows)
    images = rng.integers(0, 120, (rows, side, side, channels))
    half = side // 2
    for row, target in enumerate(targets):
        top, left = divmod(int(target) % 4, 2)
        images[row, top * half : (top + 1) * half, left * half : (left + 1) * half] += 60
    return Split(images.astype(np.uint8), targets.astype(np.int64), tuple(f"class {i}" for i in range(classes)))


def splits(train: int = 67, val: int = 30, test: int = 30) -> Splits:
    """Three draws of :func:`blobs`; 67 rows leave an odd last batch."""
    return Splits(blobs(train, 1), blobs(val, 2), blobs(test, 3))


UNIT = Scaling((0.0,), (1 / 255,))
SHAPE = {"input_shape": (8, 8, 1), "classes": 4}


def numpy_sgd(seed: int = 0) -> Learner:
    from mlhw.learners.explicit import ExplicitLearner
    from mlhw.models.numpy_mlp import build
    from mlhw.numerics.optimisers import Sgd

    return ExplicitLearner(build(**SHAPE, seed=seed, hidden_sizes=(9,)), Sgd(0.9, decay={"W1": 1e-3}), 0.3, UNIT)


def numpy_squashed(seed: int = 0) -> Learner:
    from mlhw.learners.explicit import ExplicitLearner
    from mlhw.models.numpy_mlp import build
    from mlhw.numerics.optimisers import Sgd

    model = build(
        **SHAPE, seed=seed, hidden_sizes=(9,), bias="input", squash_scores=True, init="uniform", dtype="float64"
    )
    return ExplicitLearner(model, Sgd(), 4.0, UNIT)


def numpy_residual(seed: int = 0) -> Learner:
    """Residual layers, dropout and weight averaging."""
    from mlhw.learners.explicit import ExplicitLearner
    from mlhw.models.numpy_resnet import build
    from mlhw.numerics.optimisers import Sgd

    layers = [{"kind": "dense", "units": 9}, {"kind": "residual", "units": 7}]
    model = build(**SHAPE, seed=seed, layers=layers, activation="relu", init="he", dropout=0.1)
    return ExplicitLearner(model, Sgd(0.9), 0.1, UNIT, average_decay=0.9, dropout_seed=seed)


def tensor_adam(seed: int = 0) -> Learner:
    from mlhw.learners.explicit import ExplicitLearner
    from mlhw.models.tensor_mlp import build
    from mlhw.numerics.optimisers import Adam

    model = build(**SHAPE, seed=seed, hidden_sizes=(9, 7), activation="tanh")
    return ExplicitLearner(model, Adam(decay={"W1": 1e-3}, decoupled=True), 0.01, UNIT, average_decay=0.9)


def module_adamw(seed: int = 0) -> Learner:
    """Batch norm, dropout, label smoothing and weight averaging: all that carries state from step to step."""
    from torch import nn

    from mlhw.learners.autograd import AutogradLearner
    from mlhw.learners.fused import FusedAdam

    def build() -> Any:
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(144, 4)
        )

    return AutogradLearner(
        build,
        lambda network: FusedAdam(decay={"0.weight": 0.01}, decoupled=True),
        lr=0.01,
        scaling=UNIT,
        seed=seed,
        label_smoothing=0.1,
        average_decay=0.9,
    )


def module_sgd(seed: int = 0) -> Learner:
    from mlhw.learners.autograd import AutogradLearner
    from mlhw.learners.fused import FusedSgd
    from mlhw.models.digits_cnn import build

    return AutogradLearner(
        lambda: build(**SHAPE, channels=(4, 4)),
        lambda network: FusedSgd(momentum=0.9),
        lr=0.1,
        scaling=UNIT,
        seed=seed,
    )


def module_bfloat16(seed: int = 0) -> Learner:
    """Steps in bfloat16, with what carries state from step to step; weights and scores in float32."""
    from mlhw.learners.autograd import AutogradLearner
    from mlhw.learners.fused import FusedAdam
    from mlhw.models.digits_cnn import build

    return AutogradLearner(
        lambda: build(**SHAPE, channels=(4, 4), dropout=0.2),
        lambda network: FusedAdam(decoupled=True),
        lr=0.01,
        scaling=UNIT,
        seed=seed,
        precision="bfloat16",
        average_decay=0.9,
    )


def stack_plain(seed: int = 0) -> Learner:
    """Plain gradient descent, whose steps a stack takes in a way of its own; two rates, one seed."""
    from mlhw.learners.stacked import StackedLearner

    return StackedLearner([with_rate(numpy_squashed(seed), lr) for lr in (4.0, 3.0)])


def stack_decayed(seed: int = 0) -> Learner:
    from mlhw.learners.stacked import StackedLearner

    members = [with_rate(numpy_sgd(seed + place), lr) for place, lr in enumerate((0.3, 0.2, 0.1))]
    members[1].rule.decay = {"W1": 1e-2, "b1": 1e-2}  # type: ignore[attr-defined]
    return StackedLearner(members)


def stack_residual(seed: int = 0) -> Learner:
    """Residual layers and weight averaging."""
    from mlhw.learners.explicit import ExplicitLearner
    from mlhw.learners.stacked import StackedLearner
    from mlhw.models.numpy_resnet import build
    from mlhw.numerics.optimisers import Sgd

    layers = [{"kind": "dense", "units": 9}, {"kind": "residual", "units": 7}]
    models = [build(**SHAPE, seed=seed + place, layers=layers, activation="relu", init="he") for place in range(3)]
    return StackedLearner([ExplicitLearner(model, Sgd(0.9), 0.1, UNIT, average_decay=0.9) for model in models])


def stack_tensor(seed: int = 0) -> Learner:
    from mlhw.learners.stacked import StackedLearner

    return StackedLearner([with_rate(tensor_adam(seed + place), lr) for place, lr in enumerate((0.01, 0.02))])


def stack_modules(seed: int = 0) -> Learner:
    from mlhw.learners.vmapped import VmappedLearner

    return VmappedLearner([with_rate(module_sgd(seed + place), lr) for place, lr in enumerate((0.1, 0.05))])


def with_rate(learner: Any, lr: float) -> Any:
    """``learner`` with the base rate ``lr``."""
    learner.lr = lr
    return learner


LEARNERS: dict[str, Callable[..., Learner]] = {
    "numpy-sgd": numpy_sgd,
    "numpy-squashed": numpy_squashed,
    "numpy-residual": numpy_residual,
    "tensor-adam": tensor_adam,
    "module-adamw": module_adamw,
    "module-sgd": module_sgd,
    "module-bfloat16": module_bfloat16,
    "stack-plain": stack_plain,
    "stack-decayed": stack_decayed,
    "stack-residual": stack_residual,
    "stack-tensor": stack_tensor,
    "stack-modules": stack_modules,
}
