"""The commands and their groups: what there is, and where each is defined."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from mlhw.cli.help_page import ProgramGroup
from mlhw.cli.lazy import Place

EXPERIMENTS, RUNS, MATHEMATICS, DATA, PRETRAINED = "Experiments", "Runs", "Mathematics", "Data", "Pretrained"


class Program(ProgramGroup):
    """Every command: ``module:function`` in ``mlhw.cli``, and the panel of the help page that shows it."""

    places: ClassVar[dict[str, Place]] = {
        "list": Place("train:list_experiments", EXPERIMENTS),
        "train": Place("train:train", EXPERIMENTS),
        "resume": Place("train:resume", EXPERIMENTS),
        "sweep-lr": Place("sweep:sweep_lr", EXPERIMENTS),
        "sweep": Place("sweep:sweep", EXPERIMENTS),
        "runs": Place("runs:runs", RUNS),
        "show": Place("runs:show", RUNS),
        "plot": Place("runs:plot", RUNS),
        "export": Place("runs:export", RUNS),
        "rm": Place("runs:remove", RUNS),
        "compare": Place("compare:compare", RUNS),
        "evaluate": Place("evaluate:evaluate", RUNS),
        "predict": Place("predict:predict", RUNS),
        "report": Place("report:report", RUNS),
        "grade": Place("grade:grade", RUNS),
        "reproduce": Place("reproduce:reproduce", RUNS),
        "summary": Place("summary:summary", MATHEMATICS),
        "graph": Place("graph:graph", MATHEMATICS, command_class="graph:ExpressionCommand"),
        "doctor": Place("doctor:doctor", DATA),
        "check": Place(
            {"gradients": "check:gradients", "jacobians": "check:jacobians"},
            MATHEMATICS,
            "Check derivatives written by hand: mlhw's own, or those of your file.",
        ),
        "pretrained": Place(
            {"classify": "classify:classify", "compare": "classify:compare", "filters": "filters:filters"},
            PRETRAINED,
            "Pretrained networks on your own pictures.",
        ),
        "data": Place(
            {"list": "data:list_data", "fetch": "data:fetch", "verify": "data:verify", "preview": "data:preview"},
            DATA,
            "List, fetch, verify and preview data sets.",
        ),
        "weights": Place(
            {"list": "weights:list_weights", "fetch": "weights:fetch"},
            PRETRAINED,
            "List and fetch the weights of pretrained networks.",
        ),
    }


app = typer.Typer(
    name="mlhw",
    cls=Program,
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
