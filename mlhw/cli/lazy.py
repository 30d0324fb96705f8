"""Commands whose modules are imported when they are asked for.

Reading all commands takes 0.07 s, which every command would pay, and every press of the completion key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple, cast

import typer
from typer.core import TyperCommand, TyperGroup

from mlhw.cli.guard import guarded


class Place(NamedTuple):
    """Where a command is defined: a function of a module of ``mlhw.cli``, or the places of a group's commands."""

    where: str | Mapping[str, str]
    panel: str = ""
    help: str = ""  # a group's; a command's is its docstring
    command_class: str = ""  # where a command's own subclass of Command is defined


class LazyCommands(Mapping[str, Any]):
    """Commands by name, in the order of ``places``; each is read when it is first taken."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = places
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = _read(name, self._places[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places  # Mapping's own would read the command


class _WordsInCompletion:
    """Parameters that keep the words as they are while a line is being completed.

    Typer reads them with pydantic, whose import takes a third of the time between the key and the answer.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]  # of the command that this is mixed into
        for parameter in parameters:
            if ctx.resilient_parsing:
                parameter.process_value = _as_it_is
            else:
                vars(parameter).pop("process_value", None)
        return parameters


def _as_it_is(ctx: Any, word: Any) -> Any:
    return word


class Command(_WordsInCompletion, TyperCommand):
    """A command; what it takes, its function's annotations say."""


class LazyGroup(_WordsInCompletion, TyperGroup):
    """A group of the commands that lie at ``places``."""

    places: ClassVar[Mapping[str, Place]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.commands = cast(dict[str, Any], LazyCommands(self.places))  # Typer only reads them

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, without reading what they name."""
        return list(self.commands)


def _read(name: str, place: Place) -> Any:
    """The command or group that lies at ``place``."""
    if isinstance(place.where, str):
        command: Any = _command(name, place.where, place.command_class)
    else:
        group = type("Group", (LazyGroup,), {"places": {each: Place(where) for each, where in place.where.items()}})
        command = typer.main.get_group(typer.Typer(cls=group, help=place.help, no_args_is_help=True))
        command.name = name
    command.rich_help_panel = place.panel or None
    return command


def _command(name: str, where: str, command_class: str) -> Command:
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name, cls=_found(command_class) if command_class else Command)(guarded(_found(where)))
    command = typer.main.get_command(alone)
    assert isinstance(command, Command), f"{where} is not a command of this module's class"
    return command


def _found(where: str) -> Any:
    module, _, attribute = where.partition(":")
    return getattr(import_module(f"mlhw.cli.{module}"), attribute)
