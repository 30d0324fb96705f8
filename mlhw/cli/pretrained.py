"""pretrained classify, compare, filters."""

from __future__ import annotations

from collections.abc import Callable

import typer

from mlhw.cli import classify, filters
from mlhw.cli.guard import guarded

COMMANDS: dict[str, Callable[..., None]] = {**classify.COMMANDS, **filters.COMMANDS}

pretrained_app = typer.Typer(help="Pretrained networks on your own pictures.", no_args_is_help=True)
for name, function in COMMANDS.items():
    pretrained_app.command(name)(guarded(function))
