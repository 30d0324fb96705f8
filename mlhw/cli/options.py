"""Options and arguments that commands share, with their completion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def complete_experiments(incomplete: str) -> list[str]:
    """Experiment names that begin with what was typed."""
    from mlhw.config.find import available

    return [name for name in sorted(available()) if name.startswith(incomplete)]


def complete_runs(incomplete: str) -> list[str]:
    """Run ids that begin with what was typed, newest first, and ``latest``."""
    from mlhw.commands.settings import from_environment
    from mlhw.runs.store import run_ids

    latest = ["latest"] * "latest".startswith(incomplete)
    return latest + run_ids(from_environment().outputs, incomplete)


def complete_datasets(incomplete: str) -> list[str]:
    """Data set names that begin with what was typed."""
    from mlhw.datasets.sources import SOURCES

    return [name for name in sorted(SOURCES) if name.startswith(incomplete)]


ExperimentArgument = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        help="Name of an experiment (see `mlhw list`) or path of a YAML file.",
        autocompletion=complete_experiments,
        show_default=False,
    ),
]
RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Run id, a unique beginning of one, or `latest`.",
        autocompletion=complete_runs,
        show_default=False,
    ),
]
RunsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN…",
        help="Run ids, unique beginnings of some, or `latest`.",
        autocompletion=complete_runs,
        show_default=False,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", "-s", metavar="KEY=VALUE", help="Override a key of the experiment, e.g. -s train.lr=0.1. Repeatable."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, alone on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages but warnings and errors.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Also say which folders, data, model and device are used.")
]
OutFolder = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FOLDER", help="Where to write; otherwise within the run's folder.", show_default=False
    ),
]
