"""torch.optim's fused update rules for modules, without torch.optim's classes.

``torch.optim.Adam(…)`` imports torch's compiler the first time: more than a second and 150 MB for what a run never uses.
The functional forms below are the same kernels, one call for all parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.optim.adam import adam
from torch.optim.sgd import sgd

Tensors = dict[str, torch.Tensor]


class _Fused:
    """What the rules share: a decay by parameter name, and whether there are kernels for the device."""

    def __init__(self, decay: dict[str, float] | None, fused: bool) -> None:
        self.decay, self.fused = decay or {}, fused

    def groups(self, parameters: Tensors) -> Iterator[tuple[float, list[str]]]:
        """Parameter names by their decay: a kernel takes one decay for all that it is given."""
        for decay in sorted({self.decay.get(name, 0.0) for name in parameters}):
            yield decay, [name for name in parameters if self.decay.get(name, 0.0) == decay]


class FusedSgd(_Fused):
    """:class:`mlhw.numerics.optimisers.Sgd` for torch parameters."""

    def __init__(
        self, momentum: float = 0.0, nesterov: bool = False, decay: dict[str, float] | None = None, fused: bool = True
    ) -> None:
        super().__init__(decay, fused)
        self.momentum, self.nesterov = momentum, nesterov
        self.velocity: Tensors = {}

    @torch.no_grad()
    def update(self, parameters: Tensors, gradients: Tensors, lr: float) -> None:
        for decay, names in self.groups(parameters):
            velocity = [self.velocity.get(name) for name in names]
            sgd(
                [parameters[name] for name in names],
                [gradients[name] for name in names],
                velocity,
                fused=self.fused,
                foreach=False,
                weight_decay=decay,
                momentum=self.momentum,
                lr=lr,
                dampening=0.0,
                nesterov=self.nesterov,
                maximize=False,
            )
            self.velocity |= {name: value for name, value in zip(names, velocity, strict=True) if value is not None}

    def state(self) -> dict[str, Any]:
        return {"velocity": self.velocity}

    def restore(self, state: dict[str, Any]) -> None:
        self.velocity = dict(state["velocity"])


class FusedAdam(_Fused):
    """:class:`mlhw.numerics.optimisers.Adam` for torch parameters."""

    def __init__(
        self,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        decay: dict[str, float] | None = None,
        decoupled: bool = False,
        fused: bool = True,
    ) -> None:
        super().__init__(decay, fused)
        self.beta1, self.beta2, self.epsilon, self.decoupled = beta1, beta2, epsilon, decoupled
        self.steps: Tensors = {}
        self.first: Tensors = {}
        self.second: Tensors = {}

    @torch.no_grad()
    def update(self, parameters: Tensors, gradients: Tensors, lr: float) -> None:
        if not self.first:
            self.first = {name: torch.zeros_like(value) for name, value in parameters.items()}
            self.second = {name: torch.zeros_like(value) for name, value in parameters.items()}
            self.steps = {name: torch.zeros((), device=value.device) for name, value in parameters.items()}
        for decay, names in self.groups(parameters):
            adam(
                [parameters[name] for name in names],
                [gradients[name] for name in names],
                [self.first[name] for name in names],
                [self.second[name] for name in names],
                [],
                [self.steps[name] for name in names],
                fused=self.fused,
                foreach=False,
                decoupled_weight_decay=self.decoupled,
                amsgrad=False,
                beta1=self.beta1,
                beta2=self.beta2,
                lr=lr,
                weight_decay=decay,
                eps=self.epsilon,
                maximize=False,
            )

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps, "first": self.first, "second": self.second}

    def restore(self, state: dict[str, Any]) -> None:
        self.steps, self.first, self.second = dict(state["steps"]), dict(state["first"]), dict(state["second"])
