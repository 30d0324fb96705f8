"""compare."""

from __future__ import annotations

from typing import Annotated

import typer

from mlhw.cli.options import Json, complete_runs
from mlhw.errors import ConfigError, PartialResult


def complete_runs_and_sweeps(incomplete: str) -> list[str]:
    """Ids of sweeps and of runs that begin with what was typed, newest first, and ``latest-sweep`` and ``latest``."""
    from mlhw.commands.compare.names import all_sweeps
    from mlhw.commands.settings import from_environment

    ids = ["latest-sweep", *(folder.id for folder in all_sweeps(from_environment().outputs))]
    return [name for name in ids if name.startswith(incomplete)] + complete_runs(incomplete)


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN… | SWEEP…",
            help="Ids of runs or sweeps, unique beginnings of some, `latest` or `latest-sweep`.",
            autocompletion=complete_runs_and_sweeps,
            show_default=False,
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort", metavar="COLUMN", help="Default: val accuracy, best first; never test.", show_default=False
        ),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", "-r", help="The other way round.")] = False,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="A,B", help="Show these columns and no other.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show also what does not differ.")] = False,
    seeds: Annotated[
        bool, typer.Option("--seeds", help="One row for runs that differ in their seeds alone: mean ± sd, and n.")
    ] = False,
    each: Annotated[bool, typer.Option("--each", help="Every run of a sweep, not the means over its seeds.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")] = False,
    as_markdown: Annotated[bool, typer.Option("--md", help="Print the table as Markdown.")] = False,
    as_json: Json = False,
) -> None:
    """Runs, or the runs of a sweep, in one table: what differs in their settings, and what they reached."""
    from mlhw.cli import comparison
    from mlhw.cli import comparison_table as table
    from mlhw.cli.screen import print_json
    from mlhw.commands.compare.table import compare as compare_runs
    from mlhw.commands.settings import from_environment

    _one_of({"--seeds": seeds, "--each": each})
    _one_of({"--json": as_json, "--csv": as_csv, "--md": as_markdown})
    found = compare_runs(
        from_environment(),
        names or (),
        sort=sort,
        reverse=reverse,
        columns=[name for name in (columns or "").split(",") if name.strip()],
        everything=everything,
        folded=True if seeds else False if each else None,
    )
    if as_json:
        print_json(found.record())
    elif as_csv:
        typer.echo(comparison.as_csv(found), nl=False)
    elif as_markdown:
        typer.echo(comparison.as_markdown(found), nl=False)
    else:
        table.print_comparison(found)
    for note in [*found.notes, *found.damaged[:5]]:
        table.print_note(note)
    if found.damaged:
        raise PartialResult(f"{len(found.damaged)} of {len(found.rows)} rows could not be read whole.")


def _one_of(flags: dict[str, bool]) -> None:
    given = [flag for flag, is_given in flags.items() if is_given]
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} exclude each other. Give one of them.")
