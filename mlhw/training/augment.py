"""Random changes to whole batches of images in tensors: no loop over images.

Images are (rows, height, width, channels), in the values they are stored in (0 to 255 for photos), and stay so. The
random numbers come from numpy's generator, which the loop addresses by epoch, on every device the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from mlhw.arrays import Batch

Step = Callable[[torch.Tensor, np.random.Generator], torch.Tensor]

_GREY = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601


def build(
    *,
    classes: int,
    flip: bool = False,
    shift_fraction: float = 0.0,
    rotate_degrees: float = 0.0,
    scale_fraction: float = 0.0,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
    erase_fraction: float = 0.0,
    mixup_alpha: float = 0.0,
) -> Callable[[Batch, np.random.Generator, float], Batch]:
    """A function from a batch, a generator and progress to the changed batch; what is left at 0 costs nothing."""
    steps: list[Step] = []
    if shift_fraction or rotate_degrees or scale_fraction or flip:
        steps.append(lambda images, rng: affine(images, rng, flip, shift_fraction, rotate_degrees, scale_fraction))
    if brightness or contrast or saturation:
        steps.append(lambda images, rng: colour(images, rng, brightness, contrast, saturation))
    if erase_fraction:
        steps.append(lambda images, rng: erase(images, rng, erase_fraction))

    def augment(batch: Batch, rng: np.random.Generator, progress: float) -> Batch:
        images, targets = batch.inputs.float(), batch.targets
        for step in steps:
            images = step(images, rng)
        if mixup_alpha:
            images, targets = mixup(images, targets, rng, mixup_alpha, classes)
        return Batch(images, targets, batch.rows)

    return augment


def affine(
    images: torch.Tensor, rng: np.random.Generator, flip: bool, shift: float, degrees: float, scale: float
) -> torch.Tensor:
    """Each image turned, scaled, shifted and perhaps mirrored by one bilinear resampling; the border is repeated."""
    rows, height, width, _ = images.shape
    angle = rng.uniform(-1, 1, rows) * math.radians(degrees)
    size = np.exp(rng.uniform(-1, 1, rows) * math.log1p(scale))
    mirror = np.where(rng.random(rows) < 0.5, -1.0, 1.0) if flip else np.ones(rows)
    offsets = rng.uniform(-2, 2, (rows, 2)) * shift  # a side is 2 long in the grid's coordinates
    cosine, sine = np.cos(angle) / size, np.sin(angle) / size
    aspect = height / width
    matrix = np.empty((rows, 2, 3), np.float32)
    matrix[:, 0] = np.stack([cosine * mirror, -sine * aspect * mirror, offsets[:, 0]], axis=1)
    matrix[:, 1] = np.stack([sine / aspect, cosine, offsets[:, 1]], axis=1)
    planes = images.permute(0, 3, 1, 2)
    theta = torch.from_numpy(matrix).to(images.device)
    grid = functional.affine_grid(theta, list(planes.shape), align_corners=False)
    moved = functional.grid_sample(planes, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return moved.permute(0, 2, 3, 1)


def colour(
    images: torch.Tensor, rng: np.random.Generator, brightness: float, contrast: float, saturation: float
) -> torch.Tensor:
    """Brightness, contrast about the image's mean and saturation about its grey, each scaled by its own factor an image."""
    rows, channels = images.shape[0], images.shape[3]

    def factors(largest: float) -> torch.Tensor:
        numbers = torch.from_numpy(rng.uniform(1 - largest, 1 + largest, rows).astype(np.float32))
        return numbers.to(images.device).view(rows, 1, 1, 1)

    if saturation and channels == 3:
        grey = (images * images.new_tensor(_GREY)).sum(dim=3, keepdim=True)
        images = torch.lerp(grey, images, factors(saturation))
    if contrast:
        images = torch.lerp(images.mean(dim=(1, 2, 3), keepdim=True), images, factors(contrast))
    if brightness:
        images = images * factors(brightness)
    return images


def erase(images: torch.Tensor, rng: np.random.Generator, largest: float) -> torch.Tensor:
    """A square of up to ``largest`` of the area, set to the batch's mean, in every image (Zhong et al., AAAI 2020)."""
    rows, height, width, _ = images.shape
    half = np.sqrt(rng.uniform(0, largest, rows)) / 2
    centre = rng.random((rows, 2))

    def covered(length: int, middle: np.ndarray) -> torch.Tensor:
        positions = (np.arange(length) + 0.5) / length
        return torch.from_numpy(np.abs(positions[None] - middle[:, None]) < half[:, None]).to(images.device)

    blank = covered(height, centre[:, 0])[:, :, None, None] & covered(width, centre[:, 1])[:, None, :, None]
    return torch.where(blank, images.mean(), images)


def mixup(
    images: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator, alpha: float, classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each image blended with another of the batch by a share from Beta(α, α), targets alike (Zhang et al., ICLR 2018)."""
    share = float(rng.beta(alpha, alpha))
    partner = torch.from_numpy(rng.permutation(len(targets))).to(targets.device)
    probabilities = functional.one_hot(targets, classes).to(images.dtype)
    mixed = torch.lerp(images[partner], images, share)
    return mixed, torch.lerp(probabilities[partner], probabilities, share)
