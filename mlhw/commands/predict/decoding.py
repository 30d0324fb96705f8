"""Pictures decoded ahead in threads, in order, in a bounded memory."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np

from mlhw.commands.predict.reading import Reader
from mlhw.datasets.picture_memory import MOST_MEMORY
from mlhw.datasets.pictures import BadImage
from mlhw.datasets.room import Room
from mlhw.datasets.walking import Found

MOST_TOGETHER: Final = 1_200 * 10**6  # bytes of all decoders: three of the largest pictures
MOST_THREADS: Final = 16
AHEAD: Final = 4  # pictures a thread

Decoded = np.ndarray | str  # an example, or why there is none


def decoded(pictures: Sequence[Found], reader: Reader) -> Generator[tuple[Found, Decoded], None, None]:
    """Each of ``pictures`` with its example or the reason why it has none, in order.

    Closing the generator, or an exception in between, ends the threads.
    """
    threads = min(os.cpu_count() or 1, MOST_THREADS, max(1, len(pictures)))
    room, running = Room(MOST_TOGETHER, MOST_MEMORY), deque[tuple[Found, Future[Decoded]]]()
    pool = ThreadPoolExecutor(threads, "decode")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's of odd pictures, from many threads
        try:
            for picture in pictures:
                running.append((picture, pool.submit(_one, picture, reader, room)))
                if len(running) >= AHEAD * threads:
                    first, future = running.popleft()
                    yield first, future.result()
            while running:
                first, future = running.popleft()
                yield first, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _one(picture: Found, reader: Reader, room: Room) -> Decoded:
    if picture.problem is not None:
        return picture.problem
    try:
        with room.share() as share:
            return reader.read(picture.path, share.need)
    except BadImage as bad:
        return str(bad) or "damaged"
    except Exception as error:  # whatever a picture does, it is the only one to be left out
        return f"damaged ({type(error).__name__}: {error})"
