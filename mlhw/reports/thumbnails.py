"""Pictures as data URIs, small enough that dozens fit into a page."""

from __future__ import annotations

import base64
import io
from typing import Final

import numpy as np
from jaxtyping import UInt8

SIDE: Final = 192  # pixels: shown at half of that, sharp on a screen with two pixels a point
TINY: Final = 48  # up to this side a picture is drawn with its pixels as squares


def is_tiny(image: UInt8[np.ndarray, "height width 3"]) -> bool:
    """Whether the picture's own pixels should be seen."""
    return max(image.shape[:2]) <= TINY


def data_uri(image: UInt8[np.ndarray, "height width 3"]) -> str:
    """The picture as it is (PNG) where it is tiny, else as a JPEG of at most ``SIDE`` pixels."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image))
    file = io.BytesIO()
    if is_tiny(image):
        grey = bool((image[..., :1] == image).all())
        (picture.convert("L") if grey else picture).save(file, "PNG", optimize=True)
        return png_uri(file.getvalue())
    picture.thumbnail((SIDE, SIDE))
    picture.save(file, "JPEG", quality=82, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def png_uri(content: bytes) -> str:
    """A PNG file's ``content`` as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
