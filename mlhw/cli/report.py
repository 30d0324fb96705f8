"""report."""

from __future__ import annotations

from typing import Annotated

import typer

from mlhw.cli.compare import complete_runs_and_sweeps
from mlhw.cli.options import Json, OutFolder, Quiet


def report(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN… | SWEEP…",
            help="Ids of runs or sweeps, unique beginnings of some, `latest` or `latest-sweep`.",
            autocompletion=complete_runs_and_sweeps,
            show_default=False,
        ),
    ] = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Also print it to report.pdf, with a Chromium that is installed.")
    ] = False,
    out: OutFolder = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """A run, several, or a sweep as one HTML file: verdict, curves, classes, mistakes, layers, config, how to reproduce."""
    from mlhw.cli.live import Live
    from mlhw.cli.screen import errors, print_json, results
    from mlhw.commands.report.report import report as write_report
    from mlhw.commands.settings import from_environment

    display = Live(quiet=quiet)
    try:
        found = write_report(from_environment(), names or (), out, pdf, display.progress)
    finally:
        display.end()
    if as_json:
        print_json(found)
        return
    for note in () if quiet else found["left_out"]:
        errors().print(note, style="dim")
    for path in (found["path"], found["pdf"]):
        if path:
            results().print(path)
