"""What it takes to open a picture: bytes and time, told from its header before anything is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlhw.datasets.decode import MOST_PIXELS, BadImage, too_large

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

MOST_MEMORY: Final = 420 * 10**6  # bytes while one picture is opened: 50 megapixels lying on their side
MOST_SLOW_PIXELS: Final = 4 * 10**6  # of a picture that Pillow decodes in Python, a microsecond or two each
DECODER_BYTES: Final = {"WEBP": 12, "AVIF": 12}  # a pixel beside the picture itself, measured
_SLOW_CODECS: Final = ("ppm", "ppm_plain", "bmp_rle")


def check_room(image: ImageFile, file_bytes: int, scans: int) -> int:
    """Bytes that it takes to decode ``image``, opened but not loaded, from ``file_bytes``, and to turn and convert it.

    ``scans`` is how often a decoder goes over it.

    Raises:
        BadImage: it takes more memory or time than is allowed.
    """
    width, height = image.size
    pixels = width * height
    if pixels > MOST_PIXELS:
        raise BadImage(too_large(f"{width}×{height}"))
    slow = any(tile[0] in _SLOW_CODECS for tile in image.tile)
    if slow and pixels > MOST_SLOW_PIXELS:
        raise BadImage(f"{width}×{height} pixels in a form that is read slowly: save it as PNG")
    if image.mode == "I" and image.format == "TIFF":
        raise BadImage("pixels are signed or 32-bit numbers, whose range is not known")
    if image.mode == "LAB":
        raise BadImage("colours in LAB, which are not read: save it as RGB")
    extra = 8 if slow else DECODER_BYTES.get(image.format or "", 0)
    if scans > 1 or "progressive" in image.info:
        extra = 2 * len(image.getbands())  # all coefficients are kept
    beside = pixels * extra
    if image.format == "TIFF":
        beside = _tiff_bytes(image)
    twice = 1 if image.format in ("TIFF", "BMP", "PPM") else 2  # the others copy parts of the file
    whole = picture_bytes(image)
    decoding = twice * file_bytes + whole + beside
    converting = whole + picture_bytes(image, 4) if image.mode != "RGB" else 0
    check_memory(image, decoding)
    check_memory(image, converting)
    return max(decoding, converting, 2 * whole)


def check_memory(image: Image, needed: int) -> None:
    """Nothing, where ``needed`` bytes may be taken for ``image``. Raises BadImage where they may not."""
    if needed > MOST_MEMORY:
        width, height = image.size
        raise BadImage(
            f"{width}×{height} pixels, which take {needed // 10**6:,} MB to open, above the {MOST_MEMORY // 10**6} allowed"
        )


def picture_bytes(image: Image, each: int | None = None) -> int:
    """Bytes that ``image`` takes in memory, or would with ``each`` a pixel; the sides count too, as Pillow lists all rows."""
    if each is None:
        each = 1 if image.mode in ("1", "L", "P") else 2 if image.mode.startswith("I;16") else 4
    width, height = image.size
    return width * height * each + 16 * (width + height)


def _tiff_bytes(image: ImageFile) -> int:
    """Bytes that decoding a TIFF takes beside the picture: its largest part, perhaps all of it, and the turning."""
    tags = image.tag_v2  # type: ignore[attr-defined]  # a TIFF has it
    tile = [tags.get(tag, 0) for tag in (322, 323)]
    if not all(isinstance(side, int) for side in tile):
        raise BadImage("damaged (the sides of its tiles are no numbers)")
    pixels = max(image.size[0] * image.size[1], tile[0] * tile[1])
    bits = tags.get(258, (1,))
    samples = tags.get(277, 1)
    turning = picture_bytes(image) if tags.get(274, 1) != 1 else 0
    return max(pixels * max(bits) * samples // 8, turning)
