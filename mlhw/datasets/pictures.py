"""Any user's picture files: found, and each opened whole and upright, or refused with a short reason.

Eight formats are opened: JPEG (with MPO, a phone's several pictures in one file), PNG, BMP, GIF, WebP, TIFF, PPM and, where
this Pillow brings it, AVIF. All are decoded inside this process; none starts another program, as EPS would. HEIC is not
among them, since Pillow cannot read it.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlhw.datasets.decode import FORMATS, BadImage, decoded, flat, read_bytes, too_large, turn, turned
from mlhw.datasets.headers import HEAD, check, kind
from mlhw.datasets.names import escape_name
from mlhw.datasets.picture_memory import DECODER_BYTES, check_memory, check_room, picture_bytes
from mlhw.datasets.walking import Found, find

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

__all__ = ["BadImage", "Found", "find", "open_picture", "open_prepared"]

MOST_BYTES: Final = 160 * 10**6  # of a file; a third of it for formats whose decoders copy the whole file
MOST_READS: Final = 5 * 10**6  # of a file's parts, about a microsecond each
_LONGEST_REASON: Final = 160  # characters
_TILE: Final = 1024  # pixels; the side of the parts in which colours are converted, so that copies stay small
_COPIED: Final = ("a WebP", "an AVIF")


class _Metered(io.BytesIO):
    """A file in memory that may be read ``MOST_READS`` times: files can be made of millions of empty parts."""

    left = MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise BadImage(f"damaged (more than {MOST_READS:,} parts)")
        return super().read(size)


def open_picture(path: Path, need: Callable[[int], None] = lambda total: None) -> Image:
    """The picture at ``path`` in mode RGB, 8 bits a channel, in its full size.

    It is what Pillow decodes (for a plain RGB file the pixels of ``Image.open(path).convert("RGB")``), turned upright as EXIF
    has it, with transparency laid on white, the higher 8 of 16 bits, and of several frames the first. Colour profiles
    are not applied. Pillow may warn; the caller, who knows of threads, decides what becomes of that.

    Memory stays near ``picture_memory.MOST_MEMORY`` at most; the picture itself takes 4 bytes a pixel. The longest time
    measured, for files made to take long, was 7 s.

    Args:
        path: of the file; links are followed.
        need: is told how many bytes this takes in all, before the file is read and again when its header is known (see
            ``room.Share.need``); may wait until there are so many.

    Raises:
        BadImage: no such file, not a picture, of a format that is not opened, cut off, damaged, or too large.
    """
    return _careful(path, need, _loaded, _upright)


def open_prepared(
    path: Path,
    size_pixels: int,
    *,
    resize: Literal["squash", "crop"] = "squash",
    channels: Literal[1, 3] = 3,
    need: Callable[[int], None] = lambda total: None,
) -> NDArray[np.uint8]:
    """The picture at ``path`` as a data set of pictures has it: what ``decode.read_image`` gives, to the last bit.

    But with the care, the bounds and the reasons of :func:`open_picture`: that one reads what somebody chose for a data set,
    this one whatever a stranger sends.

    Raises:
        BadImage: as :func:`open_picture`.
    """
    return _careful(path, need, lambda image: decoded(image, size_pixels, resize, channels), lambda pixels: pixels)


T = TypeVar("T")
U = TypeVar("U")


def _careful(path: Path, need: Callable[[int], None], inside: Callable[[ImageFile], T], after: Callable[[T], U]) -> U:
    """``after`` of what ``inside`` makes of the picture at ``path``, opened within bounds; raises BadImage alone."""
    try:
        need(_size(path))
        return after(_opened(read_bytes(path, MOST_BYTES), need, inside))
    except BadImage as bad:
        reason = str(bad)
    except Exception as error:  # decoders of damaged files raise whatever comes
        reason = _reason(error)
    # Out here: an exception keeps its predecessor, and with it the file and half a picture.
    raise BadImage(reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 1] + "…")


def _size(path: Path) -> int:
    try:
        return min(path.stat().st_size, MOST_BYTES)
    except (OSError, ValueError):  # what is wrong with it is said when it is read
        return 0


def _opened(data: bytes, need: Callable[[int], None], inside: Callable[[ImageFile], T]) -> T:
    """What ``inside`` makes of the picture in the file ``data``, while that is open."""
    from PIL import Image, UnidentifiedImageError

    scans, known, size = check(data), kind(data[:HEAD]), len(data)
    if known is not None and known.words in _COPIED and size > MOST_BYTES // 3:
        raise BadImage(f"{size:,} bytes, above the {MOST_BYTES // 3:,} allowed for {known.words}")
    with _Metered(data) as file:
        del data
        try:
            image = Image.open(file, formats=_formats())
        except UnidentifiedImageError:
            allowed = f"not a picture in one of the formats {', '.join(_formats())}"
            raise BadImage(f"cut off or damaged (it starts like {known.words})" if known else allowed) from None
        need(check_room(image, size, scans))
        return inside(image)


def _loaded(image: ImageFile) -> ImageFile:
    image.load()
    return image


def _upright(image: ImageFile) -> Image:
    how = turn(image)
    if how is not None:
        check_memory(image, 2 * picture_bytes(image))
    upright = turned(image, how)
    if image.format in DECODER_BYTES and upright is image:
        upright = image.copy()  # the original holds its decoder, twice its own size
    picture = _as_rgb(upright, _bits(image))
    picture.info.clear()  # or who turns it by its EXIF data would turn it twice
    return picture


@functools.cache
def _formats() -> tuple[str, ...]:
    """The formats to open, their plugins loaded, and no others'."""
    from PIL import (  # noqa: F401  (they register themselves)
        BmpImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        PpmImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
        _imaging,
    )

    # libtiff prints what it dislikes about a damaged file, amid a progress bar. What matters Pillow raises.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # its remarks on odd files; what matters is raised
    try:
        from PIL import AvifImagePlugin
    except ImportError:  # before Pillow 11.3
        return FORMATS
    return (*FORMATS, "AVIF") if AvifImagePlugin.SUPPORTED else FORMATS


def _reason(error: Exception) -> str:
    from PIL import Image

    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return too_large("far too many")
    if isinstance(error, MemoryError):
        return "not enough memory to open it"
    text = escape_name(str(error)) or type(error).__name__
    return f"cut off ({text})" if "truncated" in text.lower() else f"damaged ({text})"


def _bits(image: Image) -> int:
    """Bits that grey values of more than 8 use: 16, or a TIFF's 12."""
    tags = getattr(image, "tag_v2", {})
    return 12 if tags.get(258) == (12,) else 16


def _as_rgb(image: Image, bits: int) -> Image:
    """``image`` as RGB, tile by tile where it is large: the conversions make several copies."""
    from PIL import Image

    width, height = image.size
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    whole = Image.new("RGB", image.size)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            box = (left, top, min(left + _TILE, width), min(top + _TILE, height))
            tile = image.crop(box)
            if bits < 16 and tile.mode.startswith("I;16"):
                tile = Image.fromarray((np.asarray(tile) >> (bits - 8)).astype(np.uint8))
            whole.paste(flat(tile, "RGB"), box)
    return whole
