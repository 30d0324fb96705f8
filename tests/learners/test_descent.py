"""Plain SGD without gradients that are written down: the same step as the update rule's, to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mlhw.arrays import Batch, Scaling
from mlhw.learners.explicit import ExplicitLearner, to_host
from mlhw.models import numpy_mlp, tensor_mlp
from mlhw.numerics.optimisers import Adam, Sgd

BUILDS = {"numpy": numpy_mlp.build, "tensor": tensor_mlp.build}
RATE, SCALE = 0.3, 0.5


def model(kind: str, **options: Any) -> Any:
    return BUILDS[kind](input_shape=(6,), classes=3, seed=1, hidden_sizes=(5, 4), dtype="float64", **options)


def batch(kind: str) -> Batch:
    rng = np.random.default_rng(2)
    inputs, targets = rng.standard_normal((7, 6)), rng.integers(0, 3, 7)
    if kind == "tensor":
        inputs, targets = torch.from_numpy(inputs), torch.from_numpy(targets)
    return Batch(inputs, targets, np.arange(7))


def by_rule(net: Any, rows: Batch) -> dict[str, np.ndarray]:
    """The parameters after the gradients went through the update rule."""
    _, gradients = net.loss_and_grads(rows.inputs, rows.targets)
    Sgd().update(net.parameters, gradients, RATE * SCALE)
    return {name: np.array(to_host(value)) for name, value in net.parameters.items()}


OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((kind, {"activation": name}) for kind in BUILDS for name in ("sigmoid", "tanh", "relu", "leaky-relu", "elu")),
    ("numpy", {"bias": "input", "squash_scores": True}),
    ("numpy", {"activation": "relu", "squash_scores": True}),
]


@pytest.mark.parametrize(("kind", "options"), OPTIONS, ids=str)
def test_a_step_down_is_the_rule_s_step(kind: str, options: dict[str, Any]) -> None:
    rows = batch(kind)
    learner = ExplicitLearner(model(kind, **options), Sgd(), RATE, Scaling())
    assert learner._steps_down
    if options.get("bias") == "input":
        rows = rows._replace(inputs=np.concatenate([rows.inputs, np.ones((7, 1))], axis=1))
    before = learner.parameters()
    report = learner.step(rows, SCALE)
    expected = by_rule(model(kind, **options), rows)
    for name, value in learner.parameters().items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-14, err_msg=name)
        assert np.abs(value - before[name]).max() > 1e-4  # it did move
    alone = model(kind, **options).score(rows.inputs, rows.targets)  # the report is of the weights before
    loss, correct = (values.item() for values in learner.fetch([report]))
    assert loss == pytest.approx(float(alone.loss_sum))
    assert correct == int(alone.correct)


@pytest.mark.parametrize(
    "rule",
    [Sgd(momentum=0.9), Sgd(nesterov=True, momentum=0.9), Sgd(decay={"W1": 0.1}), Adam()],
    ids=["momentum", "nesterov", "decay", "adam"],
)
def test_other_rules_go_by_their_gradients(rule: Any) -> None:
    assert not ExplicitLearner(model("numpy"), rule, RATE, Scaling())._steps_down


def test_an_average_is_kept_of_steps_down_too() -> None:
    learner = ExplicitLearner(model("tensor"), Sgd(), RATE, Scaling(), average_decay=0.5)
    start = learner.parameters()["W1"]
    learner.step(batch("tensor"), SCALE)
    share = 1.0 - min(0.5, 2 / 11)
    np.testing.assert_allclose(
        learner.parameters()["W1"], start + share * (learner.model.parameters["W1"].numpy() - start)
    )
