"""Images of a batch mixed with one another, and their targets alike."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional


def mixup(
    images: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator, alpha: float, classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each image blended with another of the batch by a share from Beta(α, α), targets alike (Zhang et al., ICLR 2018)."""
    share = float(rng.beta(alpha, alpha))
    partner = torch.from_numpy(rng.permutation(len(targets))).to(targets.device)
    return torch.lerp(images[partner], images, share), _blended(targets, partner, share, classes)


def cutmix(
    images: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator, alpha: float, classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """A rectangle of each image replaced by another's of the batch, targets by its area (Yun et al., ICCV 2019).

    One rectangle serves the batch: of the images' own shape, a share of the area from Beta(α, α), cut at the rim.
    """
    height, width = images.shape[1:3]
    half = math.sqrt(float(rng.beta(alpha, alpha))) / 2
    (top, bottom), (left, right) = (
        (round(length * max(0.0, middle - half)), round(length * min(1.0, middle + half)))
        for length, middle in zip((height, width), rng.random(2), strict=True)
    )
    partner = torch.from_numpy(rng.permutation(len(targets))).to(targets.device)
    mixed = images.clone()
    mixed[:, top:bottom, left:right] = images[partner, top:bottom, left:right]
    share = 1 - (bottom - top) * (right - left) / (height * width)
    return mixed, _blended(targets, partner, share, classes)


def _blended(targets: torch.Tensor, partner: torch.Tensor, share: float, classes: int) -> torch.Tensor:
    """One-hot probabilities (rows, classes): ``share`` of each row's own class, the rest of its partner's."""
    probabilities = functional.one_hot(targets, classes).float()
    return torch.lerp(probabilities[partner], probabilities, share)
