"""The program's own help page, in the panels that Typer draws for its commands.

Typer draws with rich, whose Markdown and syntax modules take longer to load than all the rest of the page does.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from typer.core import TyperGroup

from mlhw.cli.lazy import LazyGroup

Row = tuple[str, str]
BOLD, CYAN, GREEN, YELLOW, DIM = "1", "1;36", "1;32", "33", "2"
LINES, ASCII_LINES = tuple("╭─╮│╰╯"), tuple("+-+|++")


class ProgramGroup(LazyGroup):
    """The commands, whose help page is drawn here."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is left of ``args``; the page itself where there are none."""
        if not args and not ctx.resilient_parsing:  # completion parses so: it asks for names, not for the page
            print(self.get_help(ctx), end="")  # noqa: T201  (Typer counts on rich's having printed it)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page of the whole program: options first, then the commands by their panels."""
        ctx.color = _coloured()  # else Click takes the colours out where FORCE_COLOR asks for them
        formatter.write(_Page(shutil.get_terminal_size((80, 24)).columns, ctx.color).of(self, ctx))


class _Page:
    """Text that is ``width`` columns wide."""

    def __init__(self, width: int, coloured: bool) -> None:
        self.width, self.coloured = max(40, width), coloured
        encoding = (sys.stdout.encoding or "").lower()
        self.lines = LINES if encoding.startswith("utf") else ASCII_LINES

    def of(self, group: TyperGroup, ctx: Any) -> str:
        usage = f" {self._in(YELLOW, 'Usage:')} {self._in(BOLD, ctx.command_path)} [OPTIONS] COMMAND [ARGS]..."
        panels = _commands(group, ctx)
        first = 2 + max((len(name) for rows in panels.values() for name, _ in rows), default=0)
        blocks = [f"\n{usage}\n", self._paragraph(group.help or ""), self._panel("Options", _options(group, ctx))]
        blocks += [self._panel(title, rows, first) for title, rows in panels.items()]
        return "\n".join([*blocks, "", self._paragraph(group.epilog or "")])

    def _paragraph(self, text: str) -> str:
        return "\n".join(f" {line}" for line in textwrap.wrap(text, self.width - 2)) + "\n"

    def _panel(self, title: str, rows: Sequence[Row], first: int = 0) -> str:
        left, bar, right, side, low_left, low_right = self.lines
        first = first or max(len(name) for name, _ in rows) + 2
        room = self.width - first - 4
        edge, drawn = self._in(DIM, side), []
        for name, words in rows:
            for number, line in enumerate(textwrap.wrap(words, room, break_on_hyphens=False) or [""]):
                shown = self._styled(name) + " " * (first - len(name)) if number == 0 else " " * first
                drawn.append(f"{edge} {shown}{line.ljust(room)} {edge}")
        top = f"{left}{bar} {title} {bar * (self.width - len(title) - 5)}{right}"
        bottom = f"{low_left}{bar * (self.width - 2)}{low_right}"
        return "\n".join([self._in(DIM, top), *drawn, self._in(DIM, bottom)])

    def _styled(self, name: str) -> str:
        words = name.split(" ")
        colours = [GREEN if word.startswith("-") and not word.startswith("--") else CYAN for word in words]
        return " ".join(self._in(colour, word) for colour, word in zip(colours, words, strict=True))

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.coloured and text else text


def _options(group: TyperGroup, ctx: Any) -> list[Row]:
    shown = [option for option in group.get_params(ctx) if not getattr(option, "hidden", False)]
    # "--help, -h" reads better than Click's order, which is that of the letters.
    names = [sorted(option.opts, key=lambda name: not name.startswith("--")) for option in shown]
    return [(" ".join(each), getattr(option, "help", "") or "") for each, option in zip(names, shown, strict=True)]


def _commands(group: TyperGroup, ctx: Any) -> Mapping[str, list[Row]]:
    """The names with their first paragraphs, by panel, both in the order in which they were added."""
    panels: dict[str, list[Row]] = {}
    for name in group.list_commands(ctx):
        command: Any = group.get_command(ctx, name)
        if not command.hidden:
            paragraph = (command.help or "").split("\n\n")[0]
            panels.setdefault(command.rich_help_panel or "Commands", []).append((name, _joined(paragraph.split("\n"))))
    return panels


def _joined(lines: Iterable[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _coloured() -> bool:
    """Whether stdout takes colours: NO_COLOR, FORCE_COLOR and TERM=dumb are honoured, in this order."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
