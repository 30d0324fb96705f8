"""What a person sees: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlhw.files import finite

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(value: object) -> Text:
    """``value`` as text without markup or control characters: names may come from a stranger's data."""
    return Text(_CONTROL.sub("�", str(value)))


class Screen:
    """One of the two streams."""

    def __init__(self, *, stderr: bool) -> None:
        self.console = Console(stderr=stderr, highlight=False, soft_wrap=True)

    def print(self, value: object = "", style: str | None = None) -> None:
        """One line or renderable."""
        self.console.print(plain(value) if isinstance(value, str) else value, style=style)

    def print_error(self, message: str) -> None:
        """An error's message, marked as one."""
        self.console.print(Text.assemble(("error: ", "bold red"), plain(message)))

    def print_table(self, headers: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> None:
        """A plain table without frames: it survives being copied and piped."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for index, header in enumerate(headers):
            number = index in right
            table.add_column(header, justify="right" if number else "left", no_wrap=number, overflow="fold")
        for row in rows:
            table.add_row(*(cell if isinstance(cell, Text) else plain("" if cell is None else cell) for cell in row))
        width = self.console.width if self.console.is_terminal else max(160, self.console.width)
        self.console.print(table, soft_wrap=False, width=width)


def results() -> Screen:
    """Standard output."""
    return Screen(stderr=False)


def errors() -> Screen:
    """Standard error."""
    return Screen(stderr=True)


def print_json(value: Any) -> None:
    """One JSON object on one line of stdout, and nothing else."""
    typer_echo(json.dumps(finite(value), ensure_ascii=False, allow_nan=False))


def typer_echo(text: str) -> None:
    """``text`` as it is, to stdout."""
    import typer

    typer.echo(text)


def percent(value: float | None) -> str:
    """``0.9812`` as ``98.12 %``; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.2f} %"


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
