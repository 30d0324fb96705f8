"""Trains many ``nn.Module``s of one shape as one, through torch.func: a leading axis of members on every parameter."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn
from torch.func import functional_call, stack_module_state
from torch.nn import functional

from mlhw.arrays import Array, Batch, Split
from mlhw.learners.autograd import AutogradLearner
from mlhw.learners.finite import all_finite, finite_members
from mlhw.learners.members import check_member, kept_members
from mlhw.learners.parameters import check_fit
from mlhw.learners.reports import of_steps
from mlhw.protocols import StepReport

Tensors = dict[str, torch.Tensor]

_RANDOM = (nn.modules.dropout._DropoutNd, nn.RReLU, nn.FractionalMaxPool2d, nn.FractionalMaxPool3d)


def can_stack(module: nn.Module) -> str:
    """Empty where ``module`` can be a member of a stack, else the reason: ``it has batch normalisation (bn1)``.

    What ``forward`` draws at random by itself, without a layer that says so, cannot be seen here: the first step of the stack
    then fails, by torch.func's own check.
    """
    for name, part in module.named_modules():
        if isinstance(part, nn.modules.batchnorm._NormBase):
            return f"it has batch normalisation ({name})"
        if isinstance(part, _RANDOM) and getattr(part, "p", True):
            return f"it draws at random ({name}: {type(part).__name__})"
        if isinstance(part, nn.RNNBase | nn.MultiheadAttention):
            return f"torch.func has no stacked form of {type(part).__name__} ({name})"
    for name, _ in module.named_buffers():
        return f"it keeps what is not trained ({name})"
    return ""


class VmappedLearner:
    """Learners of modules that differ in rate, weight decay and initial weights alone, as one learner.

    A stack of M gives what its M learners would give alone, to rounding. Inputs are images, (rows, height, width, channels), or
    flat rows (rows, features); each with a leading axis where every member has its own.

    ``probabilities`` and ``relu_maxima`` have the leading axis too; weights that it adopts are adopted by every member.

    Raises:
        ValueError: the learners differ in more than that, have taken steps already, or their modules cannot be stacked.
    """

    def __init__(self, learners: Sequence[AutogradLearner]) -> None:
        if reason := _why_not(learners):
            raise ValueError(f"these learners cannot be stacked: {reason}")
        first = learners[0]
        self.device, self.label_smoothing, self.average_decay = first.device, first.label_smoothing, first.average_decay
        self.steps = 0
        self._single = copy.deepcopy(first)  # whose module the members' weights pass through
        self._single.network.eval()
        with torch.no_grad():
            self._trained: Tensors = {
                name: value.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
                for name, value in stack_module_state([learner.network for learner in learners])[0].items()
            }
        self.averages = (
            {name: value.detach().clone() for name, value in self._trained.items()} if self.average_decay else {}
        )
        self.rules = [copy.deepcopy(learner.rule) for learner in learners]
        self.lr, self.members = np.array([learner.lr for learner in learners], dtype=np.float64), len(learners)

    def place(self, split: Split) -> Split:
        return self._single.place(split)

    def _scores(self, parameters: Tensors, inputs: torch.Tensor) -> Float[torch.Tensor, "members rows classes"]:
        own = inputs.ndim in (3, 5)
        rows = self._single._prepare(inputs.flatten(0, 1) if own else inputs)

        def one(member: Tensors, given: torch.Tensor) -> torch.Tensor:
            return functional_call(self._single.network, member, (given,))

        if own:
            rows = rows.view(*inputs.shape[:2], *rows.shape[1:])
        return torch.vmap(one, in_dims=(0, 0 if own else None))(parameters, rows)

    def step(self, batch: Batch, lr_scale: float) -> StepReport:
        scores = self._scores(self._trained, batch.inputs)
        losses = _losses(scores, batch.targets, self.label_smoothing)
        gradients = torch.autograd.grad(losses.mean(dim=1).sum(), list(self._trained.values()))
        with torch.no_grad():
            # Each member by its own rule: torch's fused kernel goes over the weights once, a rule that broadcasts six times.
            # The kernel takes it that a gradient lies in memory as its weight does, which a stacked convolution's does not.
            dense = {name: value.contiguous() for name, value in zip(self._trained, gradients, strict=True)}
            for member, rule in enumerate(self.rules):
                own = {name: value[member] for name, value in self._trained.items()}
                found = {name: value[member] for name, value in dense.items()}
                rule.update(own, found, float(self.lr[member]) * lr_scale)
            self.steps += 1
            if self.average_decay:
                share = 1.0 - min(self.average_decay, (1 + self.steps) / (10 + self.steps))  # as a single model's
                torch._foreach_lerp_(list(self.averages.values()), list(self._trained.values()), share)
            return _report(scores, batch.targets, None if self.label_smoothing else losses)

    def _weights(self) -> Tensors:
        """The weights that ``score`` uses."""
        return self.averages or self._trained

    @torch.inference_mode()
    def score(self, batch: Batch) -> StepReport:
        return _report(self._scores(self._weights(), batch.inputs), batch.targets, None)

    def probabilities(self, inputs: Array) -> Any:
        return np.stack([self._alone(member).probabilities(inputs) for member in range(self.members)])

    def relu_maxima(self, inputs: Array) -> dict[str, Any]:
        found = [self._alone(member).relu_maxima(inputs) for member in range(self.members)]
        return {layer: np.stack([each[layer] for each in found]) for layer in found[0]}

    def _alone(self, member: int) -> AutogradLearner:
        self._single.adopt(self.parameters(member))
        return self._single

    def fetch(self, reports: Sequence[StepReport]) -> tuple[Any, Any]:
        return of_steps(reports, lambda values: torch.stack(values).double().cpu().numpy())

    def finite(self) -> Any:
        ruled = [all_finite(rule.state()) for rule in self.rules]
        return finite_members([self._trained, self.averages], self.members) & np.array(ruled)

    def parameters(self, member: int = 0) -> dict[str, Any]:
        check_member(member, self.members)
        return {name: np.array(value[member].detach().cpu().numpy()) for name, value in self._weights().items()}

    @torch.no_grad()
    def adopt(self, parameters: dict[str, Any]) -> None:
        check_fit(parameters, {name: tuple(value.shape[1:]) for name, value in self._trained.items()})
        for target in (self._trained, self.averages):
            for name, value in target.items():
                value.copy_(torch.from_numpy(np.array(parameters[name])))

    def keep(self, mask: Sequence[bool]) -> None:
        kept = kept_members(mask, self.members)
        self._trained = {name: value.detach()[kept].requires_grad_() for name, value in self._trained.items()}
        self.averages = {name: value[kept] for name, value in self.averages.items()}
        self.rules = [self.rules[member] for member in kept]
        self.lr, self.members = self.lr[kept], len(kept)

    def state(self) -> dict[str, Any]:
        trained = {name: value.detach() for name, value in self._trained.items()}
        rules = [rule.state() for rule in self.rules]
        return {"parameters": trained, "averages": self.averages, "steps": self.steps, "rules": rules}

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        for target, values in ((self._trained, state["parameters"]), (self.averages, state["averages"])):
            for name, value in target.items():
                if values[name].shape != value.shape:
                    raise ValueError(f"{name} is {tuple(values[name].shape)}, should be {tuple(value.shape)}")
                value.copy_(values[name])
        self.steps = int(state["steps"])
        for rule, remembered in zip(self.rules, state["rules"], strict=True):
            rule.restore(_copied(remembered, self.device))


def _copied(value: Any, device: torch.device) -> Any:
    """``value`` with its tensors copied to ``device``."""
    if isinstance(value, dict):
        return {key: _copied(item, device) for key, item in value.items()}
    return value.to(device, copy=True) if isinstance(value, torch.Tensor) else value


def _losses(scores: torch.Tensor, targets: torch.Tensor, smoothing: float) -> Float[torch.Tensor, "members rows"]:
    """Each row's cross-entropy; ``targets``: class indices or probabilities, shared or with the members' axis."""
    wanted = scores.shape if targets.is_floating_point() else scores.shape[:2]
    rows = functional.cross_entropy(
        scores.flatten(0, 1), targets.expand(wanted).flatten(0, 1), reduction="none", label_smoothing=smoothing
    )
    return rows.view(scores.shape[:2])


def _report(scores: torch.Tensor, targets: torch.Tensor, losses: torch.Tensor | None) -> StepReport:
    """Plain cross-entropy (without label smoothing) summed, and hits; a mixture counts the share of the guessed class."""
    losses = _losses(scores, targets, 0.0) if losses is None else losses.detach()
    guess = scores.argmax(dim=2)
    mixed = targets.is_floating_point()
    hits = targets.expand(scores.shape).gather(2, guess[..., None])[..., 0] if mixed else guess == targets
    return StepReport(losses.sum(dim=1), hits.sum(dim=1), scores.shape[1])


def _why_not(learners: Sequence[AutogradLearner]) -> str:
    """Why ``learners`` cannot be one stack; empty where they can."""
    if not learners:
        return "there are none"
    first = learners[0]
    if reason := can_stack(first.network):
        return reason
    for learner in learners:
        if learner.precision != "float32":
            return f"one trains in {learner.precision}"
        if learner._coarser is not None:
            return "they report coarser classes than they train on"
        if learner.steps or any(learner.rule.state().values()):
            return "one has taken steps already"
        if repr(learner.network) != repr(first.network):
            return "their modules are not of one kind and size"
        if any(
            getattr(learner, name) != getattr(first, name) for name in ("device", "label_smoothing", "average_decay")
        ):
            return "they differ in device, label smoothing or weight averaging"
        if not torch.equal(learner.shift, first.shift) or not torch.equal(learner.scale, first.scale):
            return "they differ in scaling"
    return ""
