"""A multi-layer perceptron in torch tensor operations alone: no autograd, no ``torch.nn``, no built-in loss or optimiser."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int

from mlhw.arrays import Scaling
from mlhw.numerics.activations import LEAK
from mlhw.numerics.products import Deltas, gradients_of, layer_names, times
from mlhw.protocols import StepReport

Inputs = Float[torch.Tensor, "*#members rows features"]
Targets = Int[torch.Tensor, "*#members rows"]


def _relu(z: torch.Tensor) -> torch.Tensor:
    return z * (z > 0)


def _sigmoid(z: torch.Tensor) -> torch.Tensor:
    """1 / (1 + exp(-z)); where exp overflows to infinity the result is 0, as it should be."""
    return z.neg().exp_().add_(1.0).reciprocal_()


def _leaky_relu(z: torch.Tensor) -> torch.Tensor:
    return torch.maximum(z, LEAK * z)


def _elu(z: torch.Tensor) -> torch.Tensor:
    return torch.where(z > 0, z, torch.expm1(z.clamp(max=0.0)))


# Each with its derivative in terms of its output.
Elementwise = Callable[[torch.Tensor], torch.Tensor]
ACTIVATIONS: dict[str, tuple[Elementwise, Elementwise]] = {
    "sigmoid": (_sigmoid, lambda out: torch.addcmul(out, out, out, value=-1.0)),  # one pass for out - out²
    "tanh": (torch.tanh, lambda out: 1.0 - out * out),
    "relu": (_relu, lambda out: (out > 0).to(out.dtype)),
    "leaky-relu": (_leaky_relu, lambda out: (out >= 0).to(out.dtype).mul_(1.0 - LEAK).add_(LEAK)),
    "elu": (_elu, lambda out: out.clamp(max=0.0).add_(1.0)),
}


class TensorMlp:
    """Layers ``a @ W + b`` with an activation between them, then softmax and mean cross-entropy.

    ``parameters`` holds W1 (features, units), b1 (units,), W2, b2, … on one device. With a leading axis of members they are
    those of a stack of networks: what is computed then has that axis too, and a batch is shared or has it as well.
    """

    def __init__(self, parameters: dict[str, torch.Tensor], activation: str = "sigmoid") -> None:
        self.parameters = parameters
        self.layers = len(parameters) // 2
        self._names = layer_names(self.layers)
        self.activation_name = activation
        self.function, self.derivative = ACTIVATIONS[activation]
        self.device, self.dtype = parameters["W1"].device, parameters["W1"].dtype

    def as_inputs(self, stored: np.ndarray, scaling: Scaling) -> Float[torch.Tensor, "rows features"]:
        """Stored examples as flat, scaled rows on this model's device."""
        values = torch.from_numpy(np.ascontiguousarray(stored)).to(self.device)
        shift, scale = (
            torch.tensor(numbers, dtype=self.dtype, device=self.device) for numbers in (scaling.shift, scaling.scale)
        )
        return values.to(self.dtype).sub_(shift).mul_(scale).reshape(len(stored), -1)

    def as_targets(self, stored: np.ndarray) -> Int[torch.Tensor, " rows"]:
        """Class indices on this model's device."""
        return torch.from_numpy(np.ascontiguousarray(stored)).to(self.device)

    def activations(self, inputs: Inputs) -> list[torch.Tensor]:
        """The input and every layer's output, the scores last."""
        outputs = [inputs]
        for of_weights, of_bias in self._names:
            weights, bias = self.parameters[of_weights], self.parameters[of_bias]
            if weights.ndim == 2 == outputs[-1].ndim:
                z = torch.addmm(bias, outputs[-1], weights)
            else:
                z = times(outputs[-1], weights).add_(bias[..., None, :])
            outputs.append(self.function(z) if len(outputs) < self.layers else z)
        return outputs

    def relu_outputs(self, inputs: Inputs) -> dict[str, torch.Tensor]:
        """The output of every ReLU, (rows, units) by layer: ``layer 1``, … Empty with another activation."""
        if self.activation_name != "relu":
            return {}
        return {f"layer {layer}": out for layer, out in enumerate(self.activations(inputs)[1:-1], start=1)}

    def score(self, inputs: Inputs, targets: Targets) -> StepReport:
        """The summed cross-entropy and the number of rows whose largest score is the target's, on the device."""
        scores = self.activations(inputs)[-1]
        return _losses(scores, _column(targets, scores))[0]

    def probabilities(self, inputs: Inputs) -> Float[torch.Tensor, "*members rows classes"]:
        """softmax of the scores."""
        scores = self.activations(inputs)[-1]
        exponentials = (scores - scores.amax(dim=-1, keepdim=True)).exp_()
        return exponentials.div_(exponentials.sum(dim=-1, keepdim=True))

    def loss_and_grads(self, inputs: Inputs, targets: Targets) -> tuple[StepReport, dict[str, torch.Tensor]]:
        """The report, and the gradients of the *mean* cross-entropy by parameter name: ∂L/∂W = aᵀδ, ∂L/∂b = Σδ."""
        report, deltas = self.deltas(inputs, targets)
        return report, gradients_of(deltas, self.parameters)

    def deltas(self, inputs: Inputs, targets: Targets, rate: float = 1.0) -> tuple[StepReport, Deltas]:
        """The report, and for each layer, from the last down, its names, its inputs a and the gradient δ in its outputs.

        δ = rate (p - y)/m at the scores, and δ ← δWᵀ ∘ f′(a) below.
        """
        outputs = self.activations(inputs)
        column = _column(targets, outputs[-1])
        report, delta = _losses(outputs[-1], column)
        delta.scatter_(-1, column, -1.0, reduce="add").mul_(rate / report.count)
        deltas = [(self._names[-1], outputs[-2], delta)]
        for below in range(self.layers - 1, 0, -1):
            weights = self.parameters[self._names[below][0]]
            delta = (delta @ weights.mT).mul_(self.derivative(outputs[below]))
            deltas.append((self._names[below - 1], outputs[below - 1], delta))
        return report, deltas


