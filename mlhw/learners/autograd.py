"""Trains any ``nn.Module`` through autograd."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mlhw.arrays import Array, Batch, Scaling, Split
from mlhw.learners.coarser import CoarserScores
from mlhw.learners.finite import all_finite
from mlhw.learners.generators import GlobalGenerators
from mlhw.learners.members import check_member, kept_members
from mlhw.learners.norms import take_statistics
from mlhw.learners.parameters import check_fit
from mlhw.learners.reports import of_steps
from mlhw.numerics.optimisers import UpdateRule
from mlhw.protocols import StepReport

STATISTICS_ROWS = 256  # at once: enough for a layer's statistics, and few enough activations


class AutogradLearner:
    """A module, its update rule, and an averaged copy of it (weights and buffers) where asked for.

    Images come as stored, (rows, height, width, channels), and are scaled a batch at a time: a photo set as float32
    would take four times the memory. To the network they go as (rows, channels, height, width), channels last in memory.

    With ``precision`` bfloat16 the forward and backward of a step are autocast to it; weights, averages, loss and scores
    stay float32.

    With ``statistics_rows``, some of what it trains on, the statistics of batch normalisation that scores use are those of
    these rows as they are scored; without, they are the running averages of the steps.

    Where ``coarser`` (classes,) gives each class a coarser one, the steps train on the finer targets; ``score`` takes the
    coarser ones, and hits and probabilities are of those, each the sum of its finer classes' probabilities.
    """

    members = 1

    def __init__(
        self,
        build: Callable[[], nn.Module],
        make_rule: Callable[[nn.Module], UpdateRule],
        *,
        lr: float,
        scaling: Scaling,
        seed: int,
        device: str = "cpu",
        precision: str = "float32",
        label_smoothing: float = 0.0,
        average_decay: float | None = None,
        statistics_rows: Array | None = None,
        coarser: np.ndarray | None = None,
    ) -> None:
        self.device, self.lr, self.precision = torch.device(device), lr, precision
        self.label_smoothing, self.average_decay, self.steps = label_smoothing, average_decay, 0
        self._coarser = None if coarser is None else CoarserScores(torch.from_numpy(coarser).to(self.device))
        self._random = GlobalGenerators(self.device, seed)
        with self._random.borrowed():  # layer constructors can draw from torch's global generators alone
            network = build()
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self.rule = make_rule(self.network)
        self._trained = dict(self.network.named_parameters())
        self.averaged = copy.deepcopy(self.network).eval() if average_decay else None
        self._statistics_rows, self._settled = self._batches(statistics_rows), True
        self.shift, self.scale = (
            torch.tensor(numbers, dtype=torch.float32, device=self.device) for numbers in (scaling.shift, scaling.scale)
        )

    def place(self, split: Split) -> Split:
        inputs, targets = (torch.from_numpy(values).to(self.device) for values in (split.inputs, split.targets))
        return replace(split, inputs=inputs, targets=targets)

    def _prepare(self, inputs: torch.Tensor) -> torch.Tensor:
        scaled = inputs.float().sub(self.shift).mul_(self.scale)
        return scaled.permute(0, 3, 1, 2) if scaled.ndim == 4 else scaled

    def step(self, batch: Batch, lr_scale: float) -> StepReport:
        self.network.train()
        self._settled = not self._statistics_rows
        with self._random.borrowed(), self._arithmetic():
            scores = self.network(self._prepare(batch.inputs)).float()
        loss = functional.cross_entropy(scores, batch.targets, label_smoothing=self.label_smoothing)
        gradients = torch.autograd.grad(loss, list(self._trained.values()))
        self.rule.update(self._trained, dict(zip(self._trained, gradients, strict=True)), self.lr * lr_scale)
        if self.average_decay:
            self._average(self.average_decay)
        with torch.no_grad():
            report = _report(scores, batch.targets, loss if not self.label_smoothing else None)
            if self._coarser is not None:
                report.correct = _report(self._coarser(scores), self._coarser.targets(batch.targets), loss).correct
            return report

    def _arithmetic(self) -> AbstractContextManager[Any]:
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        assert self.averaged is not None
        self.steps += 1
        share = 1.0 - min(decay, (1 + self.steps) / (10 + self.steps))  # young averages must not remember the start
        trained, averages = self.network.state_dict(), self.averaged.state_dict()
        floating = [name for name, value in averages.items() if value.is_floating_point()]
        torch._foreach_lerp_([averages[name] for name in floating], [trained[name] for name in floating], share)

    def _batches(self, rows: Array | None) -> Sequence[torch.Tensor]:
        """``rows`` where they are computed on, in even parts of ``STATISTICS_ROWS`` at most."""
        if rows is None:
            return []
        return torch.as_tensor(rows).to(self.device).tensor_split(math.ceil(len(rows) / STATISTICS_ROWS))

    def _scorer(self) -> nn.Module:
        scorer = self.averaged if self.averaged is not None else self.network.eval()
        if not self._settled:
            take_statistics(scorer, map(self._prepare, self._statistics_rows))
            self._settled = True
        return scorer

    def _scores(self, inputs: Array) -> torch.Tensor:
        scores: torch.Tensor = self._scorer()(self._prepare(inputs))
        return scores if self._coarser is None else self._coarser(scores)

    @torch.inference_mode()
    def score(self, batch: Batch) -> StepReport:
        return _report(self._scores(batch.inputs), batch.targets, None)

    @torch.inference_mode()
    def probabilities(self, inputs: Array) -> Any:
        return self._scores(inputs).softmax(dim=1).cpu().numpy()

    @torch.inference_mode()
    def relu_maxima(self, inputs: Array) -> dict[str, Any]:
        scorer = self._scorer()
        seen: list[tuple[str, torch.Tensor]] = []

        def watch(name: str) -> Callable[..., None]:
            return lambda module, given, out: seen.append((name, out.amax(dim=[0, *range(2, out.ndim)])))

        relus = [(name, module) for name, module in scorer.named_modules() if isinstance(module, nn.ReLU)]
        hooks = [module.register_forward_hook(watch(f"layer {name}")) for name, module in relus]
        try:
            scorer(self._prepare(inputs))
        finally:
            for hook in hooks:
                hook.remove()
        found: dict[str, Any] = {}
        for name, largest in seen:
            while name in found:  # one module may serve in several places, where its units are others
                name += " again"
            found[name] = largest.cpu().numpy()
        return found

    def fetch(self, reports: Sequence[StepReport]) -> tuple[Any, Any]:
        return of_steps(reports, lambda values: torch.stack(values).double().cpu().numpy()[:, None])

    def finite(self) -> Any:
        networks = [network for network in (self.network, self.averaged) if network is not None]
        kept: list[Any] = [[*network.parameters(), *network.buffers()] for network in networks] + [self.rule.state()]
        return np.array([all_finite(kept)])

    def parameters(self, member: int = 0) -> dict[str, Any]:
        check_member(member, self.members)
        kept = self._scorer().state_dict()
        return {name: value.detach().cpu().numpy().copy() for name, value in kept.items()}

    def adopt(self, parameters: dict[str, Any]) -> None:
        check_fit(parameters, {name: tuple(value.shape) for name, value in self.network.state_dict().items()})
        tensors = {name: torch.from_numpy(np.array(value)) for name, value in parameters.items()}
        self.network.load_state_dict(tensors)
        if self.averaged is not None:
            self.averaged.load_state_dict(tensors)
        self._settled = True

    def keep(self, mask: Sequence[bool]) -> None:
        kept_members(mask, self.members)

    def state(self) -> dict[str, Any]:
        self._scorer()  # statistics that are due are taken before, and not after, so that none are due to who goes on
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged is not None else {},
            "steps": self.steps,
            "rule": self.rule.state(),
            "random": self._random.states,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])
        self.steps, self._settled = int(state["steps"]), True
        self.rule.restore(_on(state["rule"], self.device))
        # Fewer states than this device has generators: the run was on the CPU before, and its own seed serves.
        self._random.states = [*state["random"], *self._random.states[len(state["random"]) :]][
            : len(self._random.states)
        ]


def _on(value: Any, device: torch.device) -> Any:
    if isinstance(value, dict):
        return {key: _on(item, device) for key, item in value.items()}
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _report(scores: torch.Tensor, targets: torch.Tensor, mean_loss: torch.Tensor | None) -> StepReport:
    """Plain cross-entropy (without label smoothing) summed, and hits; a mixture counts the share of the guessed class."""
    count = len(targets)
    loss = (
        functional.cross_entropy(scores, targets, reduction="sum") if mean_loss is None else mean_loss.detach() * count
    )
    guess = scores.argmax(dim=1)
    hits = guess == targets if targets.ndim == 1 else targets.gather(1, guess[:, None])
    return StepReport(loss, hits.sum(), count)
