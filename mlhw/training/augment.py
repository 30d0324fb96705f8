"""Random changes to whole batches of images in tensors: no loop over images.

Images are (rows, height, width, channels), in the values they are stored in (0 to 255 for photos), and stay so. The
random numbers come from numpy's generator, which the loop addresses by epoch, on every device the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch.nn import functional

from mlhw.arrays import Batch
from mlhw.training.mixing import cutmix, mixup

Step = Callable[[torch.Tensor, np.random.Generator], torch.Tensor]

_GREY = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601


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
    erase_fraction: float = 0.0,
    erase_count: int = 1,
    mixup_alpha: float = 0.0,
    cutmix_alpha: float = 0.0,
    size_pixels: int | None = None,
    start_size_pixels: int | None = None,
) -> Callable[[Batch, np.random.Generator, float], Batch]:
    """A function from a batch, a generator and progress to the changed batch; what is left at 0 costs nothing."""
    steps: list[Step] = []
    amounts = shift_fraction, rotate_degrees, scale_fraction, crop_fraction, aspect_fraction
    moves = flip or any(amounts)
    if brightness or contrast or saturation or hue_degrees:
        steps.append(lambda images, rng: colour(images, rng, brightness, contrast, saturation, hue_degrees))
    if erase_fraction:
        steps += [lambda images, rng: erase(images, rng, erase_fraction)] * erase_count
    mixers: list[Callable[..., tuple[torch.Tensor, torch.Tensor]]] = []
    if mixup_alpha:
        mixers.append(partial(mixup, alpha=mixup_alpha, classes=classes))
    if cutmix_alpha:
        mixers.append(partial(cutmix, alpha=cutmix_alpha, classes=classes))

    def augment(batch: Batch, rng: np.random.Generator, progress: float) -> Batch:
        images, targets = batch.inputs.float(), batch.targets
        side = min(size_pixels or images.shape[1], images.shape[1])
        if start_size_pixels:
            side = grown(start_size_pixels, side, progress)
        images = affine(images, rng, flip, *amounts, side=side) if moves else resize(images, side)
        for step in steps:
            images = step(images, rng)
        if mixers:
            mix = mixers[int(rng.integers(len(mixers)))] if len(mixers) > 1 else mixers[0]
            images, targets = mix(images, targets, rng)
        return Batch(images, targets, batch.rows)

    return augment


def grown(start: int, side: int, progress: float) -> int:
    """The side at ``progress``: from ``start`` in a line to ``side`` at two thirds of the training, in steps of 8."""
    return min(side, start + round((side - start) * min(1.0, 1.5 * progress) / 8) * 8)


def resize(images: torch.Tensor, height: int) -> torch.Tensor:
    """The images at ``height`` and a width in proportion, each pixel the mean of what it covers; as they are at their own."""
    if height == images.shape[1]:
        return images
    size = _in_proportion(images, height)
    smaller = functional.interpolate(images.permute(0, 3, 1, 2), size, mode="bilinear", antialias=True)
    return smaller.permute(0, 2, 3, 1)


def _in_proportion(images: torch.Tensor, height: int) -> tuple[int, int]:
    return height, max(1, round(images.shape[2] * height / images.shape[1]))


def affine(
    images: torch.Tensor,
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
    rows, height, width, _ = images.shape
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
    theta = torch.from_numpy(matrix).to(images.device)
    planes = images.permute(0, 3, 1, 2).contiguous()  # sampling reads planes faster, the copy included
    moved = functional.grid_sample(
        planes,
        _grid(theta, *_in_proportion(images, side or height)),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return moved.permute(0, 2, 3, 1)


def _grid(theta: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """``functional.affine_grid`` of pixel centres, (rows, height, width, 2), in half the time: its matrix is all but empty."""
    y, x = (
        ((torch.arange(length, device=theta.device) * 2 + 1) / length - 1).to(theta.dtype) for length in (height, width)
    )
    across, down, offset = (part[:, None, None] for part in theta.unbind(dim=2))
    return torch.addcmul(torch.addcmul(offset, y[:, None, None], down), x[:, None], across)


def colour(
    images: torch.Tensor,
    rng: np.random.Generator,
    brightness: float,
    contrast: float,
    saturation: float,
    hue_degrees: float = 0.0,
) -> torch.Tensor:
    """Saturation about each image's grey, contrast about its mean, brightness, and colours turned about the axis of greys.

    All four are linear in a pixel's channels, so that together they are one product with a matrix an image.
    """
    rows, height, width, channels = images.shape

    def factors(largest: float) -> np.ndarray:
        return rng.uniform(1 - largest, 1 + largest, rows)[:, None, None] if largest else np.ones((rows, 1, 1))

    matrix = np.tile(np.eye(channels), (rows, 1, 1))
    if saturation and channels == 3:
        kept = factors(saturation)
        matrix = kept * matrix + (1 - kept) * np.array(_GREY)
    spread, light = factors(contrast), factors(brightness)
    if hue_degrees and channels == 3:
        matrix = _turns(rng, rows, hue_degrees) @ matrix
    planes = images.permute(0, 3, 1, 2).reshape(rows, channels, height * width)
    change = torch.from_numpy((light * spread * matrix).astype(np.float32)).to(images.device)
    shift = torch.from_numpy((light * (1 - spread)).astype(np.float32)).to(images.device)
    if contrast:
        plain = torch.from_numpy(matrix.astype(np.float32)).to(images.device)
        shift = shift * (plain @ planes.mean(dim=2, keepdim=True)).mean(dim=1, keepdim=True)
    changed = torch.baddbmm(shift, change, planes)
    return changed.view(rows, channels, height, width).permute(0, 2, 3, 1)


def _turns(rng: np.random.Generator, rows: int, degrees: float) -> np.ndarray:
    """Rotations (rows, 3, 3) about (1, 1, 1) by up to ``degrees`` either way (Rodrigues' formula)."""
    angle = (rng.uniform(-1, 1, rows) * math.radians(degrees))[:, None, None]
    across = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])  # the cross product with (1, 1, 1)
    turns: np.ndarray = np.cos(angle) * np.eye(3) + (1 - np.cos(angle)) / 3 + np.sin(angle) / math.sqrt(3) * across
    return turns


def erase(images: torch.Tensor, rng: np.random.Generator, largest: float) -> torch.Tensor:
    """A square of up to ``largest`` of the area, set to the batch's mean, in every image (Zhong et al., AAAI 2020)."""
    rows, height, width, _ = images.shape
    half = np.sqrt(rng.uniform(0, largest, rows)) / 2
    centre = rng.random((rows, 2))

    def covered(length: int, middle: np.ndarray) -> torch.Tensor:
        positions = (np.arange(length) + 0.5) / length
        return torch.from_numpy(np.abs(positions[None] - middle[:, None]) < half[:, None]).to(images.device)

    blank = covered(height, centre[:, 0])[:, :, None, None] & covered(width, centre[:, 1])[:, None, :, None]
    return images.masked_fill(blank, images.mean())
