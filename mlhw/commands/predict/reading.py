"""How a file becomes the examples that a run learned from: the data set's own preparation, on any picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlhw.config.data import Data, FolderData, GroceryData, ImageCsvData
from mlhw.datasets import shapes
from mlhw.datasets.pictures import open_picture, open_prepared
from mlhw.errors import ConfigError
from mlhw.runs.preparation import Preparation

Need = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Reader:
    """``read`` gives one picture as a stored example (height, width, channels) uint8, and raises BadImage.

    ``words`` say what is done to it; ``as_is``: it still looks like the picture.
    """

    read: Callable[[Path, Need], np.ndarray]
    words: str
    as_is: bool = True


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
        return Reader(lambda path, need: shapes.framed(open_picture(path, need), frame), words, as_is=False)
    words = f"{'colour' if channels == 3 else 'grey'}, squashed to {size}"
    return Reader(lambda path, need: shapes.plain(open_picture(path, need), prepared.input_shape), words)
