"""One image file into an array, or the reason why not."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from mlhw.datasets.jpeg import walk
from mlhw.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
MOST_PIXELS = 89_478_485  # Pillow's own limit: a larger picture is taken for a decompression bomb
MOST_BYTES = 256 * 2**20
ORIENTATION = 0x0112  # the EXIF tag
NO_END = "cut off (no end of picture)"  # of a JPEG


class BadImage(DataError):
    """An image file cannot be used; the message is the reason alone, without the path."""


def read_image(
    path: Path, size_pixels: int, *, resize: Literal["squash", "crop"] = "squash", channels: Literal[1, 3] = 3
) -> NDArray[np.uint8]:
    """The picture at ``path`` as uint8 (size, size, channels), upright; of an animation the first frame.

    ``squash`` changes the aspect ratio; ``crop`` brings the shorter side to the size and takes the centre. A transparent
    picture is laid on white. Pillow may warn; the caller decides what becomes of that.

    Raises:
        BadImage: no such file, not a picture, cut off, damaged, or too large.
    """
    from PIL import Image, UnidentifiedImageError

    data = read_bytes(path)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise BadImage(too_large(f"{width}×{height}"))
            pixels = decoded(image, size_pixels, resize, channels)
            if image.format in ("JPEG", "MPO") and not walk(data).ended:
                raise BadImage(NO_END)
    except BadImage:
        raise
    except UnidentifiedImageError as error:
        raise BadImage(f"not a picture in one of the formats {', '.join(FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise BadImage(too_large("far too many")) from error
    except Exception as error:  # decoders of damaged files raise whatever comes
        text = str(error) or type(error).__name__
        raise BadImage(f"cut off ({text})" if "truncated" in text else f"damaged ({text})") from error
    return pixels


def decoded(image: Image, size_pixels: int, resize: str, channels: Literal[1, 3]) -> NDArray[np.uint8]:
    """``image``, opened but not loaded, as :func:`read_image` gives it; raises whatever its decoder does."""
    small = _square(image, size_pixels, resize, "RGB" if channels == 3 else "L")
    upright = turned(small, turn(image))  # after resizing to a square: the same result, less work
    return np.asarray(upright).reshape(size_pixels, size_pixels, channels)


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of the file at ``path``, links followed; no more than ``most`` bytes. Never waits for a pipe or device.

    Raises:
        BadImage: no such file, not a plain one, unreadable, too large, or empty.
    """
    try:
        facts = path.stat()
        if stat.S_ISDIR(facts.st_mode):
            raise BadImage("a folder, not a file")
        if not stat.S_ISREG(facts.st_mode):
            raise BadImage("not a plain file")
        if facts.st_size > most:
            raise BadImage(f"{facts.st_size:,} bytes, above the {most:,} allowed")
        data = (
            path.read_bytes() if facts.st_size else b""
        )  # the kernel's own files say 0, and may keep a reader waiting
    except FileNotFoundError as error:
        raise BadImage("no such file") from error
    except (OSError, ValueError) as error:
        raise BadImage(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not data:
        raise BadImage("an empty file")
    return data


def too_large(size: str) -> str:
    """The reason for ``size`` pixels, where they are above ``MOST_PIXELS``."""
    return f"{size} pixels, above the {MOST_PIXELS:,} allowed (a decompression bomb?)"


def _square(image: Image, size: int, resize: str, mode: Literal["RGB", "L"]) -> Image:
    """``image`` decoded and brought to ``size`` × ``size``; a JPEG by its own halvings first, which is far faster."""
    from PIL.Image import Resampling

    image.draft(mode, (size, size))
    image.load()
    even = flat(image, mode)
    width, height = even.size
    side = min(width, height)
    left, top = ((width - side) / 2, (height - side) / 2) if resize == "crop" else (0.0, 0.0)
    box = (left, top, width - left, height - top)
    return even.resize((size, size), Resampling.BILINEAR, box=box)


def flat(image: Image, mode: Literal["RGB", "L"]) -> Image:
    """``image`` in ``mode``: 16 bits a channel become 8, transparency becomes white."""
    from PIL import Image

    if image.mode == "F":
        raise BadImage("pixels are floating-point numbers, whose range is not known")
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.int64)
        return Image.fromarray(np.clip(wide >> 8, 0, 255).astype(np.uint8)).convert(mode)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert(mode)
    return image if image.mode == mode else image.convert(mode)


def turn(image: Image) -> Transpose | None:
    """How to set upright what the camera noted in EXIF data to lie or to be mirrored; None where it stands."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    try:
        return turns.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF data does not make a bad picture
        return None


def turned(image: Image, how: Transpose | None) -> Image:
    """``image`` turned ``how``; for None itself."""
    return image if how is None else image.transpose(how)
