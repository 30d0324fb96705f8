"""A multi-layer perceptron in numpy alone, its gradients by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from mlhw.arrays import Scaling
from mlhw.models.flat import Maker, flat_rows, rows_of_bytes
from mlhw.numerics.activations import activation_for, softmax
from mlhw.numerics.losses import softmax_cross_entropy
from mlhw.numerics.products import Deltas, gradients_of, layer_names, times
from mlhw.protocols import StepReport

Inputs = Float[np.ndarray, "*#members rows features"]
Targets = Int[np.ndarray, "*#members rows"]
Product = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Scored(NamedTuple):
    """What a report is made of."""

    scores: Float[np.ndarray, "*members rows classes"]
    targets: Targets


class NumpyMlp:
    """Layers ``a @ W + b`` with an activation between them, then softmax and cross-entropy.

    ``parameters`` holds W1 (features, units), b1 (units,), W2, … . With ``bias='input'`` the input carries a column of
    ones instead, and W1 has one row more. With ``squash_scores`` the scores pass through the activation as well.

    Parameters with a leading axis of members are those of a stack of networks; what is computed then has that axis too, and
    a batch is shared or has it as well.
    """

    def __init__(
        self,
        parameters: dict[str, np.ndarray],
        activation: str = "sigmoid",
        bias: str = "all",
        squash_scores: bool = False,
    ) -> None:
        self.parameters = parameters
        self.layers = sum(name.startswith("W") for name in parameters)
        self._names = layer_names(self.layers)
        self.activation, self.activation_name = activation_for(activation, parameters["W1"].dtype), activation
        self.bias, self.squash_scores = bias, squash_scores
        # A step of eight rows is too short to find out each time what a layer does.
        functions = [self.activation.function] * (self.layers - 1) + [
            self.activation.function if squash_scores else None
        ]
        self._steps = [
            (weights, biases if bias == "all" else None, function)
            for (weights, biases), function in zip(self._names, functions, strict=True)
        ]
        self._bounded = squash_scores and activation in ("sigmoid", "tanh")
        self.dtype = parameters["W1"].dtype
        self.one_hot = np.eye(parameters[f"W{self.layers}"].shape[-1], dtype=self.dtype)

    def as_inputs(self, stored: np.ndarray, scaling: Scaling) -> Float[np.ndarray, "rows features"]:
        """Stored examples as flat, scaled rows of this model's dtype (with the column of ones, where it has one)."""
        return flat_rows(stored, scaling, self.dtype, ones=self.bias == "input")

    def rows_of_bytes(self, stored: np.ndarray, scaling: Scaling) -> tuple[np.ndarray, Maker]:
        """Stored bytes as flat rows of them, and what makes some of those rows inputs."""
        return rows_of_bytes(stored, scaling, self.dtype, ones=self.bias == "input")

    def as_targets(self, stored: np.ndarray) -> Int[np.ndarray, " rows"]:
        """Class indices as this model takes them."""
        return stored

    def activations(self, inputs: Inputs) -> list[np.ndarray]:
        """The input and every layer's output, the scores last."""
        return self._activations(inputs, self._product(inputs))

    def _activations(self, inputs: Inputs, product: Product) -> list[np.ndarray]:
        parameters, z, outputs = self.parameters, inputs, [inputs]
        for weights, bias, function in self._steps:
            z = product(z, parameters[weights])
            if bias is not None:
                z += parameters[bias][..., None, :]
            if function is not None:
                z = function(z)
            outputs.append(z)
        return outputs

    def _product(self, inputs: Inputs) -> Product:
        """What multiplies rows with weights; for one model a method that skips the generality of @, half of the cost of
        a product of a few rows."""
        return np.ndarray.dot if inputs.ndim == self.parameters["W1"].ndim == 2 else times

    def relu_outputs(self, inputs: Inputs) -> dict[str, np.ndarray]:
        """The output of every ReLU, (rows, units) by layer: ``layer 1``, … Empty with another activation."""
        if self.activation_name != "relu":
            return {}
        squashed = self.activations(inputs)[1 : self.layers + self.squash_scores]
        return {f"layer {layer}": outputs for layer, outputs in enumerate(squashed, start=1)}

    def score(self, inputs: Inputs, targets: Targets) -> StepReport:
        """The summed cross-entropy and the number of rows whose largest score is the target's."""
        return self._report(Scored(self.activations(inputs)[-1], targets))

    def probabilities(self, inputs: Inputs) -> Float[np.ndarray, "*members rows classes"]:
        """softmax of the scores."""
        return softmax(self.activations(inputs)[-1])

    def loss_and_grads(self, inputs: Inputs, targets: Targets) -> tuple[StepReport, dict[str, np.ndarray]]:
        """The report, and the gradients of the *mean* cross-entropy by parameter name: ∂L/∂W = aᵀδ, ∂L/∂b = Σδ."""
        scored, deltas = self.deltas(inputs, targets)
        return self._report(scored), gradients_of(deltas, self.parameters)

    def deltas(self, inputs: Inputs, targets: Targets, rate: float = 1.0) -> tuple[Scored, Deltas]:
        """The scores, and for each layer, from the last down, its names, its inputs a and the gradient δ in its outputs.

        δ = rate (p - y)/m at the scores (times the activation's derivative where they are squashed); δ ← δWᵀ ∘ f′(a) below.
        """
        product, derivative = self._product(inputs), self.activation.derivative
        outputs = self._activations(inputs, product)
        delta = softmax(outputs[-1], bounded=self._bounded)
        delta -= self.one_hot.take(targets, axis=0)
        delta *= rate / targets.shape[-1]
        if self.squash_scores:
            delta *= derivative(outputs[-1])
        deltas = [(self._names[-1], outputs[-2], delta)]
        for below in range(self.layers - 1, 0, -1):
            delta = product(delta, self.parameters[self._names[below][0]].mT)
            delta *= derivative(outputs[below])
            deltas.append((self._names[below - 1], outputs[below - 1], delta))
        return Scored(outputs[-1], targets), deltas

    def sums(self, steps: Sequence[Scored]) -> tuple[np.ndarray, np.ndarray]:
        """The loss sum and the hits of each step: two arrays, (steps, members).

        Those of a single model are computed at once: at a batch of eight, calls are what costs.
        """
        if steps[0].scores.ndim == 2:
            alike = itertools.groupby(steps, key=lambda step: len(step.targets))  # the last batch may be smaller
            reports = [self._report(_joined(list(group))) for _, group in alike]
            found = np.concatenate([[report.loss_sum, report.correct] for report in reports], axis=1)[..., None]
        else:
            reports = [self._report(step) for step in steps]
            found = np.array([[report.loss_sum for report in reports], [report.correct for report in reports]])
        losses, correct = found.astype(np.float64)
        return losses, correct

    def _report(self, step: Scored) -> StepReport:
        losses, _ = softmax_cross_entropy(*step, bounded=self._bounded)
        correct = np.count_nonzero(step.scores.argmax(axis=-1) == step.targets, axis=-1)
        return StepReport(np.add.reduce(losses, axis=-1), correct, step.targets.shape[-1])


