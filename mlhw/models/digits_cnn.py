"""A small convolutional network for 8×8 digits."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


def build(
    *, input_shape: Sequence[int], classes: int, channels: Sequence[int] = (16, 32), dropout: float = 0.0
) -> nn.Module:
    """Conv3×3-ReLU-Conv3×3-ReLU-MaxPool2-Linear, for inputs (rows, channels, height, width).

    Padding 1 keeps the size through both convolutions, so an 8×8 image with 32 channels flattens to 4·4·32 = 512.
    """
    height, width, depth = input_shape
    if min(height, width) < 2:
        raise ValueError("pooling by 2 needs at least 2×2 pixels")
    first, second = channels
    return nn.Sequential(
        nn.Conv2d(depth, first, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(first, second, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout) if dropout else nn.Identity(),
        nn.Linear(second * (height // 2) * (width // 2), classes),
    )
