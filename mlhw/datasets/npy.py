"""A ``.npy`` file written row by row, for arrays that need not fit in memory."""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import DTypeLike, NDArray


class RowWriter:
    """Writes rows of one shape and type to a ``.npy`` file; their number is known only at the end.

    numpy leaves room in the header for a first axis of 21 digits, so the header can be written again in place.
    """

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.path, self.row_shape, self.dtype, self.rows = path, row_shape, np.dtype(dtype), 0

    def __enter__(self) -> RowWriter:
        self._file = self.path.open("wb")
        self._header()
        return self

    def append(self, row: NDArray[np.generic]) -> None:
        """Add one row of ``row_shape``."""
        if row.shape != self.row_shape or row.dtype != self.dtype:
            raise ValueError(f"expected a row {self.row_shape} of {self.dtype}, got {row.shape} of {row.dtype}")
        self._file.write(row.tobytes())
        self.rows += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                end = self._file.tell()
                self._file.seek(0)
                self._header()
                if end != self._file.tell() + self.rows * math.prod(self.row_shape) * self.dtype.itemsize:
                    raise OSError(f"{self.path}: the header changed its length")
        finally:
            self._file.close()

    def _header(self) -> None:
        facts = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self.rows, *self.row_shape),
        }
        np.lib.format.write_array_header_1_0(self._file, facts)
