"""What the workers of a sweep say, on one display."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlhw.commands.display import Display
from mlhw.commands.sweep.work import Unit


class Listening:
    """Shows one unit's own bar where one works at a time, else one bar for all: epochs of runs, of all that there are."""

    def __init__(self, units: Sequence[Unit], display: Display, at_once: int) -> None:
        self.units, self.display, self.alone = units, display, at_once == 1
        self._reached = {unit.number: 0.0 for unit in units}
        self._total = sum(unit.epochs * len(unit.trials) for unit in units)

    def hear(self, index: int, event: tuple[Any, ...]) -> None:
        """Take one event of unit ``index``: the name of a method of ``Display``, and its arguments."""
        name, arguments = event[0], event[1:]
        unit = self.units[index]
        if name == "warn":
            self.display.warn(
                f"{unit.labels[0] if len(unit.labels) == 1 else f'{len(unit.labels)} runs'}: {arguments[0]}"
            )
        elif self.alone:
            getattr(self.display, name)(*arguments)
        elif name == "begin":
            self._move(index, arguments[1].epoch)
        elif name == "on_epoch":
            self._move(index, max(member.state.epoch for member in arguments[0]))
        elif name in ("say", "detail"):
            self.display.detail(arguments[0])

    def done(self, index: int) -> None:
        """Unit ``index`` is over."""
        if not self.alone:
            self._move(index, self.units[index].epochs)

    def _move(self, index: int, epoch: float) -> None:
        self._reached[index] = epoch * len(self.units[index].trials)
        self.display.progress("training", int(sum(self._reached.values())), self._total)
