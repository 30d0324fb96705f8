"""How a file becomes the examples that a run learned from: the data set's own preparation, on any picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mlhw.config.data import Data, FolderData, GroceryData, ImageCsvData
from mlhw.datasets import shapes
from mlhw.datasets.pictures import open_picture, open_prepared
from mlhw.errors import ConfigError
from mlhw.runs.preparation import Preparation

if TYPE_CHECKING:
    from PIL.Image import Image

Need = Callable[[int], None]

_COLOURED: Final = 16  # of 255: grey pictures that went through a JPEG are coloured by less
_SAMPLED: Final = 128  # pixels a side that are looked at


class Altered(NamedTuple):
    """What a picture was before it was shrunk, enlarged or turned grey."""

    width: int
    height: int
    colour: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """``read`` gives one picture as a stored example (height, width, channels) uint8, and raises BadImage.

    ``words`` say what is done to it; ``as_is``: it still looks like the picture. ``altered`` fills with what was read and is
    of another size or more colourful than all that the run learned from, where no larger picture was its original.
    """

    read: Callable[[Path, Need], np.ndarray]
    words: str
    as_is: bool = True
    altered: dict[Path, Altered] = field(default_factory=dict)


def picture_reader(data: Data, prepared: Preparation) -> Reader:
    """What reads pictures for a run on ``data``.

    Raises:
        ConfigError: the run learned from numbers that no picture has.
    """
    height, width, channels = prepared.input_shape
    size = f"{width}×{height}"
    if isinstance(data, GroceryData | FolderData | ImageCsvData):
        resize, pixels = data.resize, data.image_size_pixels

        def as_prepared(path: Path, need: Need) -> np.ndarray:
            return open_prepared(path, pixels, resize=resize, channels=3 if channels == 3 else 1, need=need)

        grey = "" if channels == 3 else "grey, "
        return Reader(as_prepared, f"{grey}{'squashed' if resize == 'squash' else 'cropped'} to {size}")
    if prepared.dtype != "uint8":
        raise ConfigError(
            f"the run learned from images of {prepared.dtype} numbers, and a picture has whole ones from 0 to 255. Name a run "
            "on such images."
        )
    frame = shapes.FRAMES.get(data.kind)
    if frame is not None:
        words = (
            f"the shape cut out, light on black, fitted into {size} as {data.kind} has it; a picture of {size} as it is"
        )
        return _noting(lambda picture: shapes.framed(picture, frame), prepared.input_shape, words, as_is=False)
    words = f"{'colour' if channels == 3 else 'grey'}, squashed to {size}"
    return _noting(lambda picture: shapes.plain(picture, prepared.input_shape), prepared.input_shape, words, as_is=True)


def _noting(prepare: Callable[[Image], np.ndarray], shape: tuple[int, ...], words: str, *, as_is: bool) -> Reader:
    """A reader that notes which pictures are not as those of ``shape`` (height, width, channels) were."""
    height, width, channels = shape
    altered: dict[Path, Altered] = {}

    def read(path: Path, need: Need) -> np.ndarray:
        picture = open_picture(path, need)
        colour = is_coloured(picture)
        if picture.size != (width, height) or (colour and channels == 1):
            altered[path] = Altered(*picture.size, colour)
        return prepare(picture)

    return Reader(read, words, as_is, altered)


def is_coloured(picture: Image) -> bool:
    """Whether an RGB ``picture`` has a pixel that is clearly not grey, by a sample of at most 128×128 of them."""
    from PIL.Image import Resampling

    width, height = picture.size
    few = picture.resize((min(width, _SAMPLED), min(height, _SAMPLED)), Resampling.NEAREST)
    pixels = np.asarray(few).astype(np.int16)
    return bool((np.ptp(pixels, axis=2) > _COLOURED).any())
