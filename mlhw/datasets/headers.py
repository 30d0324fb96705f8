"""What a file's name and bytes tell before any decoder sees them: its kind, and signs that it is cut off or a trap."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from mlhw.datasets.decode import NO_END, SUFFIXES, BadImage
from mlhw.datasets.jpeg import walk

# The second and third row are never opened; but whoever has a phone's HEIC files among the pictures should be told so.
NAMED = (
    *(*SUFFIXES, ".jpe", ".jfif", ".mpo", ".apng", ".dib", ".pnm", ".pfm", ".avif"),
    *(".heic", ".heif", ".jxl", ".jp2", ".j2k", ".psd", ".eps", ".svg", ".ico", ".icns", ".tga", ".dds", ".exr"),
    *(".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
)

MOST_SCANS = 100  # encoders make 10 or so; a decoder goes over the whole picture for each
MOST_MARKERS = 100_000
MOST_NUMBERS = 2**20  # bytes; a million strips of a TIFF would become 200 MB of Python objects
HEAD = 512  # bytes that ``kind`` wants to see

_SIZES = {3: 2, 4: 4, 5: 8, 6: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # of TIFF's number types


class Kind(NamedTuple):
    """What a file is: ``words`` with its article, whether it is a ``picture``, and one that is ``opened`` here."""

    words: str
    picture: bool = True
    opened: bool = False


_OPENED = (
    (rb"\xff\xd8\xff", "a JPEG"),
    (rb"\x89PNG\r\n\x1a\n", "a PNG"),
    (rb"GIF8[79]a", "a GIF"),
    (rb"RIFF....WEBP", "a WebP"),
    (rb"II[*+]\x00|MM\x00[*+]", "a TIFF"),
    (rb"BM.{4}\x00{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", "a BMP"),
    (rb"P([1-6]|f)\s+(#|\d)", "a PPM"),
    (rb"....ftyp(avi[fs]|(mif1|msf1).{4}(.{4}){0,8}?avi[fs])", "an AVIF"),
)
_OTHER_PICTURES = (
    (rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", "a HEIC picture"),
    (rb"8BPS", "a Photoshop picture (PSD)"),
    (rb"%!PS-Adobe-\S+ EPSF|\xc5\xd0\xd3\xc6", "an EPS drawing"),
    (rb"icns", "an icon (ICNS)"),
    (rb"\x00\x00\x01\x00[^\x00]\x00", "an icon (ICO)"),
    (rb"\x00\x00\x00\x0cJXL |\xff\x0a", "a JPEG XL picture"),
    (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (rb"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (rb"DDS ", "a texture (DDS)"),
    (rb"qoif", "a QOI picture"),
    (rb"(\xef\xbb\xbf)?\s*<svg|(\xef\xbb\xbf)?\s*<\?xml.*<svg", "an SVG drawing"),
)
_NO_PICTURES = (
    (rb"%PDF", "a PDF document"),
    (rb"%!PS", "a PostScript document"),
    (rb"(?i:(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype html|html|head))", "a web page (HTML)"),
    (rb"version https://git-lfs", "a Git LFS pointer (`git lfs pull` fetches the file itself)"),
    (rb"PK\x03\x04", "a ZIP archive or an office document"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ", "a film"),
    (rb"\x00{64}", "zeros alone"),
    (rb"[\t\n\r\x20-\x7e]{16,}\Z|[\t\n\r\x20-\x7e]{256,}", "text"),
)
_KINDS = [
    (re.compile(pattern, re.DOTALL), Kind(words, picture, opened))
    for table, picture, opened in ((_OPENED, True, True), (_OTHER_PICTURES, True, False), (_NO_PICTURES, False, False))
    for pattern, words in table
]


def kind(head: bytes) -> Kind | None:
    """What a file is that starts with ``head``, its first ``HEAD`` bytes; None where they tell nothing."""
    return next((kind for pattern, kind in _KINDS if pattern.match(head)), None)


def is_named(name: str) -> bool:
    """Whether ``name`` ends like a picture's."""
    return name.lower().endswith(NAMED)


def starts_like_one(path: str) -> bool:
    """Whether the plain file at ``path`` starts like a picture, of a format that is opened here or not."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  (thousands in a walk)
            found = kind(file.read(HEAD) or b"")
    except OSError:
        return False
    return found is not None and found.picture


def check(data: bytes) -> int:
    """How often a decoder will go over the picture in the whole file ``data``, which may be handed to it.

    Raises:
        BadImage: it is of a kind that is not opened, is cut off, or would take a decoder without bounds.
    """
    found = kind(data[:HEAD])
    if found is not None and not found.opened:
        advice = " that is not opened: save it as JPEG or PNG" if found.picture else ", not a picture"
        raise BadImage(found.words + advice)
    if data.startswith(b"\xff\xd8"):
        return _check_jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise BadImage("cut off (shorter than its own header says)")
    if data[:2] in (b"II", b"MM") and (size := _numbers(data)) > MOST_NUMBERS:
        raise BadImage(f"damaged ({size:,} bytes of numbers in its directory, above the {MOST_NUMBERS:,} allowed)")
    return 1


def _check_jpeg(data: bytes) -> int:
    """The scans of the first picture. Raises BadImage where it has no end, or too many scans before it."""
    found = walk(data, MOST_SCANS, MOST_MARKERS)
    if found.ended:
        return found.scans
    if found.scans > MOST_SCANS:
        raise BadImage(f"damaged (more than {MOST_SCANS} scans)")
    if found.segments > MOST_MARKERS:
        raise BadImage(f"damaged (more than {MOST_MARKERS:,} segments)")
    raise BadImage(NO_END)


def _numbers(data: bytes) -> int:
    """Bytes of numbers in the first directory of the TIFF file ``data``; 0 where it has none that can be read."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    try:
        (start,) = struct.unpack_from(order + ("Q" if big else "L"), data, 8 if big else 4)
        (entries,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
        start += 8 if big else 2
        total = 0
        for entry in range(min(entries, 2**16)):
            _, form, count = struct.unpack_from(
                order + ("HHQ" if big else "HHL"), data, start + entry * (20 if big else 12)
            )
            size = count * _SIZES.get(form, 0)
            total += size if size <= len(data) else 0  # Pillow leaves out what the file cannot hold
    except (struct.error, OverflowError):
        return 0
    return total