def _losses(scores: torch.Tensor, column: torch.Tensor) -> tuple[StepReport, torch.Tensor]:
    """The report, and softmax(scores) (*members, rows, classes); ``column`` as of :func:`_column`.

    The loss is log Σexp(z - max z) - (z_target - max z): finite where the probability itself rounds to 0.
    """
    top, guess = scores.max(dim=-1, keepdim=True)
    shifted = scores - top
    chosen = shifted.gather(-1, column)
    exponentials = shifted.exp_()
    totals = exponentials.sum(dim=-1, keepdim=True)
    losses, hits = totals.log().sub_(chosen), guess == column
    # Over all axes the kernels need no list of them, and counting is four times as fast as adding up.
    single = scores.ndim == 2
    loss, correct = (losses.sum(), hits.count_nonzero()) if single else (losses.sum((-2, -1)), hits.sum((-2, -1)))
    return StepReport(loss, correct, scores.shape[-2]), exponentials.div_(totals)


def _column(targets: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """``targets`` as indices (*members, rows, 1) into the classes of ``scores``."""
    column = targets.unsqueeze(-1)
    return column if column.ndim == scores.ndim else column.expand(*scores.shape[:-1], 1)


def build(
    *,
    input_shape: Sequence[int],
    classes: int,
    seed: int,
    hidden_sizes: Sequence[int] = (128,),
    activation: str = "sigmoid",
    init: str = "glorot",
    dtype: str = "float32",
    device: str = "cpu",
) -> TensorMlp:
    """A fresh network. Weights: N(0, 1), or normal with variance 2/(in+out) (Glorot) or 2/in (He); biases 0."""
    generator = torch.Generator().manual_seed(seed)
    kind: torch.dtype = getattr(torch, dtype)
    sizes = [int(np.prod(input_shape)), *hidden_sizes, classes]
    parameters = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        deviation = {"normal": 1.0, "glorot": (2.0 / (n_in + n_out)) ** 0.5, "he": (2.0 / n_in) ** 0.5}[init]
        weights = torch.randn(n_in, n_out, generator=generator, dtype=kind) * deviation
        parameters[f"W{layer}"] = weights.to(device)
        parameters[f"b{layer}"] = torch.zeros(n_out, dtype=kind, device=device)
    return TensorMlp(parameters, activation)
