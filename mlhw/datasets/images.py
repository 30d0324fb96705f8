"""Image files into arrays of one size: decoded, turned upright, resized; the bad ones all reported at once."""

from __future__ import annotations

import collections
import contextlib
import os
import warnings
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets.decode import BadImage, read_image
from mlhw.datasets.npy import RowWriter
from mlhw.errors import DataError

SHOWN = 10  # bad files in a message
MOST_THREADS = 16  # each holds one decoded picture, at most 270 MB


@dataclass(frozen=True, slots=True)
class Picture:
    """One image file, its class index, and where it is named (a list's file and line), for messages."""

    path: str | Path  # a hundred thousand take 6 MB as text and 47 as Paths
    target: int
    where: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """What every picture becomes: ``size_pixels`` square with 1 or 3 ``channels``, squashed or cropped to it."""

    size_pixels: int
    resize: Literal["squash", "crop"] = "squash"
    channels: Literal[1, 3] = 3


def decode_splits(
    place: Place,
    folder: Path,
    lists: Mapping[str, Sequence[Picture]],
    class_names: tuple[str, ...],
    form: Format,
    *,
    skip_bad: bool,
    what: str = "pictures",
) -> Splits:
    """The splits of ``lists``, inputs uint8 (rows, size, size, channels) streamed to ``.npy`` files in ``folder``.

    Memory stays small whatever the number of pictures; the result does not depend on the number of threads.

    Args:
        place: whom to tell of progress.
        folder: as ``cache.prepared`` hands it to a build.
        lists: split name (train, and val and test where there are any) to its pictures, in order.
        class_names: of all targets.
        form: the size and shape of the result.
        skip_bad: leave out what cannot be read, and say so in ``skipped``.
        what: the name of the data, for the progress line.

    Raises:
        DataError: pictures cannot be read (all of them in one message), or none of a split can.
    """
    total = sum(map(len, lists.values()))
    bad: list[str] = []
    done = 0
    splits: dict[str, Split] = {}
    for name, pictures in lists.items():
        path = folder / f"{name}-pictures.npy"
        shape = (form.size_pixels, form.size_pixels, form.channels)
        targets: list[int] = []
        with RowWriter(path, shape, np.uint8) as writer, contextlib.closing(_decoded(pictures, form)) as results:
            for picture, result in zip(pictures, results, strict=True):
                done += 1
                place.progress(f"preparing {what}", done, total)
                if isinstance(result, BadImage):
                    bad.append(f"{picture.path}{f' ({picture.where})' if picture.where else ''}: {result}")
                else:
                    writer.append(result)
                    targets.append(picture.target)
        splits[name] = Split(path, np.array(targets, dtype=np.int64), class_names)
    _report(bad, splits, lists, total, skip_bad)
    return Splits(splits["train"], splits.get("val"), splits.get("test"), tuple(bad))


def _report(
    bad: list[str], splits: Mapping[str, Split], lists: Mapping[str, Sequence[Picture]], total: int, skip_bad: bool
) -> None:
    """Raise DataError for the bad pictures where they may not be skipped, or where a split is left with none."""
    empty = [name for name, split in splits.items() if not len(split)]
    if not bad and not empty:
        return
    listed = "".join(f"\n  {line}" for line in bad[:SHOWN])
    more = f"\n  and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    if not skip_bad and bad:
        raise DataError(
            f"{len(bad)} of {total} pictures cannot be used:{listed}{more}\n"
            "Repair or remove them, or set data.skip_bad: true to train without them."
        )
    if empty:
        had = len(lists[empty[0]])
        raise DataError(f"no picture of {empty[0]} (of {had} named) can be used:{listed}{more}")


def _decoded(pictures: Sequence[Picture], form: Format) -> Generator[NDArray[np.uint8] | BadImage, None, None]:
    """Each picture's array, or what is wrong with it, in order; a few at a time are decoded ahead in threads.

    Threads, not processes: Pillow lets go of the interpreter while it decodes and resizes.
    """
    threads = min(_cores(), MOST_THREADS, max(len(pictures), 1))
    ahead: collections.deque[Future[NDArray[np.uint8] | BadImage]] = collections.deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        with warnings.catch_warnings():  # Pillow's remarks on odd files; what matters is raised
            warnings.simplefilter("ignore")
            for picture in pictures:
                ahead.append(pool.submit(_one, picture.path, form))
                if len(ahead) >= 8 * threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _one(path: str | Path, form: Format) -> NDArray[np.uint8] | BadImage:
    try:
        return read_image(Path(path), form.size_pixels, resize=form.resize, channels=form.channels)
    except BadImage as bad:
        return bad


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
