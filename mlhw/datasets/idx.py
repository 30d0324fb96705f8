"""IDX files, the format of MNIST: a header of big-endian numbers, then one byte a value."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

from mlhw.errors import DataError

UNSIGNED_BYTE = 0x08


def contents(path: Path, dimensions: int, fetch: str) -> tuple[bytes, tuple[int, ...]]:
    """The checked bytes of the IDX file at ``path`` (unpacked where it is a ``.gz``), and its shape.

    Args:
        path: the file.
        dimensions: 3 for images (rows, height, width), 1 for labels (rows,).
        fetch: the command that brings a good copy, for the message.

    Raises:
        DataError: it is no such file, or has not the bytes that its header tells of.
    """
    advice = f"Replace the file, or remove it and run `{fetch}`."
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged or cut off ({error}). {advice}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}). {advice}") from error
    header = 4 + 4 * dimensions
    magic = bytes((0, 0, UNSIGNED_BYTE, dimensions))
    if len(data) < header:
        raise DataError(f"{path}: expected an IDX header of {header} bytes, got {len(data)} bytes in all. {advice}")
    if data[:4] != magic:
        raise DataError(
            f"{path}: not an IDX file of bytes with {dimensions} dimension{'s' * (dimensions > 1)}: "
            f"it should start with {magic.hex()}, got {data[:4].hex()}. {advice}"
        )
    shape = struct.unpack(f">{dimensions}I", data[4:header])
    expected = header + math.prod(shape)
    if len(data) != expected:
        sizes = "×".join(map(str, shape))
        raise DataError(
            f"{path}: its header tells of {sizes}, which is {expected} bytes, got {len(data)} bytes. {advice}"
        )
    return data, shape
