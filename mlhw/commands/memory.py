"""Memory given back to the system while training goes on."""

from __future__ import annotations

import ctypes
import sys
from time import monotonic

SECONDS_BETWEEN = 3.0


class Trimmer:
    """Asks glibc, every few seconds, to return what its heap holds unused; elsewhere it does nothing.

    A network's activations come and go in many sizes and leave holes that count as the process's memory.
    """

    def __init__(self) -> None:
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        self._last = monotonic()

    def __call__(self) -> None:
        if self._trim is not None and monotonic() - self._last >= SECONDS_BETWEEN:
            self._trim(0)
            self._last = monotonic()
