"""Trains models whose gradients are written by hand, in numpy or on torch tensors alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from mlhw.arrays import Array, Batch, Scaling, Split
from mlhw.learners.descent import is_plain, step_down
from mlhw.learners.finite import all_finite
from mlhw.learners.members import check_member, kept_members
from mlhw.learners.parameters import check_fit
from mlhw.learners.reports import of_steps
from mlhw.numerics.optimisers import UpdateRule
from mlhw.numerics.products import gradients_of
from mlhw.protocols import StepReport


class ExplicitModel(Protocol):
    """What a hand-written model offers."""

    parameters: dict[str, Array]

    def as_inputs(self, stored: np.ndarray, scaling: Scaling) -> Array:
        """Stored examples as this model computes with them."""

    def as_targets(self, stored: np.ndarray) -> Array:
        """Stored class indices likewise."""

    def score(self, inputs: Array, targets: Array) -> StepReport:
        """Summed loss and hits of a batch."""

    def probabilities(self, inputs: Array) -> Array:
        """Class probabilities (rows, classes)."""

    def relu_outputs(self, inputs: Array) -> dict[str, Array]:
        """The outputs (rows, units) of each ReLU by layer; empty where there is none."""

    def loss_and_grads(self, inputs: Array, targets: Array, *chance: Any) -> tuple[StepReport, dict[str, Array]]:
        """The report, and the gradients of the mean loss by parameter name; ``chance``: a generator, for dropout."""


class ExplicitLearner:
    """A hand-written model, its update rule, and an exponential average of its weights where asked for."""

    members: int = 1
    lr: Any  # a number; of a stack an array (members,)

    def __init__(
        self,
        model: ExplicitModel,
        rule: UpdateRule,
        lr: float | np.ndarray,
        scaling: Scaling,
        average_decay: float | None = None,
        dropout_seed: int | None = None,
    ) -> None:
        self.model, self.rule, self.lr, self.scaling = model, rule, lr, scaling
        self.average_decay, self.dropout_seed, self.steps = average_decay, dropout_seed, 0
        self.averages = {name: _copy(value) for name, value in model.parameters.items()} if average_decay else {}
        self._gives_deltas = dropout_seed is None and hasattr(model, "deltas")
        self._steps_down = self._gives_deltas and is_plain(rule)

    def place(self, split: Split) -> Split:
        targets = self.model.as_targets(split.targets)
        if split.inputs.dtype == np.uint8 and hasattr(self.model, "rows_of_bytes"):
            # Bytes stay bytes until batches of them are gathered: an eighth of the memory of doubles, all over which a step
            # of eight rows would have to gather.
            inputs, ready = self.model.rows_of_bytes(split.inputs, self.scaling)
            return replace(split, inputs=inputs, targets=targets, ready=ready)
        return replace(split, inputs=self.model.as_inputs(split.inputs, self.scaling), targets=targets)

    def step(self, batch: Batch, lr_scale: float) -> Any:
        self.steps += 1
        if self._steps_down:
            rate = self.lr * lr_scale
            report, deltas = self.model.deltas(batch.inputs, batch.targets, rate)  # type: ignore[attr-defined]  # looked for
            step_down(self.model.parameters, deltas)
        else:
            report = self._step_by_gradients(batch, lr_scale)
        if self.average_decay:
            self._average(self.average_decay)
        return report

    def _step_by_gradients(self, batch: Batch, lr_scale: float) -> Any:
        report, gradients = self._gradients(batch)
        self.rule.update(self.model.parameters, gradients, self.lr * lr_scale)
        return report

    def _gradients(self, batch: Batch) -> tuple[Any, dict[str, Array]]:
        """What ``fetch`` reads the step's report from, and the gradients."""
        if self._gives_deltas:  # with a report that may be left for later: ``loss_and_grads`` gives a whole one
            report, deltas = self.model.deltas(batch.inputs, batch.targets)  # type: ignore[attr-defined]  # looked for
            return report, gradients_of(deltas, self.model.parameters)
        # A model with dropout also takes a generator: that of this step, however the step was reached.
        chance = () if self.dropout_seed is None else (np.random.default_rng([self.dropout_seed, self.steps - 1]),)
        return self.model.loss_and_grads(batch.inputs, batch.targets, *chance)

    def _average(self, decay: float) -> None:
        share = 1.0 - min(decay, (1 + self.steps) / (10 + self.steps))  # young averages must not remember the start
        for name, average in self.averages.items():
            average += share * (self.model.parameters[name] - average)

    def score(self, batch: Batch) -> StepReport:
        return self._with_averages(self.model.score, batch.inputs, batch.targets)

    def probabilities(self, inputs: Array) -> Any:
        return to_host(self._with_averages(self.model.probabilities, inputs))

    def relu_maxima(self, inputs: Array) -> dict[str, Any]:
        outputs = self._with_averages(self.model.relu_outputs, inputs)
        return {layer: to_host(values).max(axis=-2) for layer, values in outputs.items()}

    def _with_averages(self, function: Any, *arguments: Array) -> Any:
        if not self.average_decay:
            return function(*arguments)
        trained, self.model.parameters = self.model.parameters, self.averages
        try:
            return function(*arguments)
        finally:
            self.model.parameters = trained

    def fetch(self, reports: Sequence[Any]) -> tuple[Any, Any]:
        if not isinstance(reports[0], StepReport):
            return self.model.sums(reports)  # type: ignore[attr-defined]  # whose ``deltas`` gave them
        return of_steps(reports, self._fetched)

    def _fetched(self, values: list[Array]) -> Any:
        if not hasattr(values[0], "new_tensor"):
            return np.array(values, dtype=np.float64).reshape(len(values), self.members)
        import torch

        return torch.stack(values).double().cpu().numpy().reshape(len(values), self.members)

    def finite(self) -> Any:
        return np.array([all_finite(self.state())])

    def parameters(self, member: int = 0) -> dict[str, Any]:
        check_member(member, self.members)
        source = self.averages if self.average_decay else self.model.parameters
        return {name: np.array(to_host(value)) for name, value in source.items()}

    def adopt(self, parameters: dict[str, Any]) -> None:
        check_fit(parameters, {name: tuple(value.shape) for name, value in self.model.parameters.items()})
        for target in (self.model.parameters, self.averages):
            assign(target, {name: parameters[name] for name in target})

    def keep(self, mask: Sequence[bool]) -> None:
        kept_members(mask, self.members)

    def state(self) -> dict[str, Any]:
        return {
            "parameters": self.model.parameters,
            "averages": self.averages,
            "steps": self.steps,
            "dropout_seed": self.dropout_seed,
            "rule": self.rule.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        like = next(iter(self.model.parameters.values()))
        assign(self.model.parameters, state["parameters"])
        assign(self.averages, state["averages"])
        self.steps, self.dropout_seed = int(state["steps"]), state.get("dropout_seed")
        self.rule.restore(as_kind(state["rule"], like))


def to_host(value: Array) -> Any:
    """``value`` as a numpy array (sharing memory where it lies on the CPU)."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _copy(value: Array) -> Array:
    return value.clone() if hasattr(value, "clone") else value.copy()


def assign(targets: dict[str, Array], values: dict[str, Any]) -> None:
    """Copy ``values`` into ``targets``. Raises ValueError where a shape is another: it would be spread over the target."""
    for name, target in targets.items():
        if tuple(values[name].shape) != tuple(target.shape):
            raise ValueError(f"{name} is {tuple(values[name].shape)}, should be {tuple(target.shape)}")
        target[...] = as_kind(values[name], target)


def as_kind(value: Any, like: Array) -> Any:
    """``value`` with its arrays of ``like``'s kind: numpy, or torch on the same device. Copies."""
    if isinstance(value, dict):
        return {key: as_kind(item, like) for key, item in value.items()}
    if not hasattr(value, "shape"):
        return value
    return (
        like.new_tensor(to_host(value)) if hasattr(like, "new_tensor") else np.array(to_host(value), dtype=like.dtype)
    )
