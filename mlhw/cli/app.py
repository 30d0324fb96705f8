"""The commands and their groups."""

from __future__ import annotations

from typing import Annotated

import typer

from mlhw.cli import (
    check,
    compare,
    data,
    doctor,
    evaluate,
    grade,
    graph,
    predict,
    report,
    reproduce,
    runs,
    summary,
    sweep,
    train,
    weights,
)
from mlhw.cli.guard import guarded
from mlhw.cli.help_page import ProgramGroup
from mlhw.cli.pretrained import pretrained_app

app = typer.Typer(
    name="mlhw",
    cls=ProgramGroup,
    help="Run the classic deep-learning exercises: one command each, small, exact, reproducible.",
    epilog="Start with: mlhw train digits-cnn",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        import mlhw

        typer.echo(f"mlhw {mlhw.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks (anywhere on the line; or MLHW_DEBUG=1).")
    ] = False,
) -> None:
    """Run the classic deep-learning exercises: one command each, small, exact, reproducible."""


PANELS = (
    ("Experiments", train.COMMANDS | sweep.COMMANDS),
    (
        "Runs",
        runs.COMMANDS
        | compare.COMMANDS
        | evaluate.COMMANDS
        | predict.COMMANDS
        | report.COMMANDS
        | grade.COMMANDS
        | reproduce.COMMANDS,
    ),
    ("Mathematics", summary.COMMANDS | graph.COMMANDS),
    ("Data", doctor.COMMANDS),
)
for panel, commands in PANELS:
    for name, function in commands.items():
        app.command(name, rich_help_panel=panel, cls=graph.CLASSES.get(name))(guarded(function))

check_app = typer.Typer(
    help="Check derivatives written by hand: mlhw's own, or those of your file.", no_args_is_help=True
)
for name, function in check.COMMANDS.items():
    check_app.command(name)(guarded(function))
app.add_typer(check_app, name="check", rich_help_panel="Mathematics")

app.add_typer(pretrained_app, name="pretrained", rich_help_panel="Pretrained")

data_app = typer.Typer(help="List, fetch, verify and preview data sets.", no_args_is_help=True)
for name, function in data.COMMANDS.items():
    data_app.command(name)(guarded(function))
app.add_typer(data_app, name="data", rich_help_panel="Data")

weights_app = typer.Typer(help="List and fetch the weights of pretrained networks.", no_args_is_help=True)
for name, function in weights.COMMANDS.items():
    weights_app.command(name)(guarded(function))
app.add_typer(weights_app, name="weights", rich_help_panel="Pretrained")
