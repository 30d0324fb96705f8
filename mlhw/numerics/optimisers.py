"""Update rules as arithmetic on named arrays: numpy arrays and torch tensors alike, in place.

They use operators only. Rates and decays are numbers, or arrays (members,): one a member of a stack, whose parameters have a
leading axis of members.
"""

from __future__ import annotations

from typing import Any, Protocol

Arrays = dict[str, Any]


class UpdateRule(Protocol):
    """How gradients change parameters."""

    def update(self, parameters: Arrays, gradients: Arrays, lr: Any) -> None:
        """Change ``parameters`` in place; ``gradients`` may be used as scratch space. ``lr``: a number, or (members,)."""

    def state(self) -> dict[str, Any]:
        """What the rule remembers between steps (not a copy)."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` returned."""


def _along(numbers: Any, parameter: Any) -> Any:
    """A number as it is; one a member, (members,), in the shape that goes along the first axis of ``parameter``."""
    if getattr(numbers, "ndim", 0) != 1:
        return numbers
    return numbers.reshape(-1, *[1] * (parameter.ndim - 1))


class Sgd:
    """w ← w - lr (g + λw), with heavy-ball momentum μ where it is not 0: v ← μv + g, w ← w - lr v.

    Nesterov's variant steps along g + μv (Sutskever et al., 2013, as torch.optim.SGD writes it).
    """

    def __init__(self, momentum: float = 0.0, nesterov: bool = False, decay: dict[str, Any] | None = None) -> None:
        self.momentum, self.nesterov, self.decay = momentum, nesterov, decay or {}
        self.velocity: Arrays = {}

    def update(self, parameters: Arrays, gradients: Arrays, lr: Any) -> None:
        for name, gradient in gradients.items():
            if name in self.decay:
                gradient += _along(self.decay[name], gradient) * parameters[name]
            if self.momentum:
                velocity = self.velocity.get(name)
                if velocity is None:
                    velocity = self.velocity[name] = gradient * 1.0
                else:
                    velocity *= self.momentum
                    velocity += gradient
                gradient = gradient + self.momentum * velocity if self.nesterov else velocity * 1.0
            gradient *= _along(lr, gradient)
            parameters[name] -= gradient

    def state(self) -> dict[str, Any]:
        return {"velocity": self.velocity}

    def restore(self, state: dict[str, Any]) -> None:
        self.velocity = dict(state["velocity"])


class Adam:
    """Adam (Kingma & Ba, 2015, algorithm 1); ``decoupled`` takes the decay off the weights instead (AdamW, 2019)."""

    def __init__(
        self,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        decay: dict[str, Any] | None = None,
        decoupled: bool = False,
    ) -> None:
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.decay, self.decoupled = decay or {}, decoupled
        self.steps = 0
        self.first: Arrays = {}
        self.second: Arrays = {}

    def update(self, parameters: Arrays, gradients: Arrays, lr: Any) -> None:
        self.steps += 1
        unbias_first = 1.0 / (1.0 - self.beta1**self.steps)
        unbias_second = 1.0 / (1.0 - self.beta2**self.steps)
        for name, gradient in gradients.items():
            weight, rate = parameters[name], _along(lr, gradient)
            if name in self.decay:
                decay = _along(self.decay[name], gradient)
                if self.decoupled:
                    weight -= (rate * decay) * weight
                else:
                    gradient += decay * weight
            if name not in self.first:
                self.first[name], self.second[name] = gradient * 0.0, gradient * 0.0
            first, second = self.first[name], self.second[name]
            first += (1.0 - self.beta1) * (gradient - first)
            gradient *= gradient
            second += (1.0 - self.beta2) * (gradient - second)
            size = (second * unbias_second) ** 0.5
            size += self.epsilon
            weight -= (rate * unbias_first) * first / size

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps, "first": self.first, "second": self.second}

    def restore(self, state: dict[str, Any]) -> None:
        self.steps = int(state["steps"])
        self.first, self.second = dict(state["first"]), dict(state["second"])
