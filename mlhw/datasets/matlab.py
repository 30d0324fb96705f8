"""Matrices of real numbers out of MATLAB files of level 5 (MATLAB 5 to 7), and nothing else out of them.

Not read by ``scipy.io.loadmat``, which follows type codes of the file without looking (scipy issue 25349: one changed byte
ends the process) and says itself that it is no reader for files from strangers. What is needed of the format (MathWorks,
"MAT-File Level 5 Format") is little: a header of 128 bytes, then elements, each a tag of type and size and its bytes;
a matrix is an element made of four: flags, dimensions, name, numbers.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Shaped

from mlhw.errors import DataError

MOST_BYTES: Final = 200_000_000  # of a file, and of all that is unpacked from it
MOST_COLUMNS: Final = 10_000_000
_HEADER: Final = 128
_MATRIX, _COMPRESSED = 14, 15  # types of whole elements
_STORED: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMERIC: Final = range(
    6, 16
)  # classes of arrays: double, single and the whole numbers; a logical one is of class uint8
_OTHERS: Final = {1: "a cell array", 2: "a struct", 3: "an object", 4: "text", 5: "a sparse matrix", 16: "a function"}
_COMPLEX: Final = 0x0800  # in the flags


def read(path: Path, heights: Mapping[str, int]) -> dict[str, Shaped[np.ndarray, "height columns"]]:
    """The matrices that ``heights`` names, each of that many rows and of one column or more; as they are stored.

    Raises:
        DataError: the file cannot be read, or a matrix is missing or is something else; names file and matrix.
    """
    try:
        listed = list(_arrays(_content(path)))
        names = [array.name for array in listed]
        for name in heights:
            if (many := names.count(name)) != 1:
                lacks = (
                    f"no matrix {name}: the file holds {', '.join(names) or 'nothing'}; wanted are {', '.join(heights)}"
                )
                raise ValueError(f"the file holds {name} {many} times; wanted is one" if many else lacks)
        return {array.name: _values(array, heights[array.name]) for array in listed if array.name in heights}
    except OSError as error:
        raise fault(path, f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise fault(path, str(error)) from error
    except (struct.error, zlib.error) as error:
        raise fault(path, f"damaged: {error}") from error


def fault(path: Path, what: str) -> DataError:
    """An error about the file at ``path``: ``what`` is wrong, and what to do."""
    return DataError(f"{path}: {what}. Replace the file, or set data.source: generated.")


class _Array(NamedTuple):
    """One variable: ``kind`` is its class, ``body`` the bytes of its element, of which the numbers begin ``at``."""

    name: str
    kind: int
    is_complex: bool
    shape: tuple[int, ...]
    body: memoryview
    at: int
    order: str


def _content(path: Path) -> bytes:
    """The bytes of the file, once its header is that of level 5."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"larger than the {MOST_BYTES:,} bytes allowed")
    order = {b"IM": "<", b"MI": ">"}.get(content[_HEADER - 2 : _HEADER])
    version = struct.unpack_from(f"{order}H", content, _HEADER - 4)[0] if order else 0
    if version == 0x0200 or content.startswith(b"\x89HDF"):
        raise ValueError("a MATLAB 7.3 file (HDF5); allowed are those of MATLAB 5 to 7: save it with save(…, '-v7')")
    if version != 0x0100:
        raise ValueError("not a MATLAB file of version 5 to 7")
    return content


def _arrays(content: bytes) -> Iterator[_Array]:
    """Every named array of the file; what has no name is MATLAB's own."""
    order = "<" if content[_HEADER - 2 : _HEADER] == b"IM" else ">"
    view, at, budget = memoryview(content), _HEADER, MOST_BYTES
    while at < len(view):
        kind, body, at = _element(view, at, order, padded=False)
        if kind == _COMPRESSED:
            unpacker = zlib.decompressobj()
            unpacked = unpacker.decompress(body, budget)
            budget -= len(unpacked)
            if unpacker.unconsumed_tail or not budget:
                raise ValueError(f"unpacks to more than the {MOST_BYTES:,} bytes allowed")
            if not unpacker.eof:
                raise ValueError("damaged: what is compressed in it breaks off")
            kind, body, _ = _element(memoryview(unpacked), 0, order)
        if kind == _MATRIX and (array := _array(body, order)).name:
            yield array


def _element(view: memoryview, at: int, order: str, padded: bool = True) -> tuple[int, memoryview, int]:
    """The type and the bytes of the element at ``at``, and where the next one begins.

    Of up to four bytes, type and size share one word of the tag, and the bytes are the other.
    """
    if at + 8 > len(view):
        raise ValueError("damaged: it breaks off")
    kind, size = struct.unpack_from(f"{order}II", view, at)
    start, end = at + 8, at + 8 + size
    if kind >> 16:
        start, end, kind = at + 4, at + 4 + (kind >> 16), kind & 0xFFFF
    following = max(-(-end // 8) * 8 if padded else end, at + 8)
    if end > len(view) or (start == at + 4 and end > at + 8):
        raise ValueError("damaged: it breaks off within an element")
    return kind, view[start:end], following


def _array(body: memoryview, order: str) -> _Array:
    """The array of a matrix element, its numbers not yet read; without a name where it is of a kind unknown here."""
    _, flags, at = _element(body, 0, order)
    word = struct.unpack_from(f"{order}I", flags, 0)[0]
    kind = word & 0xFF
    if kind not in _NUMERIC and kind not in _OTHERS:
        return _Array("", kind, False, (), body, at, order)
    stored, sides, at = _element(body, at, order)
    if stored != 5 or len(sides) % 4:
        raise ValueError("damaged: dimensions that are no whole numbers")
    shape = struct.unpack_from(f"{order}{len(sides) // 4}i", sides, 0)
    _, name, at = _element(body, at, order)
    return _Array(bytes(name).decode("ascii", "replace"), kind, bool(word & _COMPLEX), shape, body, at, order)


def _values(array: _Array, height: int) -> np.ndarray:
    """The numbers of ``array`` (height, columns), once its header says that it is such a matrix."""
    name, shape = array.name, array.shape
    if array.kind not in _NUMERIC or array.is_complex:
        got = "complex numbers" if array.is_complex else _OTHERS[array.kind]
        raise ValueError(f"{name} should be a full matrix of real numbers, got {got}")
    if len(shape) != 2 or shape[0] != height or not 1 <= shape[1] <= MOST_COLUMNS:
        got = " × ".join(f"{side:,}" for side in shape)
        raise ValueError(f"{name} should be {height} × 1 to {MOST_COLUMNS:,} columns, got {got}")
    stored, numbers, _ = _element(array.body, array.at, array.order)
    if stored not in _STORED:
        raise ValueError(f"damaged: {name} holds numbers of type {stored}, which there is not")
    kind = np.dtype(array.order + _STORED[stored])
    if len(numbers) != math.prod(shape) * kind.itemsize:
        raise ValueError(f"damaged: {name} has {len(numbers):,} bytes for {math.prod(shape):,} numbers")
    return np.frombuffer(numbers, kind).reshape(shape, order="F").astype(kind.newbyteorder("="))
