"""Jacobian tests: everything in ``numerics`` passes all of them, and a planted fault is caught by each that should catch it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlhw.arrays import Scaling
from mlhw.checks.battery import check_gradient, check_jacobian
from mlhw.checks.catalogue import every_layer, loss_map, model_activation, softmax_map
from mlhw.checks.chains import chain, layer_inputs, move_biases
from mlhw.checks.maps import Map
from mlhw.checks.networks import layer_map, network_map
from mlhw.checks.stacked import Placed
from mlhw.numerics import activations
from mlhw.numerics.activations import Activation
from mlhw.numerics.layers import Dense, Residual
from tests.checks.made import (
    CLASSES,
    FEATURES,
    ROWS,
    DeafForward,
    NoBias,
    NoSkip,
    OneEntry,
    WrongSign,
    failed,
    loss,
    mlp,
    resnet,
)

ITEMS = list(every_layer(np.random.default_rng(0)))


@pytest.mark.parametrize("item", ITEMS, ids=[item.title for item in ITEMS])
def test_every_layer_activation_and_loss_passes(item: Map) -> None:
    checks = check_jacobian(item, np.random.default_rng(1))
    assert failed(checks) == set()
    assert {"taylor", "differences", "transpose"} <= {check.test for check in checks}
    slopes = [check.taylor.slopes for check in checks if check.taylor]
    for first, second in slopes:
        assert first == pytest.approx(1.0, abs=0.05)
        assert second is None or second == pytest.approx(2.0, abs=0.05)
    if any(word in item.title for word in ("sigmoid", "tanh", "elu")) and "relu" not in item.title:
        assert slopes[0][1] is not None  # smooth and bent: there is a slope to measure
    if "relu" in item.title or "linear" in item.title:
        assert all(second is None for _, second in slopes)


def test_the_catalogue_has_every_activation_of_both_kinds_and_convolution() -> None:
    titles = " ".join(item.title for item in ITEMS)
    for name in (*activations.ACTIVATIONS, "convolution", "max pool", "softmax", "cross-entropy", "least-squares"):
        assert name in titles


def placed(layer: Dense | Residual) -> tuple[str, Placed, np.ndarray]:
    rng = np.random.default_rng(0)
    own = {name: 0.7 * rng.standard_normal(shape) for name, shape in layer.shapes.items()}
    return "layer", Placed(layer, own), rng.standard_normal((ROWS, FEATURES))


@pytest.mark.parametrize(
    ("layer", "name", "words"),
    [
        (WrongSign(FEATURES, 3, "tanh"), "W", "dW has the wrong sign everywhere"),
        (NoBias(FEATURES, 3, "tanh"), "b", "db is 0 everywhere: the bias was forgotten"),
        (NoSkip(FEATURES, 3, "tanh"), "X", "dX lacks d_out"),
        (OneEntry(FEATURES, 3, "tanh"), "W", "Only one entry of dW is wrong. dW[1, 2] is"),
    ],
)
def test_a_fault_in_backward_is_caught_by_differences_transpose_and_autograd(layer: Any, name: str, words: str) -> None:
    checks = check_jacobian(layer_map(*placed(layer)), np.random.default_rng(0))
    assert failed(checks) == {("differences", name), ("transpose", name), ("autograd", name)}
    for check in checks:
        if not check.passed and check.test != "transpose":
            assert words in check.diagnosis


def test_a_fault_in_an_activation_s_derivative_is_caught_by_taylor_differences_and_autograd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = Activation(np.tanh, lambda out: 1.0 - out)
    monkeypatch.setitem(activations.ACTIVATIONS, "tanh", wrong)
    found = failed(check_jacobian(layer_map(*placed(Dense(FEATURES, 3, "tanh"))), np.random.default_rng(0)))
    assert found == {(test, name) for test in ("taylor", "differences", "autograd") for name in "XWb"}


def test_a_fault_in_forward_is_caught_by_taylor_differences_and_the_oracle_s_value() -> None:
    checks = check_jacobian(layer_map(*placed(DeafForward(FEATURES, 3, "tanh"))), np.random.default_rng(0))
    assert {("taylor", "b"), ("differences", "b"), ("autograd", "")} <= failed(checks)
    assert any("the value itself differs from torch's" in check.diagnosis for check in checks)


@pytest.mark.parametrize("fault", ["sign", "mean", "bias", "transpose"])
@pytest.mark.parametrize("kind", ["numpy", "tensor"])
def test_a_fault_in_a_network_s_gradient_is_caught_by_all_three(kind: str, fault: str) -> None:
    model = mlp(kind, "tanh")
    true = model.loss_and_grads

    def wrong(*arguments: Any) -> Any:
        report, gradients = true(*arguments)
        if fault == "sign":
            gradients["W2"] *= -1
        elif fault == "mean":
            gradients = {name: ROWS * gradient for name, gradient in gradients.items()}
        elif fault == "bias":
            gradients["b1"] *= 0
        else:
            gradients["W2"] = gradients["W2"].T
        return report, gradients

    model.loss_and_grads = wrong
    checks = check_gradient(*loss(model))
    names = {"sign": ["W2"], "bias": ["b1"], "mean": list(model.parameters), "transpose": []}[fault]
    for name in names:
        assert {("taylor", ""), ("differences", name), ("autograd", name)} <= failed(checks)
    words = {
        "sign": "dW2 has the wrong sign everywhere",
        "mean": f"dW1 is m = {ROWS} times too large everywhere: a 1/m is missing",
        "bias": "db1 is 0 everywhere: the bias was forgotten",
        "transpose": "dW2 has shape (3, 6), should be (6, 3): it is the transpose",
    }[fault]
    assert any(words in check.diagnosis for check in checks)


def test_each_layer_of_a_model_at_its_actual_input() -> None:
    rng = np.random.default_rng(0)
    for model in (resnet(4, "leaky-relu", dropout=0.2), mlp("numpy", bias="input"), mlp("tensor", "relu")):
        inputs = np.asarray(model.as_inputs(rng.standard_normal((ROWS, FEATURES)), Scaling()))
        move_biases(model, inputs, rng)
        found = layer_inputs(model, inputs)
        assert [link.title for link, _, _ in found] == [link.title for link in chain(model)]
        items = [layer_map(link.title, own, given) for link, own, given in found]
        items += [model_activation(model, found)]  # type: ignore[list-item]
        for item in items:
            assert failed(check_jacobian(item, rng)) == set(), item.title


def test_a_chain_computes_what_its_model_does() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((ROWS, FEATURES))
    for model in (mlp("numpy", "elu"), mlp("numpy", squash_scores=True), mlp("tensor", "leaky-relu"), resnet(5)):
        given = inputs
        for _, own, _ in layer_inputs(model, inputs):
            given = own.layer.forward(given, own.own, None)[0]
        import torch

        stored = torch.from_numpy(inputs) if "Tensor" in type(model).__name__ else inputs
        scores = model.scores(stored) if hasattr(model, "scores") else model.activations(stored)[-1]
        np.testing.assert_allclose(given, np.asarray(scores), rtol=1e-12, atol=1e-14)


def test_moved_biases_are_off_zero_and_units_off_their_kinks() -> None:
    model = resnet(4, "relu", init="he")
    inputs = np.random.default_rng(0).standard_normal((8, FEATURES))
    move_biases(model, inputs, np.random.default_rng(1))
    assert all(np.all(value != 0) for value in model.parameters.values())
    for link, own, given in layer_inputs(model, inputs):
        if getattr(link.layer, "activation", None):
            assert np.abs(given @ own.own["W"] + own.own["b"]).min() > 0.02


def test_dropout_with_a_fixed_mask_is_one_function_and_its_gradient_right() -> None:
    model = resnet(4, dropout=0.4)
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((ROWS, FEATURES)), rng.integers(0, CLASSES, ROWS)
    item = network_map(model, inputs, targets, "loss with dropout", dropout_seed=3)
    assert item.function(item.at) == item.function(item.at)
    assert item.function(item.at) != network_map(model, inputs, targets).function(item.at)
    assert failed(check_gradient(item, rng)) == set()


def test_softmax_and_losses_at_scores_that_are_far_apart() -> None:
    scores = 10 * np.random.default_rng(0).standard_normal((ROWS, CLASSES))
    targets = np.arange(ROWS) % CLASSES
    for item in (
        softmax_map(scores),
        loss_map("cross-entropy", scores, targets),
        loss_map("least-squares", scores, targets),
    ):
        assert failed(check_jacobian(item, np.random.default_rng(0))) == set(), item.title


def test_autograd_s_own_modules_pass_and_leave_the_network_as_it_was() -> None:
    import torch

    from mlhw.checks.modules import module_map
    from mlhw.models.digits_cnn import build

    torch.manual_seed(0)
    network = build(input_shape=(8, 8, 1), classes=CLASSES, channels=(3, 4))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    rng = np.random.default_rng(0)
    images = rng.random((2, 1, 8, 8))
    item = module_map(network, images, np.array([0, 3]), rng)
    assert failed(check_gradient(Map("loss", {"0.bias": item.at["0.bias"]}, lambda at: item.function(item.at | at),
                                     lambda at, u: item.pullback(item.at | at, u)), rng)) == set()  # fmt: skip
    for name, value in network.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, before[name])
