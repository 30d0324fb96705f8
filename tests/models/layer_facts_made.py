"""Networks whose layers are told of, each with the shape of its images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from mlhw.config.load import load
from mlhw.models import digits_cnn, fashion, grocery_cnn
from mlhw.models.layer_facts import LayerFacts

Made = tuple[nn.Module, tuple[int, ...]]


def of_digits() -> Made:
    return digits_cnn.build(input_shape=(8, 8, 1), classes=10), (8, 8, 1)


def of_blocks() -> Made:
    return grocery_cnn.build_blocks(input_shape=(64, 128, 3), classes=43), (64, 128, 3)


def of_groceries(**how: Any) -> Made:
    arguments = load("grocery-cnn").model.model_dump(exclude={"kind"}) | how
    return grocery_cnn.build(input_shape=(96, 96, 3), classes=43, **arguments), (96, 96, 3)


def of_plain_groceries() -> Made:
    return of_groceries(squeeze_excitation=False, head_channels=70)


def of_fashion() -> Made:
    return fashion.build_cnn(input_shape=(28, 28, 1), classes=10), (28, 28, 1)


def of_ann() -> Made:
    return fashion.build_ann(input_shape=(28, 28, 1), classes=10), (28, 28, 1)


NETWORKS: list[Callable[[], Made]] = [of_digits, of_blocks, of_groceries, of_plain_groceries, of_fashion, of_ann]


def total(layers: Sequence[LayerFacts], what: str) -> int:
    return sum(getattr(layer, what) for layer in layers)


def image(shape: Sequence[int]) -> torch.Tensor:
    height, width, channels = shape
    return torch.rand(1, channels, height, width, dtype=torch.float64) + 0.5
