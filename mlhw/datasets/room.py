"""Memory that several threads share: each says what it needs before it takes it, and waits while the others have too much."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """``most`` bytes for all threads together, of which one may need up to ``largest``."""

    def __init__(self, most: int, largest: int) -> None:
        """Raises ValueError where not even one has room."""
        if most < largest:
            raise ValueError(f"{most:,} bytes for all, but {largest:,} for one")
        self.most, self.largest = most, largest
        self.taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def share(self) -> Iterator[Share]:
        """A block at whose end all that was taken in it is given back."""
        share = Share(self)
        try:
            yield share
        finally:
            self._take(-share.bytes)

    def _take(self, more: int, apart: int = 0) -> None:
        """Take ``more`` bytes once they are free with ``apart`` more beside them, or nobody else has any."""
        with self._changed:
            self._changed.wait_for(lambda: more <= 0 or not self.taken or self.taken + more + apart <= self.most)
            self.taken += more
            self._changed.notify_all()


class Share:
    """What one thread has of a ``Room``. It asks once with a first guess, and once more when it knows better.

    So none waits for another that waits: a first request leaves room for one to grow to the largest there is, and who has
    grown asks for nothing any more.
    """

    def __init__(self, room: Room) -> None:
        self.room, self.bytes = room, 0

    def need(self, total: int) -> None:
        """Wait until this thread may have ``total`` bytes, those that it has included; what it has it keeps."""
        more = min(total, self.room.largest) - self.bytes
        if more > 0:
            self.room._take(more, 0 if self.bytes else self.room.largest)
            self.bytes += more
