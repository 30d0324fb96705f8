"""Progress as it happens: a live bar on a terminal, one line an epoch elsewhere; always on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from mlhw.cli.screen import Screen, errors, percent, plain, seconds
from mlhw.protocols import EpochRow
from mlhw.training.state import LoopState, MemberEpoch

FIELDS = ("numbers", "rate", "left")
ROOMY, TIGHT = 130, 90  # columns: from the first there is room for every split, below the second for little


class Live:
    """A :class:`mlhw.commands.display.Display` for the command line."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.screen: Screen = errors()
        self.quiet, self.verbose = quiet, verbose
        # Not rich's own answer: FORCE_COLOR asks for colours, not for a live bar in a log file.
        self.live = sys.stderr.isatty() and not self.screen.console.is_dumb_terminal
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._what = ""
        self._epochs = self._first = 0
        self._began = 0.0
        self._rows_per_second = 0.0

    def say(self, text: str) -> None:
        if not self.quiet:
            self.screen.print(text)

    def detail(self, text: str) -> None:
        if self.verbose:
            self.screen.print(text, style="dim")

    def warn(self, text: str) -> None:
        self.screen.print(f"warning: {text}", style="yellow")

    # -- work of a known length, such as preparing data ------------------------------------------------------------------

    def progress(self, what: str, done: int, total: int) -> None:
        if self.quiet:
            return
        if not self.live:
            if what != self._what:
                self._what = what
                self.screen.print(f"{what} …")
            return
        if self._bar is None or self._what != what:
            self.end()
            self._what = what
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
                TextColumn("{task.fields[left]}", justify="right"),
                console=self.screen.console,
                transient=True,
                expand=True,
            )
            self._began = monotonic()
            self._task = self._bar.add_task(plain(what).plain, total=total, left="")
            self._bar.start()
        assert self._task is not None
        self._bar.update(self._task, completed=done, total=total, left=_left(monotonic() - self._began, done, total))
        if done >= total:
            self.end()

    # -- training --------------------------------------------------------------------------------------------------------

    def begin(self, epochs: int, state: LoopState) -> None:
        self.end()
        self._epochs, self._first, self._began = epochs, state.epoch, monotonic()
        if self.quiet or not self.live:
            return
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.total:.0f}"),
            BarColumn(bar_width=None),
            *(TextColumn(f"{{task.fields[{name}]}}", table_column=Column(no_wrap=True)) for name in FIELDS),
            console=self.screen.console,
            transient=True,
            expand=True,
            refresh_per_second=5,
        )
        blank: dict[str, Any] = {"epoch": state.epoch + 1, "numbers": "", "rate": "", "left": ""}
        self._task = self._bar.add_task("", total=epochs, completed=state.epoch, **blank)
        self._bar.start()

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None:
        if self._bar is not None:
            self._move(epoch - 1 + rows_done / rows_total, epoch=epoch)

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None:
        if self.quiet:
            return
        one, epoch = len(members) == 1, max(member.state.epoch for member in members)
        rows = members[0].rows if one else _best(members)
        for member in members:
            if member.state.lost:
                self.warn(f"member {member.member + 1}: {member.state.lost}")
        if not rows:
            return
        if self._bar is not None:
            self._move(epoch, numbers=self._brief(rows), epoch=min(epoch + 1, self._epochs))
        elif not self.live:
            mark = "  best" if one and members[0].improved and any(row.split == "val" for row in rows) else ""
            many = "" if one else f"{len(members)} at once, the best: "
            spent = seconds(sum(row.seconds for member in members for row in member.rows))
            self.screen.print(f"epoch {epoch}/{self._epochs}  {many}{_numbers(rows)}  {spent}{mark}")

    def _brief(self, rows: list[EpochRow]) -> str:
        width = self.screen.console.width
        if width < TIGHT:
            return f"{rows[-1].split} {percent(rows[-1].accuracy)}"
        return _numbers(rows if width >= ROOMY else rows[-1:])

    def _move(self, completed: float, **fields: Any) -> None:
        assert self._bar is not None
        assert self._task is not None
        spent, gone = monotonic() - self._began, completed - self._first
        rate = (
            f"{gone / spent:.2f} epochs/s"
            if spent and gone >= spent
            else f"{seconds(spent / gone)}/epoch"
            if gone
            else ""
        )
        left = _left(spent, gone, self._epochs - self._first)
        if self.screen.console.width < TIGHT:
            rate = ""
        self._bar.update(self._task, completed=completed, rate=rate, left=left, **fields)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None
        self._what = ""


def _best(members: Sequence[MemberEpoch]) -> list[EpochRow]:
    """The rows of the member that did best in this epoch, on val where there is val, else in training."""

    def accuracy(rows: list[EpochRow]) -> float:
        return next((row.accuracy for split in ("val", "train") for row in rows if row.split == split), -1.0)

    return max((member.rows for member in members), key=accuracy)


def _numbers(rows: list[EpochRow]) -> str:
    return "  ".join(f"{row.split} loss {row.loss:.4f} acc {percent(row.accuracy)}" for row in rows)


def _left(spent: float, done: float, total: float) -> str:
    return f"{seconds(spent / done * (total - done))} left" if done else ""
