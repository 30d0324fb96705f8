"""Hand-written gradients against two oracles, and the numbers that the course printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from mlhw.arrays import Scaling
from mlhw.models import numpy_mlp, tensor_mlp
from mlhw.numerics.optimisers import Sgd

SHAPE: dict[str, Any] = {"input_shape": (7,), "classes": 4, "seed": 3, "hidden_sizes": (6, 5)}
VARIANTS: dict[str, Callable[[str], Any]] = {
    "numpy": lambda activation: numpy_mlp.build(**SHAPE, activation=activation, dtype="float64"),
    "numpy-squashed": lambda activation: numpy_mlp.build(
        **SHAPE, activation=activation, squash_scores=True, dtype="float64"
    ),
    "numpy-input-bias": lambda activation: numpy_mlp.build(
        **SHAPE, activation=activation, bias="input", dtype="float64"
    ),
    "numpy-no-bias": lambda activation: numpy_mlp.build(**SHAPE, activation=activation, bias="none", dtype="float64"),
    "tensor": lambda activation: tensor_mlp.build(**SHAPE, activation=activation, dtype="float64"),
}


@pytest.fixture(params=[(name, act) for name in VARIANTS for act in ("sigmoid", "tanh", "relu")], ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    name, activation = request.param
    model = VARIANTS[name](activation)
    rng = np.random.default_rng(0)
    for parameter in model.parameters.values():  # biases at 0 would hide a forgotten bias
        parameter += 0.1 if parameter.ndim == 1 else 0.0
    inputs = model.as_inputs(rng.standard_normal((9, 7)), Scaling())
    return model, inputs, model.as_targets(rng.integers(0, 4, 9))


def mean_loss(model: Any, inputs: Any, targets: Any) -> float:
    return float(model.score(inputs, targets).loss_sum) / len(targets)


def test_every_gradient_entry_equals_central_differences(case: tuple[Any, Any, Any]) -> None:
    model, inputs, targets = case
    _, gradients = model.loss_and_grads(inputs, targets)
    assert gradients.keys() == model.parameters.keys()
    for name, parameter in model.parameters.items():
        flat, got = parameter.reshape(-1), np.asarray(gradients[name]).reshape(-1)
        for entry in range(len(flat)):
            value, step = float(flat[entry]), 1e-5
            flat[entry] = value + step
            above = mean_loss(model, inputs, targets)
            flat[entry] = value - step
            below = mean_loss(model, inputs, targets)
            flat[entry] = value
            assert got[entry] == pytest.approx((above - below) / (2 * step), rel=1e-6, abs=1e-9), f"{name}[{entry}]"


def test_gradients_equal_autograd_s(case: tuple[Any, Any, Any]) -> None:
    model, inputs, targets = case
    report, gradients = model.loss_and_grads(inputs, targets)
    leaves = {name: torch.tensor(np.asarray(value), requires_grad=True) for name, value in model.parameters.items()}
    activation = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}[model.activation_name]
    layers, a = model.layers, torch.as_tensor(inputs)
    for layer in range(1, layers + 1):
        z = a @ leaves[f"W{layer}"]
        z = z + leaves[f"b{layer}"] if f"b{layer}" in leaves else z
        a = activation(z) if layer < layers or getattr(model, "squash_scores", False) else z
    loss = functional.cross_entropy(a, torch.as_tensor(targets))
    loss.backward()
    assert float(report.loss_sum) / len(targets) == pytest.approx(loss.item(), rel=1e-12)
    assert int(report.correct) == int((a.argmax(dim=1) == torch.as_tensor(targets)).sum())
    for name, leaf in leaves.items():
        np.testing.assert_allclose(np.asarray(gradients[name]), leaf.grad.numpy(), rtol=1e-9, atol=1e-13)  # type: ignore[union-attr]


def test_a_planted_fault_is_caught() -> None:
    """The check above can fail: a gradient without its 1/m differs from central differences by far more than it allows."""
    model = VARIANTS["numpy"]("tanh")
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((9, 7)), rng.integers(0, 4, 9)
    gradients = model.loss_and_grads(inputs, targets)[1]
    model.loss_and_grads = lambda x, y: (None, {name: 9 * value for name, value in gradients.items()})
    with pytest.raises(AssertionError, match=r"W1\[0\]"):
        test_every_gradient_entry_equals_central_differences((model, inputs, targets))


def test_numpy_and_tensor_networks_agree() -> None:
    first, second = VARIANTS["numpy"]("sigmoid"), VARIANTS["tensor"]("sigmoid")
    second.parameters = {name: torch.from_numpy(value) for name, value in first.parameters.items()}
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((5, 7))
    np.testing.assert_allclose(
        first.probabilities(inputs), second.probabilities(torch.from_numpy(inputs)).numpy(), rtol=1e-12
    )


@pytest.mark.parametrize("size", [1e4, -1e4])
@pytest.mark.parametrize("name", ["numpy", "tensor"])
def test_huge_scores_stay_finite(name: str, size: float) -> None:
    model = VARIANTS[name]("tanh")
    model.parameters["W3"] += size
    report, gradients = model.loss_and_grads(
        *(pair := (model.as_inputs(np.ones((2, 7)), Scaling()), model.as_targets(np.array([0, 1]))))
    )
    assert np.isfinite(float(report.loss_sum))
    assert all(np.isfinite(np.asarray(value)).all() for value in gradients.values())
    assert len(pair) == 2


def test_images_are_flattened_and_scaled_by_channel() -> None:
    model = numpy_mlp.build(input_shape=(2, 1, 3), classes=2, seed=0, hidden_sizes=())
    got = model.as_inputs(np.arange(6, dtype=np.uint8).reshape(1, 2, 1, 3), Scaling((0.0, 1.0, 2.0), (1.0, 2.0, 3.0)))
    np.testing.assert_array_equal(got, [[0, 0, 0, 3, 6, 9]])


# --- the numbers that the course's numpy notebook printed; its layers count from 0 -------------------------------------


@pytest.fixture
def two_digits(real_data: Any) -> tuple[np.ndarray, np.ndarray]:
    """The first two rows of the course's CSV: training rows 15257 and 28478 of the IDX files, in [0, 1]."""
    raw = real_data / "MNIST" / "raw"
    images = np.fromfile(raw / "train-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 784)[[15257, 28478]] / 255.0
    return images, np.fromfile(raw / "train-labels-idx1-ubyte", np.uint8)[8:][[15257, 28478]].astype(np.int64)


def course_network() -> numpy_mlp.NumpyMlp:
    """784-128-128-128-10 without bias, each layer from its own fixed seed, counted from 0."""
    sizes = [(784, 128), (128, 128), (128, 128), (128, 10)]
    weights = {
        f"W{layer + 1}": np.random.default_rng(8803 if layer == 1 else 4803).uniform(-1, 1, shape)
        for layer, shape in enumerate(sizes)
    }
    return numpy_mlp.NumpyMlp(weights, "sigmoid", "none", squash_scores=True)


def test_the_course_s_forward_pass(two_digits: tuple[np.ndarray, np.ndarray]) -> None:
    network = course_network()
    printed = [
        "0.10290618 0.07406508 0.15378217 0.11907858 0.05749531 0.1463068 0.08404077 0.10641721 0.06097971 0.09492819",
        "0.12743459 0.07623965 0.17051266 0.07784414 0.06752908 0.18120419 0.06783913 0.08470183 0.07175165 0.0749431",
    ]
    expected = [[float(number) for number in line.split()] for line in printed]
    np.testing.assert_allclose(network.probabilities(two_digits[0]), expected, atol=1e-8)
    # The notebook's own arithmetic differs from ours in the tenth digit.
    assert network.activations(two_digits[0])[-1].max() == pytest.approx(0.9981910969248503, abs=1e-9)


def test_the_course_s_step_and_its_wart(two_digits: tuple[np.ndarray, np.ndarray]) -> None:
    """One step of rate 0.5 in the right order; the notebook passes each delta back through weights already updated."""
    network = course_network()
    gradients = network.loss_and_grads(*two_digits)[1]
    Sgd().update(network.parameters, gradients, 0.5)
    assert network.parameters["W2"][0, 0] == pytest.approx(0.71282635, abs=1e-8)
    np.testing.assert_allclose(with_the_wart(*two_digits)["W2"][0, :3], [0.7128274, 0.36318954, 0.65539518], atol=1e-8)


def with_the_wart(inputs: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
    network = course_network()
    outputs = network.activations(inputs)
    delta = network.probabilities(inputs) - np.eye(10)[targets]
    delta = delta / len(targets) * outputs[-1] * (1 - outputs[-1])
    for layer in range(4, 0, -1):
        network.parameters[f"W{layer}"] -= 0.5 * outputs[layer - 1].T @ delta
        delta = (delta @ network.parameters[f"W{layer}"].T) * outputs[layer - 1] * (1 - outputs[layer - 1])
    return network.parameters


def test_equal_weights_stay_equal_which_is_why_zero_would_be_wrong() -> None:
    network = numpy_mlp.build(input_shape=(7,), classes=4, seed=0, hidden_sizes=(6,), dtype="float64")
    for parameter in network.parameters.values():
        parameter[...] = 0.0
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((9, 7)), rng.integers(0, 4, 9)
    for _ in range(5):
        Sgd().update(network.parameters, network.loss_and_grads(inputs, targets)[1], 1.0)
    hidden = network.parameters["W1"]
    assert np.ptp(hidden, axis=1).max() == 0.0  # every hidden unit has the same weights: one unit six times over
