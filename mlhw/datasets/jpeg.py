"""The markers of a JPEG file, up to the end of its first picture: a phone's film or a camera's preview may follow."""

from __future__ import annotations

import re
import sys
from typing import Final, NamedTuple

_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # no stuffed byte, no filling, no restart
_BARE: Final = frozenset((0x01, 0xD8, 0xD9))  # markers without a length


class Walk(NamedTuple):
    """What lies before the end of the first picture: how many ``scans`` and ``segments``; whether it is there (``ended``)."""

    ended: bool
    scans: int
    segments: int


def walk(data: bytes, most_scans: int = sys.maxsize, most_segments: int = sys.maxsize) -> Walk:
    """The way from marker to marker through the file ``data``, which begins as a JPEG does.

    Each segment is passed over by its own length, so a preview within the EXIF data does not count. The walk stops after more
    than ``most_scans`` or ``most_segments``.

    libjpeg itself fills what is missing with grey, and says so to nobody.
    """
    position, scans, segments = 2, 0, 0
    while scans <= most_scans and segments <= most_segments:
        marker = _MARKER.search(data, position)
        if marker is None:
            break
        position, code = marker.end(), data[marker.end() - 1]
        if code == 0xD9:
            return Walk(True, scans, segments)
        scans += code == 0xDA
        segments += 1
        if code >= 0xC0 and code not in _BARE:
            position += int.from_bytes(data[position : position + 2], "big")
    return Walk(False, scans, segments)
