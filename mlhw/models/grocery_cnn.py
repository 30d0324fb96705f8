"""Convolutional networks for photos of groceries, within a budget of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def build_blocks(
    *, input_shape: Sequence[int], classes: int, channels: Sequence[int] = (21, 42, 84), dropout: float = 0.5
) -> nn.Module:
    """The course's network: three blocks Conv3×3-BatchNorm-ReLU-MaxPool4, dropout, one linear layer.

    Raises:
        ValueError: the images are smaller than 64×64.
    """
    height, width, depth = input_shape
    if min(height, width) < 64:
        raise ValueError("three poolings by 4 need at least 64×64 pixels")
    layers: list[nn.Module] = []
    for n_in, n_out in zip([depth, *channels], channels, strict=False):
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU(), nn.MaxPool2d(4)]
    layers += [nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels[-1] * (height // 64) * (width // 64), classes)]
    return nn.Sequential(*layers)


class SqueezeExcitation(nn.Module):
    """Channels weighed by what the whole picture shows of them (Hu et al., CVPR 2018), through a bottleneck of 1/4."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(4, channels // 4)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(squeezed, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs * self.gate(inputs)


class InvertedResidual(nn.Module):
    """Widen by ``expansion``, filter each channel alone, narrow again (Sandler et al., CVPR 2018, fig. 3)."""

    def __init__(self, n_in: int, n_out: int, expansion: int, stride: int, squeeze_excitation: bool) -> None:
        super().__init__()
        wide = n_in * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += _conv(n_in, wide, 1)
        layers += _conv(wide, wide, 3, stride=stride, groups=wide)
        if squeeze_excitation:
            layers.append(SqueezeExcitation(wide))
        layers += _conv(wide, n_out, 1)[:-1]  # the narrow end stays linear
        self.path = nn.Sequential(*layers)
        self.residual = stride == 1 and n_in == n_out

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.path(inputs)
        return inputs + out if self.residual else out


def build(
    *,
    input_shape: Sequence[int],
    classes: int,
    stem_channels: int | Sequence[int] = 16,
    stages: Sequence[Sequence[int]] = ((16, 1, 1, 1), (24, 2, 3, 2), (32, 2, 3, 2), (48, 2, 3, 2)),
    squeeze_excitation: bool = True,
    head_channels: int = 0,
    dropout: float = 0.1,
) -> nn.Module:
    """A strided stem, ``stages`` of inverted residuals as (channels, blocks, expansion, stride), pooling, a linear layer.

    Several ``stem_channels`` are as many 3×3 convolutions of stride 2: what follows then works on fewer pixels.
    ``head_channels`` puts one 1×1 convolution before the pooling; 0 leaves it out.
    """
    layers: list[nn.Module] = []
    width = input_shape[-1]
    for channels in [stem_channels] if isinstance(stem_channels, int) else stem_channels:
        layers += _conv(width, channels, 3, stride=2)
        width = channels
    for channels, blocks, expansion, stride in stages:
        for block in range(blocks):
            layers.append(InvertedResidual(width, channels, expansion, stride if block == 0 else 1, squeeze_excitation))
            width = channels
    if head_channels:
        layers += _conv(width, head_channels, 1)
        width = head_channels
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(width, classes)]
    return nn.Sequential(*layers)


def _conv(n_in: int, n_out: int, kernel: int, **options: Any) -> list[nn.Module]:
    convolution = nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=False, **options)
    return [convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
