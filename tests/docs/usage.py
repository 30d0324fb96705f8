"""What there is to type: commands and options, from the program itself."""

from __future__ import annotations

import functools
import re
import shlex
from typing import Any

OPTION = re.compile(r"--?[a-z][a-z-]*")
META = re.compile(r"[A-Z…\[]|<|…")


@functools.cache
def program() -> Any:
    """The click command that Typer makes of the app."""
    from typer.main import get_command

    from mlhw.cli.app import app

    return get_command(app)


def faults(code: str) -> list[str]:
    """What is wrong with ``code``, which begins with ``mlhw``: commands and options that there are not."""
    words = shlex.split(code.replace("…", " "), comments=True)
    if not words or words[0] != "mlhw":
        return []
    alternatives = [words[1:]]
    for place, word in enumerate(words[1:]):  # `mlhw data list|fetch` names two commands
        if "|" in word and not word.startswith("-"):
            alternatives = [[*words[1 : place + 1], each, *words[place + 2 :]] for each in word.split("|")]
            break
    return [fault for each in alternatives for fault in _faults(each)]


def _faults(words: list[str]) -> list[str]:
    command, found = program(), []
    options: set[str] = set()
    for word in words:
        children = getattr(command, "commands", None)
        if children and not word.startswith("-"):
            if word.isupper():  # it stands for any command
                return found
            if word not in children:
                return [*found, f"no command '{word}' in '{command.name}'"]
            command = children[word]
        elif word.startswith("-"):
            options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
            name = word.split("=")[0]
            if OPTION.fullmatch(name) and name not in options | {"--help", "-h", "--debug"}:
                found.append(f"no option '{name}' of '{command.name}'")
    return found
