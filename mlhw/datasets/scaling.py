"""How stored values become model inputs."""

from __future__ import annotations

import numpy as np

from mlhw.arrays import Scaling, Split
from mlhw.errors import ConfigError

# The mean and deviation of ImageNet's training pixels in [0, 1], as torchvision's networks expect them.
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def scaling(normalize: str, train: Split) -> Scaling:
    """The scaling that ``data.normalize`` names, for data like ``train``.

    Raises:
        ConfigError: the data is not of the kind that this normalization is for.
    """
    if normalize == "none":
        return Scaling()
    if normalize == "standard":
        return standard(train)
    if train.inputs.dtype != np.uint8:
        raise ConfigError(
            f"data.normalize '{normalize}' is for values from 0 to 255, which these are not. Use 'standard' or 'none'."
        )
    if normalize == "unit":
        return Scaling((0.0,), (1 / 255,))
    if train.input_shape[-1] != 3:
        raise ConfigError(f"data.normalize 'imagenet' needs 3 channels, got {train.input_shape[-1]}. Use 'standard'.")
    return Scaling(tuple(255 * mean for mean in IMAGENET_MEAN), tuple(1 / (255 * sd) for sd in IMAGENET_DEVIATION))


def standard(train: Split) -> Scaling:
    """Mean 0 and deviation 1 over the training rows: by channel for images, over all values for other inputs."""
    channels = train.input_shape[-1] if len(train.input_shape) == 3 else 1
    total, squares, count = np.zeros(channels), np.zeros(channels), 0
    for start in range(0, len(train), 512):  # in parts: a photo set as float64 would not fit
        part = np.asarray(train.inputs[start : start + 512], dtype=np.float64).reshape(-1, channels)
        total += part.sum(axis=0)
        squares += np.square(part).sum(axis=0)
        count += len(part)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean * mean, 0.0))
    return Scaling(tuple(mean.tolist()), tuple((1.0 / np.where(deviation > 0, deviation, 1.0)).tolist()))
