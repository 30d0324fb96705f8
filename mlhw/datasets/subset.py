"""Rows of a prepared split that are too many for memory: copied once into the cache, and memory-mapped like it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets.cache import prepared
from mlhw.datasets.npy import RowWriter
from mlhw.datasets.splitting import take

MEMORY_BYTES = 2**28  # of inputs: a copy of so many is made in memory, a larger one on the disk
TICK_ROWS = 1000  # between two words of progress


def subset(place: Place, split: Split, rows: NDArray[np.int64], origin: str) -> Split:
    """The rows of ``split`` at the positions ``rows``: in memory, or memory-mapped where they and ``split`` are large.

    Args:
        place: where the cache is, and whom to tell of progress.
        split: of a prepared data set.
        rows: which, in the order that they shall have.
        origin: the name of the prepared data set (``Splits.origin``), which tells one source from another.

    Raises:
        OutputError: the cache cannot be written.
    """
    if not isinstance(split.inputs, np.memmap) or len(rows) * split.inputs[:1].nbytes <= MEMORY_BYTES:
        return take(split, rows)
    digest = hashlib.sha256(np.ascontiguousarray(rows, dtype="<i8").tobytes()).hexdigest()

    def build(folder: Path) -> Splits:
        path = folder / "rows.npy"
        with RowWriter(path, split.input_shape, split.inputs.dtype) as writer:
            for done, row in enumerate(rows, start=1):
                writer.append(split.inputs[row])
                if done % TICK_ROWS == 0:
                    place.progress("setting rows aside", done, len(rows))
        return Splits(Split(path, split.targets[rows], split.class_names))

    return prepared(place, "rows", {"origin": origin, "rows": digest}, build).train
