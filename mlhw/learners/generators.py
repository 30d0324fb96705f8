"""torch's global random generators, which layers and dropout draw from, kept apart for each learner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class GlobalGenerators:
    """torch's global generators, borrowed: inside they go on from this learner's own states, outside they are as found."""

    def __init__(self, device: torch.device, seed: int) -> None:
        self.device = device
        self.states = [torch.Generator().manual_seed(seed).get_state()]
        if device.type != "cpu":
            self.states.append(torch.Generator(device).manual_seed(seed).get_state())

    def _get(self) -> list[torch.Tensor]:
        states = [torch.get_rng_state()]
        if self.device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self.device))
        elif self.device.type == "mps":
            states.append(torch.mps.get_rng_state())
        return states

    def _set(self, states: list[torch.Tensor]) -> None:
        torch.set_rng_state(states[0])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(states[1], self.device)
        elif self.device.type == "mps":
            torch.mps.set_rng_state(states[1])

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        found = self._get()
        self._set(self.states)
        try:
            yield
        finally:
            self.states = self._get()
            self._set(found)
