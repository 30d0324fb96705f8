"""Images of a batch mixed with one another in place, and their targets alike. Planes (rows, channels, height, width)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional


def mixup(
    planes: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator, alpha: float, classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each image blended with another of the batch by a share from Beta(α, α), targets alike (Zhang et al., ICLR 2018)."""
    share = float(rng.beta(alpha, alpha))
    partner = torch.from_numpy(rng.permutation(len(targets))).to(targets.device)
    return planes.lerp_(planes[partner], 1 - share), _blended(targets, partner, share, classes)


def cutmix(
    planes: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator, alpha: float, classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """A rectangle of each image replaced by another's of the batch, targets by its area (Yun et al., ICCV 2019).

    One rectangle serves the batch: of the images' own shape, a share of the area from Beta(α, α), cut at the rim.
    """
    height, width = planes.shape[2:]
    half = math.sqrt(float(rng.beta(alpha, alpha))) / 2
    (top, bottom), (left, right) = (
        (round(length * max(0.0, middle - half)), round(length * min(1.0, middle + half)))
        for length, middle in zip((height, width), rng.random(2), strict=True)
    )
    partner = torch.from_numpy(rng.permutation(len(targets))).to(targets.device)
    cut = planes[:, :, top:bottom, left:right]
    cut.copy_(cut[partner])
    share = 1 - (bottom - top) * (right - left) / (height * width)
    return planes, _blended(targets, partner, share, classes)


def _blended(targets: torch.Tensor, partner: torch.Tensor, share: float, classes: int) -> torch.Tensor:
    """One-hot probabilities (rows, classes): ``share`` of each row's own class, the rest of its partner's."""
    probabilities = functional.one_hot(targets, classes).float()
    return torch.lerp(probabilities[partner], probabilities, share)
