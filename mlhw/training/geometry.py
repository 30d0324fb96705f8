"""Images of a batch resampled: turned, cropped, mirrored, made smaller. Planes (rows, channels, height, width)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional


def grown(start: int, side: int, progress: float) -> int:
    """The side at ``progress``: from ``start`` in a line to ``side`` at two thirds of the training, in steps of 8."""
    return min(side, start + round((side - start) * min(1.0, 1.5 * progress) / 8) * 8)


def resize(planes: torch.Tensor, height: int) -> torch.Tensor:
    """The images at ``height`` and a width in proportion, each pixel the mean of what it covers; as they are at their own."""
    if height == planes.shape[2]:
        return planes
    return functional.interpolate(planes, _in_proportion(planes, height), mode="bilinear", antialias=True)


def _in_proportion(planes: torch.Tensor, height: int) -> tuple[int, int]:
    return height, max(1, round(planes.shape[3] * height / planes.shape[2]))


def affine(
    planes: torch.Tensor,
    rng: np.random.Generator,
    flip: bool,
    shift: float,
    degrees: float,
    scale: float,
    crop: float = 0.0,
    aspect: float = 0.0,
    side: int | None = None,
) -> torch.Tensor:
    """Each image turned, scaled, shifted and perhaps mirrored by one bilinear resampling; the border is repeated.

    ``crop`` is the largest part of the area that is cut away, ``aspect`` how much wider than high it may become or the
    reverse: both as in Szegedy et al., CVPR 2015, section 6. What comes back is ``side`` high and wide in proportion:
    a crop of a larger image keeps details that the image at that size had lost.
    """
    rows, _, height, width = planes.shape
    angle = rng.uniform(-1, 1, rows) * math.radians(degrees)
    size = np.exp(rng.uniform(-1, 1, rows) * math.log1p(scale))
    mirror = np.where(rng.random(rows) < 0.5, -1.0, 1.0) if flip else np.ones(rows)
    offsets = rng.uniform(-2, 2, (rows, 2)) * shift  # a side is 2 long in the grid's coordinates
    if crop:
        length = np.sqrt(rng.uniform(1 - crop, 1, rows))
        size = size / length
        offsets = offsets + rng.uniform(-1, 1, (rows, 2)) * (1 - length)[:, None]
    cosine, sine = np.cos(angle) / size, np.sin(angle) / size
    oblong = height / width
    matrix = np.empty((rows, 2, 3), np.float32)
    matrix[:, 0] = np.stack([cosine * mirror, -sine * oblong * mirror, offsets[:, 0]], axis=1)
    matrix[:, 1] = np.stack([sine / oblong, cosine, offsets[:, 1]], axis=1)
    if aspect:
        stretch = np.exp(rng.uniform(-0.5, 0.5, rows) * math.log1p(aspect))
        matrix[:, 0, :2] *= stretch[:, None]
        matrix[:, 1, :2] /= stretch[:, None]
    theta = torch.from_numpy(matrix).to(planes.device)
    grid = _grid(theta, *_in_proportion(planes, side or height))
    return functional.grid_sample(planes, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _grid(theta: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """``functional.affine_grid`` of pixel centres, (rows, height, width, 2), in half the time: its matrix is all but empty."""
    y, x = (
        ((torch.arange(length, device=theta.device) * 2 + 1) / length - 1).to(theta.dtype) for length in (height, width)
    )
    across, down, offset = (part[:, None, None] for part in theta.unbind(dim=2))
    return torch.addcmul(torch.addcmul(offset, y[:, None, None], down), x[:, None], across)
