"""Whom a command tells of its progress. The command line draws it; a notebook or a test may leave it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mlhw.training.state import LoopState, MemberEpoch


class Display(Protocol):
    """Messages and progress, never results."""

    def say(self, text: str) -> None:
        """A message."""

    def detail(self, text: str) -> None:
        """A message for who asked for more."""

    def warn(self, text: str) -> None:
        """A message that should be read."""

    def progress(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` of some work; it is over when they are equal."""

    def begin(self, epochs: int, state: LoopState) -> None:
        """Training begins, or goes on after ``state.epoch``."""

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        """Within an epoch, several times a second at most."""

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None:
        """An epoch is over, for every member that still trained in it."""

    def end(self) -> None:
        """Training is over, however it ended."""


class Silent:
    """Shows nothing."""

    def say(self, text: str) -> None: ...

    def detail(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def progress(self, what: str, done: int, total: int) -> None: ...

    def begin(self, epochs: int, state: LoopState) -> None: ...

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None: ...

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None: ...

    def end(self) -> None: ...
