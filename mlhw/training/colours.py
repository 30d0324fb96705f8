"""Colours of a batch of images changed. Planes (rows, channels, height, width)."""

from __future__ import annotations

import math

import numpy as np
import torch

_GREY = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601


def colour(
    planes: torch.Tensor,
    rng: np.random.Generator,
    brightness: float,
    contrast: float,
    saturation: float,
    hue_degrees: float = 0.0,
    white_balance: float = 0.0,
) -> torch.Tensor:
    """Saturation about each image's grey, contrast about its mean, brightness, colours turned about the axis of greys, and
    each channel scaled by itself, as another light does (von Kries, 1902).

    All five are linear in a pixel's channels, so that together they are one product with a matrix an image.
    """
    rows, channels, height, width = planes.shape

    def factors(largest: float) -> np.ndarray:
        return rng.uniform(1 - largest, 1 + largest, rows)[:, None, None] if largest else np.ones((rows, 1, 1))

    matrix = np.tile(np.eye(channels), (rows, 1, 1))
    if saturation and channels == 3:
        kept = factors(saturation)
        matrix = kept * matrix + (1 - kept) * np.array(_GREY)
    spread, light = factors(contrast), factors(brightness)
    if hue_degrees and channels == 3:
        matrix = _turns(rng, rows, hue_degrees) @ matrix
    if white_balance:
        matrix = rng.uniform(1 - white_balance, 1 + white_balance, (rows, channels, 1)) * matrix
    pixels = planes.reshape(rows, channels, height * width)
    change = torch.from_numpy((light * spread * matrix).astype(np.float32)).to(planes.device)
    shift = torch.from_numpy((light * (1 - spread)).astype(np.float32)).to(planes.device)
    if contrast:
        plain = torch.from_numpy(matrix.astype(np.float32)).to(planes.device)
        shift = shift * (plain @ pixels.mean(dim=2, keepdim=True)).mean(dim=1, keepdim=True)
    return torch.baddbmm(shift, change, pixels).view(rows, channels, height, width)


def _turns(rng: np.random.Generator, rows: int, degrees: float) -> np.ndarray:
    """Rotations (rows, 3, 3) about (1, 1, 1) by up to ``degrees`` either way (Rodrigues' formula)."""
    angle = (rng.uniform(-1, 1, rows) * math.radians(degrees))[:, None, None]
    across = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])  # the cross product with (1, 1, 1)
    turns: np.ndarray = np.cos(angle) * np.eye(3) + (1 - np.cos(angle)) / 3 + np.sin(angle) / math.sqrt(3) * across
    return turns
