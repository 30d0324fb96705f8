"""Commands whose modules are imported when they are asked for.

Reading all commands takes 0.07 s, which every command would pay, and every press of the completion key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from mlhw.cli.guard import guarded


class Place(NamedTuple):
    """Where a command is defined: a function of a module of ``mlhw.cli``, or the places of a group's commands."""

    where: str | Mapping[str, str]
    panel: str = ""
    help: str = ""  # a group's; a command's is its docstring


class LazyCommands(MutableMapping[str, Any]):
    """Commands by name, in the order of ``places``; each is read when it is first taken."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = dict(places)
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = _read(name, self._places[name])
        return self._read[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._read[name] = command
        self._places.setdefault(name, Place(""))

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._read.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places  # Mapping's own would read the command


class LazyGroup(TyperGroup):
    """A group of the commands that lie at ``places``."""

    places: ClassVar[Mapping[str, Place]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.commands = LazyCommands(self.places)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, without reading what they name."""
        return list(self.commands)


def _read(name: str, place: Place) -> Any:
    """The command or group that lies at ``place``."""
    if isinstance(place.where, str):
        command: Any = _command(name, place.where)
    else:
        group = type("Group", (LazyGroup,), {"places": {each: Place(where) for each, where in place.where.items()}})
        command = typer.main.get_group(typer.Typer(cls=group, help=place.help, no_args_is_help=True))
        command.name = name
    command.rich_help_panel = place.panel or None
    return command


def _command(name: str, where: str) -> TyperCommand:
    module, _, attribute = where.partition(":")
    function: Callable[..., None] = getattr(import_module(f"mlhw.cli.{module}"), attribute)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name, cls=getattr(function, "command_class", None))(guarded(function))
    command = typer.main.get_command(alone)
    assert isinstance(command, TyperCommand), f"{where} is a group"
    return command
