"""A picture as the data sets of single light shapes on black would hold it: MNIST, Fashion-MNIST, scikit-learn's digits.

Each of the three was made by cutting out the shape, fitting it into a box and placing that. MNIST's digits fit into 20×20
pixels and have their centre of mass in the middle of 28×28 (LeCun et al., 1998, "Gradient-based learning applied to document
recognition", section III.A); Fashion-MNIST's articles, negated, are 28 pixels long and stand in the middle (Xiao et al.,
2017, section 2); the 8×8 digits fill their frame (Alpaydin and Kaynak, 1998) and count 0 to 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from jaxtyping import Float, UInt8

from mlhw.datasets.decode import flat

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Frame:
    """``side`` × ``side`` pixels, in which the longer side of a shape is ``box``; values run from 0 to ``most``.

    The shape's centre of mass is in the middle of the frame, or (not ``by_mass``) its own middle.
    """

    side: int
    box: int
    by_mass: bool = False
    most: int = 255


FRAMES: Final = {"mnist": Frame(28, 20, by_mass=True), "fashion-mnist": Frame(28, 28), "digits": Frame(8, 8, most=16)}

_FAINTEST: Final = 16  # of 255: what stands out less from the ground is no shape
_EDGE: Final = 32  # of 255, once the darkest is 255: fainter pixels are ground, or the shadow on it
_LARGEST: Final = 1024  # pixels; a larger picture is reduced first, a shape of so many needs no more


def framed(picture: Image, frame: Frame) -> UInt8[np.ndarray, "side side 1"]:
    """The shape in ``picture`` as ``frame`` holds it, light on black.

    A picture of the frame's own size is taken as it is, in grey: it is one of the data set's, and stays what it was. Of any
    other, the ground is the median of its border, and the shape is what is lighter than a dark ground or darker than a light
    one, stretched to the full range, cut out, fitted in without distortion, and placed. An empty picture gives a black one.

    Args:
        picture: of any size and mode; its values run from 0 to 255.
        frame: the size, the box, the centre and the range of the result.
    """
    grey = flat(picture, "L")
    if grey.size == (frame.side, frame.side):
        values = np.asarray(grey, dtype=np.float64)
    else:
        values = _placed(_shape(_reduced(grey)), frame)
    return np.rint(values * (frame.most / 255)).astype(np.uint8)[..., np.newaxis]


def plain(picture: Image, shape: tuple[int, ...]) -> UInt8[np.ndarray, "height width channels"]:
    """``picture`` squashed to ``shape`` (height, width, 1 or 3), in grey or in colour; one of that size is not changed."""
    from PIL.Image import Resampling

    height, width, channels = shape
    even = flat(picture, "L" if channels == 1 else "RGB")
    return np.asarray(even.resize((width, height), Resampling.BILINEAR)).reshape(height, width, channels)


def _reduced(grey: Image) -> Image:
    if max(grey.size) > _LARGEST:
        grey = grey.copy()
        grey.thumbnail((_LARGEST, _LARGEST))
    return grey


def _shape(grey: Image) -> Float[np.ndarray, "height width"]:
    """The shape in ``grey``, light on 0 and up to 255, cut out; of no rows and columns where there is none."""
    values = np.asarray(grey, dtype=np.float64)
    border = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    ground = float(np.median(border))
    stands_out = np.maximum(ground - values if ground > 127.5 else values - ground, 0.0)
    if stands_out.max() < _FAINTEST:
        return np.zeros((0, 0))
    shape = stands_out * (255 / stands_out.max())
    rows, columns = (np.flatnonzero((shape > _EDGE).any(axis=axis)) for axis in (1, 0))
    return shape[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _placed(shape: Float[np.ndarray, "height width"], frame: Frame) -> Float[np.ndarray, "side side"]:
    from PIL import Image

    whole = np.zeros((frame.side, frame.side))
    if not shape.size:
        return whole
    height, width = (max(1, round(length * frame.box / max(shape.shape))) for length in shape.shape)
    small = np.asarray(
        Image.fromarray(shape.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR), dtype=np.float64
    )
    small = np.clip(small, 0.0, 255.0)
    centre, wanted = [(length - 1) / 2 for length in small.shape], (frame.side - 1) / 2
    if frame.by_mass:
        wanted = frame.side / 2  # so it is in MNIST: 14.0 on the average, within half a pixel
        mass = small.sum()
        centre = [float((small.sum(axis=1 - axis) * np.arange(small.shape[axis])).sum() / mass) for axis in (0, 1)]
    top, left = (
        int(np.clip(round(wanted - middle), 0, frame.side - length))
        for middle, length in zip(centre, small.shape, strict=True)
    )
    whole[top : top + height, left : left + width] = small
    return whole
