"""Trains many hand-written models as one, with a leading axis of members."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlhw.arrays import Array, Batch
from mlhw.learners.descent import can_descend, descend
from mlhw.learners.explicit import ExplicitLearner, ExplicitModel, as_kind, to_host
from mlhw.learners.finite import finite_members
from mlhw.learners.members import check_member, each_array, kept_members, stacked_decay, stacked_rule
from mlhw.learners.parameters import check_fit
from mlhw.numerics.products import wide

FIRST = "W1"  # the weights that meet the inputs: where these are shared, one wide product serves all members


class StackedLearner(ExplicitLearner):
    """Learners that differ in rate, weight decay and initial weights alone, as one learner.

    A stack of M gives what its M learners would give alone, to rounding: the same batches, the same initial weights, and no
    number of one member in another's arithmetic, so that a member whose loss is no longer finite disturbs nobody. It is
    faster because products with shared inputs become one wide product and because small steps cost their calls once.

    ``probabilities`` and ``relu_maxima`` have the leading axis too; weights that it adopts are adopted by every member.

    Raises:
        ValueError: the learners differ in more than that, have taken steps already, or draw at random (dropout).
    """

    def __init__(self, learners: Sequence[ExplicitLearner]) -> None:
        if reason := _why_not(learners):
            raise ValueError(f"these learners cannot be stacked: {reason}")
        model = copy.copy(learners[0].model)
        model.parameters = {
            name: _stack([learner.model.parameters[name] for learner in learners]) for name in model.parameters
        }
        self._rules = [learner.rule for learner in learners]
        rates = np.array([learner.lr for learner in learners], dtype=np.float64)
        super().__init__(
            model, stacked_rule(self._rules), rates, learners[0].scaling, average_decay=learners[0].average_decay
        )
        self._shared = False  # whether the members' training inputs are: says how the arrays of FIRST lie in memory
        self._set_rates(rates)

    def _set_rates(self, rates: np.ndarray) -> None:
        """Take note of the members that there are: their base rates, and the decays of their rules."""
        like = self.model.parameters[FIRST]
        with np.errstate(over="ignore"):  # a rate beyond single precision is infinite there
            self.members, self.lr, self._rates = len(rates), rates, as_kind(rates, like)
        assert hasattr(self.rule, "decay")
        self.rule.decay = stacked_decay(self._rules, lambda decays: as_kind(np.array(decays), like))
        self._by_deltas = can_descend(self.model, self.rule)

    def step(self, batch: Batch, lr_scale: float) -> Any:
        self._lay_out(shared=batch.inputs.ndim == 2)
        rates = self._rates * float(lr_scale)
        if self._by_deltas:
            report, deltas = self.model.deltas(batch.inputs, batch.targets)  # type: ignore[attr-defined]  # can_descend
            descend(self.model.parameters, self.rule, deltas, rates)  # type: ignore[arg-type]  # has looked for both
        else:
            report, gradients = self._gradients(batch)
            self.rule.update(self.model.parameters, gradients, rates)
        self.steps += 1
        if self.average_decay:
            self._average(self.average_decay)
        return report

    def _lay_out(self, shared: bool) -> None:
        if shared == self._shared:
            return
        self._shared = shared
        self._change(lambda name, value: self._laid_out(value) if name == FIRST else value)

    def _laid_out(self, value: Array) -> Array:
        if self._shared:
            return wide(value)
        return value.contiguous() if hasattr(value, "contiguous") else np.ascontiguousarray(value)

    def _change(self, change: Any) -> None:
        """Replace every array (members, ...) by ``change(name, array)``."""
        self.model.parameters = each_array(self.model.parameters, change)
        self.averages = each_array(self.averages, change)
        self.rule.restore(each_array(self.rule.state(), change))

    def keep(self, mask: Sequence[bool]) -> None:
        kept = kept_members(mask, self.members)
        if len(kept) == self.members:
            return
        self._change(lambda name, value: self._laid_out(value[kept]) if name == FIRST else value[kept])
        self._rules = [self._rules[member] for member in kept]
        self._set_rates(self.lr[kept])

    def finite(self) -> Any:
        return finite_members([self.model.parameters, self.averages, self.rule.state()], self.members)

    def parameters(self, member: int = 0) -> dict[str, Any]:
        check_member(member, self.members)
        source = self.averages if self.average_decay else self.model.parameters
        return {name: np.array(to_host(value[member])) for name, value in source.items()}

    def adopt(self, parameters: dict[str, Any]) -> None:
        check_fit(parameters, {name: tuple(value.shape[1:]) for name, value in self.model.parameters.items()})
        for target in (self.model.parameters, self.averages):
            for name, value in target.items():
                value[...] = as_kind(parameters[name], value)  # every member's

    def state(self) -> dict[str, Any]:
        return super().state() | {"shared": self._shared}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self._shared = not state["shared"]  # so that all is laid out anew: sums over another layout round differently
        self._lay_out(state["shared"])


def _stack(values: list[Array]) -> Array:
    if hasattr(values[0], "new_tensor"):
        import torch

        return torch.stack(values)
    return np.stack(values)


def _why_not(learners: Sequence[ExplicitLearner]) -> str:
    """Why ``learners`` cannot be one stack; empty where they can."""
    if not learners:
        return "there are none"
    first = learners[0]
    for learner in learners:
        if learner.dropout_seed is not None:
            return "dropout draws other numbers for each"
        if learner.steps:
            return f"one has taken {learner.steps} steps already"
        if _facts(learner.model) != _facts(first.model):
            return "their models are not of one kind and size"
        if (learner.scaling, learner.average_decay) != (first.scaling, first.average_decay):
            return "they differ in scaling or weight averaging"
    return ""


def _facts(model: ExplicitModel) -> list[Any]:
    """What makes two models the same but for the numbers in their weights."""
    plain = {name: value for name, value in vars(model).items() if not hasattr(value, "ndim") and name != "parameters"}
    shapes = {name: (tuple(value.shape), value.dtype) for name, value in model.parameters.items()}
    return [type(model), plain, shapes]
