"""Networks of dense and residual layers: autograd as the oracle, names, and the linear fits that are known exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mlhw.arrays import Scaling
from mlhw.checks.oracles import oracle_loss
from mlhw.models.numpy_resnet import NumpyResnet, build

LAYERS: dict[str, list[dict[str, Any]]] = {
    "softmax regression": [],
    "dense": [{"kind": "dense", "units": 6}],
    "mixed": [{"kind": "dense", "units": 6}, {"kind": "residual", "units": 3}, {"kind": "dense", "units": 5}],
}


def network(layers: str, activation: str = "tanh", loss: str = "cross-entropy", **options: Any) -> NumpyResnet:
    model = build(
        input_shape=(7,), classes=4, seed=0, layers=LAYERS[layers], activation=activation, loss=loss, **options
    )
    for value in model.parameters.values():
        value += 0.05
    return model


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "leaky-relu", "elu"])
@pytest.mark.parametrize("loss", ["cross-entropy", "least-squares"])
def test_gradients_equal_autograd_s(layers: str, activation: str, loss: str) -> None:
    model = network(layers, activation, loss)
    rng = np.random.default_rng(1)
    inputs, targets = rng.standard_normal((9, 7)), rng.integers(0, 4, 9)
    report, gradients = model.loss_and_grads(inputs, targets)
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in model.parameters.items()}
    mean = oracle_loss(model, leaves, torch.tensor(inputs), torch.tensor(targets))
    mean.backward()
    assert report.loss_sum / 9 == pytest.approx(mean.item(), rel=1e-12)
    assert report.loss_sum == pytest.approx(model.score(inputs, targets).loss_sum)
    for name, leaf in leaves.items():
        assert leaf.grad is not None
        np.testing.assert_allclose(gradients[name], leaf.grad.numpy(), rtol=1e-9, atol=1e-13)


def test_parameters_are_numbered_by_the_layers_that_have_any() -> None:
    model = network("mixed", dropout=0.5)
    assert list(model.parameters) == ["W1", "b1", "W2", "b2", "V2", "W3", "b3", "W4", "b4"]
    assert model.parameters["V2"].shape == (3, 6)


def test_dropout_acts_only_where_there_is_a_generator() -> None:
    plain, noisy = network("dense"), network("dense", dropout=0.5)
    rng = np.random.default_rng(1)
    inputs, targets = rng.standard_normal((9, 7)), rng.integers(0, 4, 9)
    same = noisy.loss_and_grads(inputs, targets)[0].loss_sum
    assert same == plain.loss_and_grads(inputs, targets)[0].loss_sum == noisy.score(inputs, targets).loss_sum
    dropped = noisy.loss_and_grads(inputs, targets, np.random.default_rng(0))[0].loss_sum
    assert dropped != same
    assert dropped == noisy.loss_and_grads(inputs, targets, np.random.default_rng(0))[0].loss_sum


def test_relu_outputs_are_of_the_relu_layers_alone() -> None:
    inputs = np.random.default_rng(1).standard_normal((9, 7))
    found = network("mixed", "relu").relu_outputs(inputs)
    assert {name: value.shape for name, value in found.items()} == {
        "layer 1": (9, 6),
        "layer 2": (9, 3),
        "layer 3": (9, 5),
    }
    assert min(value.min() for value in found.values()) == 0.0
    assert network("mixed", "elu").relu_outputs(inputs) == {}


def test_images_become_flat_scaled_rows() -> None:
    model = build(input_shape=(2, 2, 1), classes=2, seed=0)
    got = model.as_inputs(np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1), Scaling((1.0,), (2.0,)))
    np.testing.assert_array_equal(got, 2.0 * (np.arange(8).reshape(2, 4) - 1.0))
