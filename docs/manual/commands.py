"""The reference of commands, from the program itself: nothing of it is written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command


def reference() -> str:
    """Every command as Markdown, in the order of ``mlhw --help``: how it is typed, what it does, its arguments and options."""
    from mlhw.cli.app import app

    parts: list[str] = []
    for words, command in _commands(get_command(app), ()):
        parts += [f"## mlhw {' '.join(words)}", "", *_page(words, command), ""]
    return "\n".join(parts)


def _commands(group: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        elif not command.hidden:
            yield (*words, name), command


def _page(words: tuple[str, ...], command: Any) -> list[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    shown = " ".join(["mlhw", *words, *(_argument(each) for each in arguments), "[OPTIONS]"])
    lines = ["```text", shown, "```", "", *plain(command.help or "").splitlines(), ""]
    if arguments:
        lines += ["| argument | what it is |", "|---|---|"]
        lines += [f"| `{_argument(each)}` | {_cell(each.help)} |" for each in arguments] + [""]
    lines += ["| option | default | what it does |", "|---|---|---|"]
    return lines + [f"| {_option(each)} | {_default(each)} | {_cell(each.help)} |" for each in options]


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name.upper()).replace("...", "…")
    return name if parameter.required or name.startswith("[") else f"[{name}]"


def _option(parameter: Any) -> str:
    names = ", ".join(
        f"`{name}`" for name in sorted([*parameter.opts, *parameter.secondary_opts], key=len, reverse=True)
    )
    value = "" if parameter.is_flag else parameter.metavar or _kind(parameter)
    return f"{names} `{value}`" if value else names


def _kind(parameter: Any) -> str:
    """What stands for an option's value where its author named nothing."""
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    return {int: "N", float: "X", str: "TEXT", Path: "PATH"}.get(annotation, "VALUE")


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or callable(value) or value in (False, [], ()) or "default:" in (parameter.help or ""):
        return ""
    return f"`{value}`"


def _cell(text: str | None) -> str:
    return " ".join(plain(text or "").split()).replace("|", "\\|")


def plain(text: str) -> str:
    """A help text as Markdown: what would be read as HTML or as mathematics is not."""
    return text.replace("``", "`").replace("<", "&lt;").replace("$", "\\$")
