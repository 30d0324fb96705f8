"""The two torch networks of the Fashion-MNIST course: one of linear layers, one of convolutions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn


def build_ann(
    *, input_shape: Sequence[int], classes: int, hidden_sizes: Sequence[int] = (128,), dropout: float = 0.0
) -> nn.Module:
    """Flatten, then linear layers with ReLU (and dropout) between them."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = int(np.prod(input_shape))
    for units in hidden_sizes:
        layers += [nn.Linear(width, units), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        width = units
    return nn.Sequential(*layers, nn.Linear(width, classes))


def build_cnn(
    *,
    input_shape: Sequence[int],
    classes: int,
    channels: Sequence[int] = (32, 64, 128, 256),
    hidden_units: int = 128,
    dropout: float = 0.3,
) -> nn.Module:
    """Blocks Conv3×3(padding 1)-ReLU-MaxPool2-BatchNorm-Dropout, one for each of ``channels``; then Linear-ReLU-Linear.

    Raises:
        ValueError: halving the images once a block leaves no pixel.
    """
    height, width, depth = input_shape
    halvings = 2 ** len(channels)
    if min(height, width) < halvings:
        raise ValueError(f"{len(channels)} poolings by 2 need at least {halvings}×{halvings} pixels")
    layers: list[nn.Module] = []
    for n_in, n_out in zip([depth, *channels], channels, strict=False):
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(n_out)]
        layers.append(nn.Dropout(dropout))
    flat = channels[-1] * (height // halvings) * (width // halvings)
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(flat, hidden_units), nn.ReLU(), nn.Linear(hidden_units, classes)
    )
