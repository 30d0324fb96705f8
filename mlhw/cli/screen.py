"""What a person sees: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mlhw.files import finite

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(value: object) -> Text:
    """``value`` as text without markup or control characters: names may come from a stranger's data."""
    return Text(_CONTROL.sub("�", str(value)))


PIPED_WIDTH = 200  # columns where no terminal says how many it has: a file should not be folded


class _Console(Console):
    """Leaves a closed pipe to the caller; rich itself would end the program, and with it a training."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Screen:
    """One of the two streams."""

    def __init__(self, *, stderr: bool) -> None:
        self.console = _Console(stderr=stderr, highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = PIPED_WIDTH

    def print(self, value: object = "", style: str | None = None) -> None:
        """One line or renderable."""
        self.console.print(plain(value) if isinstance(value, str) else value, style=style)

    def print_error(self, message: str) -> None:
        """An error's message, marked as one."""
        self.console.print(Text.assemble(("error: ", "bold red"), plain(message)))

    def print_table(
        self,
        headers: Sequence[str],
        rows: Iterable[Sequence[object]],
        right: Sequence[int] = (),
        spare: Sequence[int] = (),
    ) -> None:
        """A plain table without frames: it survives being copied and piped.

        The first column and those that align ``right`` are never broken: names and numbers are copied from tables. Where
        the terminal is too narrow, the columns ``spare`` go, first to last.
        """
        rows, shown = list(rows), list(range(len(headers)))
        for gone in [None, *spare]:
            shown = [index for index in shown if index != gone]
            table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
            for index in shown:
                keep = index == 0 or index in right or index in spare
                table.add_column(
                    headers[index], justify="right" if index in right else "left", no_wrap=keep, overflow="fold"
                )
            for row in rows:
                table.add_row(*(_cell(row[index]) for index in shown))
            unbounded = self.console.options.update(width=10_000)
            if Measurement.get(self.console, unbounded, table).maximum <= self.console.width:
                break
        self.console.print(table, soft_wrap=False)


def _cell(value: object) -> Text:
    return value if isinstance(value, Text) else plain("" if value is None else value)


def results() -> Screen:
    """Standard output."""
    return Screen(stderr=False)


def errors() -> Screen:
    """Standard error."""
    return Screen(stderr=True)


def print_json(value: Any) -> None:
    """One JSON object on one line of stdout, and nothing else."""
    typer.echo(json.dumps(finite(value), ensure_ascii=False, allow_nan=False))


def percent(value: float | None) -> str:
    """``0.9812`` as ``98.12 %``; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.2f} %"


def megabytes(size: int) -> str:
    """A size in bytes as ``11.6 MB``; a dash for none."""
    return f"{size / 1e6:,.1f} MB" if size else "–"


def seconds(value: float | None) -> str:
    """A duration to read: ``0.8 s``, ``42 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if value is None:
        return "–"
    if value < 10:
        return f"{value:.1f} s"
    if value < 90:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
