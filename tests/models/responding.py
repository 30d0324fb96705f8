"""Small networks to look into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """``conv``, and then what ``after`` makes of its output."""

    def __init__(self, after: Callable[[Any, torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.after = after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self, self.conv(x), x)


def _residual(block: Any, out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    out = block.norm(out)
    out += x
    return functional.relu(out, inplace=True)


AFTER: dict[str, Callable[[Any, torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "nothing": lambda block, out, x: out,
    "norm": lambda block, out, x: block.norm(out),
    "relu": lambda block, out, x: functional.relu(out),
    "relu in place": lambda block, out, x: functional.relu_(out),
    "norm and relu in place": lambda block, out, x: functional.relu_(block.norm(out)),
    "norm and hard swish": lambda block, out, x: functional.hardswish(block.norm(out)),
    "residual": _residual,
    "concatenation": lambda block, out, x: torch.cat([x, functional.relu_(out)], dim=1),
    "silu": lambda block, out, x: functional.silu(out, inplace=True),
}


class Doubled(nn.Module):
    """Overwrites what it is given by its double."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mul_(2)


TAILS: dict[str, Callable[[int], nn.Module]] = {
    "average and linear": lambda channels: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5)),
    "flat": lambda channels: nn.Sequential(
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(channels * 9, 7), nn.ReLU(inplace=True), nn.Linear(7, 5)
    ),
    "another convolution": lambda channels: nn.Sequential(
        nn.Conv2d(channels, 5, 3), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ),
    "overwritten": lambda channels: nn.Sequential(
        Doubled(), nn.ReLU(inplace=True), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(channels * 9, 5)
    ),
}


def made(after: str = "relu in place", tail: str = "average and linear") -> nn.Sequential:
    """A stem, a block whose activations are known, and a tail: in float64 and evaluation mode, without gradients."""
    torch.manual_seed(3)
    channels = 8 if after == "concatenation" else 4
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(inplace=True), Block(AFTER[after]), TAILS[tail](channels)
    )
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()  # type: ignore[union-attr]
    return network.double().eval().requires_grad_(False)


def batch(rows: int = 2, side: int = 12) -> torch.Tensor:
    return torch.randn(rows, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
