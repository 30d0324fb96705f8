"""The content of odd, broken and malicious picture files, made by hand where no encoder would."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"


def saved(image: Image.Image, form: str, **options) -> bytes:
    """``image`` as a file of the format ``form``."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def noise(rng: np.random.Generator, size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Image.Image:
    """Coloured noise: large enough as a file to be cut anywhere."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = rng.integers(0, 256, (size[1], size[0], bands), dtype=np.uint8)
    return Image.fromarray(pixels.squeeze(axis=2) if bands == 1 else pixels, mode) if mode != "CMYK" else cmyk(pixels)


def cmyk(pixels: np.ndarray) -> Image.Image:
    return Image.frombytes("CMYK", pixels.shape[1::-1], pixels.tobytes())


def oriented(value: int) -> Image.Exif:
    """EXIF data that says how the camera was held."""
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, rows: bytes, *extra: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG whose header says what it likes; ``rows`` are packed already, ``extra`` chunks come before them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return PNG_START + header + b"".join(extra) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def one_pixel_png(*extra: bytes) -> bytes:
    return png(1, 1, zlib.compress(b"\0\1\2\3"), *extra)


@functools.cache
def packed_zeros(megabytes: int) -> bytes:
    """Zeros, a thousandth of their size."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


def tiff(tags: list[tuple[int, int, int, int]], body: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one directory: ``tags`` are (tag, type, count, value or offset); ``body`` starts at 8, the directory after."""
    at = 8 + len(body) + len(body) % 2
    entries = b"".join(
        struct.pack("<HHL", tag, form, count)
        + (struct.pack("<HH", value, 0) if form == 3 and count == 1 else struct.pack("<L", value))
        for tag, form, count, value in sorted(tags)
    )
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<L", following)
    return b"II*\0" + struct.pack("<L", at) + body.ljust(at - 8, b"\0") + directory


def grey_tags(
    width: int, height: int, compression: int = 1, bits: int = 8, size: int | None = None
) -> list[tuple[int, int, int, int]]:
    """Tags of a grey picture whose pixels start at byte 8."""
    size = width * height * bits // 8 if size is None else size
    return [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, bits),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, size),
    ]


def unfolding_exif(entries: int = 4000, size: int = 50_000) -> bytes:
    """A JPEG whose EXIF directory names the same bytes again and again: 200 MB out of 100 KB."""
    rows = b"".join(struct.pack("<HHLL", 0x9000 + row, 7, size, 8) for row in range(entries))
    block = b"II*\0" + struct.pack("<L", 8 + size) + bytes(size) + struct.pack("<H", entries) + rows + bytes(4)
    parts = [block[start : start + 60_000] for start in range(0, len(block), 60_000)]
    app1 = b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 8) + b"Exif\0\0" + part for part in parts)
    jpeg = saved(Image.new("RGB", (8, 8), "red"), "JPEG")
    end = 4 + int.from_bytes(jpeg[4:6], "big")  # without JFIF's own density, the EXIF data is asked for it
    return jpeg[:2] + app1 + jpeg[end:]


def many_scans(rng: np.random.Generator, scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = saved(noise(rng), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + data[-2:]


def with_size(jpeg: bytes, width: int, height: int) -> bytes:
    """``jpeg`` whose header claims another size."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def many_frames(frames: int) -> bytes:
    """A GIF, red at first, green ever after."""

    def frame(colour: int) -> bytes:
        return b"!\xf9\4\0\1\0\0\0,\0\0\0\0\1\0\1\0\0\2\2" + (b"D\1" if colour == 0 else b"L\1") + b"\0"

    return b"GIF89a\1\0\1\0\x80\0\0\xff\0\0\0\xff\0" + frame(0) + frame(1) * frames + b";"


def chunk_storm(chunks: int) -> bytes:
    """A PNG whose pixels come in ``chunks`` empty parts."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
    return PNG_START + header + chunk(b"IDAT", b"") * chunks


def rle_bmp(width: int, height: int, runs: bytes) -> bytes:
    """A BMP in the run-length form, grey palette."""
    palette = b"".join(bytes((value, value, value, 0)) for value in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(runs), 0, 0, 54 + 1024) + header + palette + runs


def webp_canvas(width: int, height: int) -> bytes:
    """A WebP animation of this size, whose one frame is 8 × 8."""

    def part(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<I", len(content)) + content

    def three(*values: int) -> bytes:
        return b"".join(value.to_bytes(3, "little") for value in values)

    picture = saved(Image.new("RGB", (8, 8), "red"), "WEBP", lossless=True)[12:]
    frame = part(b"ANMF", three(0, 0, 7, 7, 100) + b"\0" + picture)
    start = part(b"VP8X", b"\x02\0\0\0" + three(width - 1, height - 1)) + part(b"ANIM", bytes(6))
    return b"RIFF" + struct.pack("<I", 4 + len(start) + len(frame)) + b"WEBP" + start + frame


Maker = Callable[[np.random.Generator], bytes]
