"""Random changes to whole batches of images in tensors: no loop over images.

Images are (rows, height, width, channels), in the values they are stored in (0 to 255 for photos), and stay so; between
the steps they are planes (rows, channels, height, width), which resampling and products read faster and which a step may
write into. The random numbers come from numpy's generator, which the loop addresses by epoch, on every device the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from mlhw.arrays import Batch
from mlhw.training.colours import colour
from mlhw.training.geometry import affine, grown, resize
from mlhw.training.mixing import cutmix, mixup

Step = Callable[[torch.Tensor, np.random.Generator], torch.Tensor]


def build(
    *,
    classes: int,
    flip: bool = False,
    shift_fraction: float = 0.0,
    rotate_degrees: float = 0.0,
    scale_fraction: float = 0.0,
    crop_fraction: float = 0.0,
    aspect_fraction: float = 0.0,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
    hue_degrees: float = 0.0,
    white_balance: float = 0.0,
    erase_fraction: float = 0.0,
    erase_count: int = 1,
    mixup_alpha: float = 0.0,
    cutmix_alpha: float = 0.0,
    mix_fraction: float = 1.0,
    mix_until_fraction: float = 1.0,
    size_pixels: int | None = None,
    start_size_pixels: int | None = None,
) -> Callable[[Batch, np.random.Generator, float], Batch]:
    """A function from a batch, a generator and progress to the changed batch; what is left at 0 costs nothing."""
    steps: list[Step] = []
    amounts = shift_fraction, rotate_degrees, scale_fraction, crop_fraction, aspect_fraction
    moves = flip or any(amounts)
    colours = brightness, contrast, saturation, hue_degrees, white_balance
    if any(colours):
        steps.append(lambda planes, rng: colour(planes, rng, *colours))
    if erase_fraction:
        steps += [lambda planes, rng: erase(planes, rng, erase_fraction)] * erase_count
    mixers: list[Callable[..., tuple[torch.Tensor, torch.Tensor]]] = []
    if mixup_alpha:
        mixers.append(partial(mixup, alpha=mixup_alpha, classes=classes))
    if cutmix_alpha:
        mixers.append(partial(cutmix, alpha=cutmix_alpha, classes=classes))

    def augment(batch: Batch, rng: np.random.Generator, progress: float) -> Batch:
        targets, stored = batch.targets, batch.inputs.permute(0, 3, 1, 2)
        planes = stored.to(torch.float32, memory_format=torch.contiguous_format, copy=True)
        side = min(size_pixels or planes.shape[2], planes.shape[2])
        if start_size_pixels:
            side = grown(start_size_pixels, side, progress)
        planes = affine(planes, rng, flip, *amounts, side=side) if moves else resize(planes, side)
        for step in steps:
            planes = step(planes, rng)
        # With a fraction of 1 there is nothing to draw, and the stream is that of the batches that are mixed.
        if mixers and progress < mix_until_fraction and (mix_fraction == 1 or rng.random() < mix_fraction):
            mix = mixers[int(rng.integers(len(mixers)))] if len(mixers) > 1 else mixers[0]
            planes, targets = mix(planes, targets, rng)
        return Batch(planes.permute(0, 2, 3, 1), targets, batch.rows)

    return augment


def erase(planes: torch.Tensor, rng: np.random.Generator, largest: float) -> torch.Tensor:
    """A square of up to ``largest`` of the area, set to the batch's mean, in every image (Zhong et al., AAAI 2020)."""
    rows, _, height, width = planes.shape
    half = np.sqrt(rng.uniform(0, largest, rows)) / 2
    centre = rng.random((rows, 2))

    def covered(length: int, middle: np.ndarray) -> torch.Tensor:
        positions = (np.arange(length) + 0.5) / length
        return torch.from_numpy(np.abs(positions[None] - middle[:, None]) < half[:, None]).to(planes.device)

    blank = covered(height, centre[:, 0])[:, None, :, None] & covered(width, centre[:, 1])[:, None, None, :]
    return planes.masked_fill_(blank, planes.mean())
