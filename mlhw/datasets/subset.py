"""Rows of a prepared split that are too many for memory: copied once into the cache, and memory-mapped like it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

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
        origin: the prepared data set's (``Splits.origin``), which tells it from others.

    Raises:
        OutputError: the cache cannot be written.
    """
    if not isinstance(split.inputs, np.memmap) or len(rows) * split.inputs[:1].nbytes <= MEMORY_BYTES:
        return take(split, rows)
    digest = hashlib.sha256(np.ascontiguousarray(rows, dtype="<i8").tobytes()).hexdigest()
    chosen = (split.inputs[row] for row in rows)
    return _on_disk(place, split, chosen, split.targets[rows], {"origin": origin, "rows": digest})


def joined(place: Place, splits: Splits) -> Splits:
    """``splits`` with val's rows after train's, and no val: in memory, or memory-mapped where they are and are large.

    Raises:
        OutputError: the cache cannot be written.
    """
    train, val = splits.train, splits.val
    assert val is not None
    origin = f"{splits.origin}+val"
    targets = np.concatenate([train.targets, val.targets])
    if not isinstance(train.inputs, np.memmap) or train.inputs.nbytes + val.inputs.nbytes <= MEMORY_BYTES:
        both = replace(train, inputs=np.concatenate([train.inputs, val.inputs]), targets=targets)
    else:
        both = _on_disk(place, train, chain(train.inputs, val.inputs), targets, {"origin": origin})
    return replace(splits, train=both, val=None, origin=origin)


def _on_disk(
    place: Place, like: Split, rows: Iterable[np.ndarray], targets: NDArray[np.int64], settings: Mapping[str, Any]
) -> Split:
    """A split of ``rows``, of the shape and type of those of ``like``, in the cache; ``settings`` tell it from others."""

    def build(folder: Path) -> Splits:
        path = folder / "rows.npy"
        with RowWriter(path, like.input_shape, like.inputs.dtype) as writer:
            for done, row in enumerate(rows, start=1):
                writer.append(row)
                if done % TICK_ROWS == 0:
                    place.progress("setting rows aside", done, len(targets))
        return Splits(Split(path, targets, like.class_names))

    return prepared(place, "rows", dict(settings), build).train