def _joined(steps: Sequence[Scored]) -> Scored:
    """``steps`` of as many rows each as one, (steps, rows, …)."""
    scores, targets = (np.concatenate(values) for values in zip(*steps, strict=True))
    shape = (len(steps), len(steps[0].targets))
    return Scored(scores.reshape(*shape, -1), targets.reshape(shape))


def build(
    *,
    input_shape: Sequence[int],
    classes: int,
    seed: int,
    hidden_sizes: Sequence[int] = (128,),
    activation: str = "sigmoid",
    init: str = "glorot",
    bias: str = "all",
    squash_scores: bool = False,
    dtype: str = "float32",
) -> NumpyMlp:
    """A fresh network, its biases 0.

    Weights: U(-1, 1), 0.01·N(0, 1) (tiny), or normal with variance 2/(in+out) (Glorot) or 2/in (He).

    All weights equal (all zero, say) would stay equal for ever: every unit of a layer would get the same gradient.
    """
    rng = np.random.default_rng(seed)
    sizes = [int(np.prod(input_shape)) + (bias == "input"), *hidden_sizes, classes]
    parameters: dict[str, Any] = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        if init == "uniform":
            weights = rng.uniform(-1.0, 1.0, (n_in, n_out))
        else:
            deviation = {"tiny": 0.01, "glorot": (2.0 / (n_in + n_out)) ** 0.5, "he": (2.0 / n_in) ** 0.5}[init]
            weights = rng.standard_normal((n_in, n_out)) * deviation
        parameters[f"W{layer}"] = weights.astype(dtype)
        if bias == "all":
            parameters[f"b{layer}"] = np.zeros(n_out, dtype)
    return NumpyMlp(parameters, activation, bias, squash_scores)
