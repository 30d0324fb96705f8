"""Progress where a notebook can show it: one line that is drawn over, and stays as it was at the end. Elsewhere nothing."""

from __future__ import annotations

import html
import logging
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any

from mlhw.commands.display import Display
from mlhw.protocols import EpochRow
from mlhw.training.state import LoopState, MemberEpoch

LOG = logging.getLogger("mlhw")
SECONDS_BETWEEN = 0.2


def display(quiet: bool) -> Display:
    """What shows the progress of a call: a line in a notebook, unless it shall be ``quiet``; elsewhere nothing."""
    return Logging() if quiet or not in_notebook() else NotebookLine()


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel. Loads nothing: without IPython it is none."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None


class Logging:
    """Messages go to the logger ``mlhw``: warnings are seen, the rest only by who asks for it. No progress."""

    def say(self, text: str) -> None:
        LOG.info("%s", text)

    def detail(self, text: str) -> None:
        LOG.debug("%s", text)

    def warn(self, text: str) -> None:
        LOG.warning("%s", text)

    def progress(self, what: str, done: int, total: int) -> None: ...

    def begin(self, epochs: int, state: LoopState) -> None: ...

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None: ...

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None: ...

    def end(self) -> None: ...


class NotebookLine(Logging):
    """As :class:`Logging`, with one line of output for the progress."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = 0.0
        self._epochs = self._first = 0
        self._epoch_began = self._began = monotonic()
        self._last: tuple[float, str] = (0.0, "")  # the share that is done, and the words beside it
        self._numbers = ""

    def progress(self, what: str, done: int, total: int) -> None:
        self._draw(done / total if total else 1.0, f"{what} {done:,}/{total:,}", last=done >= total)

    def begin(self, epochs: int, state: LoopState) -> None:
        self._epochs, self._first, self._began = epochs, state.epoch, monotonic()

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        self._draw((epoch - 1 + rows_done / rows_total) / self._epochs, self._words(epoch))

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None:
        epoch = max(member.state.epoch for member in members)
        for member in members:
            if member.state.lost:
                self.warn(f"member {member.member + 1}: {member.state.lost}")
        if members[0].rows:
            self._numbers = numbers(members[0].rows) if len(members) == 1 else f"{len(members)} runs at once"
        self._draw(epoch / self._epochs, self._words(epoch))

    def end(self) -> None:
        if self._handle is not None:
            self._draw(*self._last, last=True)
        self._handle, self._numbers = None, ""

    def _words(self, epoch: int) -> str:
        spent = f"{monotonic() - self._began:.1f} s"
        return "  ".join(part for part in (f"epoch {epoch}/{self._epochs}", self._numbers, spent) if part)

    def _draw(self, share: float, words: str, *, last: bool = False) -> None:
        self._last = (share, words)
        if not last and monotonic() - self._shown < SECONDS_BETWEEN:
            return
        from IPython.display import display

        self._shown = monotonic()
        bar = f'<progress value="{min(share, 1.0):.4f}" max="1" style="width:12em" aria-label="progress"></progress>'
        line = f"{bar} <code>{html.escape(words)}</code>"
        bundle = {"text/plain": words, "text/html": line}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def numbers(rows: Sequence[EpochRow]) -> str:
    """``val loss 0.1896 acc 98.00 %`` of the last of ``rows``."""
    row = rows[-1]
    return f"{row.split} loss {row.loss:.4f} acc {100 * row.accuracy:.2f} %"
