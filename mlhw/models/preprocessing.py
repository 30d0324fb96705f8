"""A picture into what a network takes: to its size as bytes, one at a time; into numbers, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from PIL.Image import Image

from mlhw.vision import ImageClassification, InterpolationMode, transforms

COURSE_SIDE = 224  # pixels
MOST_RESIZED_PIXELS = 1 << 24  # above, only what the crop keeps is resized: 64 MB at 4 bytes a pixel


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Resize, crop the centre where ``crop`` says so, scale to [0, 1], subtract ``mean`` and divide by ``std`` by channel.

    ``resize`` is (height, width) in pixels, or (shorter side,). ``crop`` is the side of the square that is kept, or None.
    """

    resize: tuple[int, ...]
    crop: int | None
    interpolation: InterpolationMode
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def picture(self, image: Image) -> UInt8[torch.Tensor, "3 height width"]:
        """``image`` at the network's size as bytes, in memory channels last.

        Raises:
            ValueError: ``image`` is not RGB.
        """
        if image.mode != "RGB":
            raise ValueError(f"the picture should be RGB, is {image.mode}")
        return torch.from_numpy(np.array(self._sized(image))).permute(2, 0, 1)

    def _sized(self, image: Image) -> Image:
        if self.crop is not None and len(self.resize) == 1:
            short, width, height = min(image.size), *image.size
            wide, high = (int(self.resize[0] * side / short) for side in (width, height))
            if wide * high > MOST_RESIZED_PIXELS:
                return self._narrow(image, wide, high, self.crop)
        small = transforms.resize(image, list(self.resize), self.interpolation)
        return small if self.crop is None else transforms.center_crop(small, [self.crop])

    def _narrow(self, image: Image, wide: int, high: int, crop: int) -> Image:
        """The centre of ``image`` resized to ``wide`` × ``high``, without the rest: of a 20,000×10 panorama that is 0.5 GB.

        The same to rounding: the box is in floating-point pixels, so a value may differ by one of 255 grey levels.
        """
        left, top = round((wide - crop) / 2), round((high - crop) / 2)
        across, down = image.width / wide, image.height / high
        box = (left * across, top * down, (left + crop) * across, (top + crop) * down)
        return image.resize((crop, crop), transforms.pil_modes_mapping[self.interpolation], box=box)

    def normalise(
        self,
        batch: UInt8[torch.Tensor, "rows 3 height width"],
        out: Float32[torch.Tensor, "rows 3 height width"] | None = None,
    ) -> Float32[torch.Tensor, "rows 3 height width"]:
        """``(batch / 255 - mean) / std``, channels last, bit for bit what torchvision computes.

        Args:
            batch: see :func:`stack`; any memory layout.
            out: is overwritten and given back where it is there (channels last, on the same device). Worth it: most of the
                time otherwise goes into memory that the system hands out anew.
        """
        rows, _, height, width = batch.shape
        flat = batch.permute(0, 2, 3, 1).flatten(2)
        made = torch.empty((rows, height, width, 3), device=batch.device) if out is None else out.permute(0, 2, 3, 1)
        # A row of pixels at a time: with an inner axis of three, nothing is vectorised.
        mean, std = (torch.tensor(values * width, device=batch.device) for values in (self.mean, self.std))
        made.view(rows, height, 3 * width).copy_(flat).div_(255).sub_(mean).div_(std)
        return made.permute(0, 3, 1, 2)


def stack(pictures: Sequence[UInt8[torch.Tensor, "3 height width"]]) -> UInt8[torch.Tensor, "rows 3 height width"]:
    """Pictures of one size as one batch, in memory channels last."""
    return torch.stack([picture.permute(1, 2, 0) for picture in pictures]).permute(0, 3, 1, 2)


def course(side: int = COURSE_SIDE) -> Preprocessing:
    """The course's: squashed to ``side`` × ``side`` as ``Resize((side, side))`` does, ImageNet's mean and deviation."""
    usual = ImageClassification(crop_size=side)
    return Preprocessing((side, side), None, InterpolationMode.BILINEAR, tuple(usual.mean), tuple(usual.std))


def of_preset(preset: ImageClassification) -> Preprocessing:
    """What torchvision's ``weights.transforms()`` does to a PIL picture."""
    return Preprocessing(
        tuple(preset.resize_size), preset.crop_size[0], preset.interpolation, tuple(preset.mean), tuple(preset.std)
    )
