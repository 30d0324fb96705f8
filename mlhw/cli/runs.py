"""runs, show, plot, export, rm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlhw.cli.options import Json, OutFolder, RunArgument, RunsArgument


def complete_formats(incomplete: str) -> list[str]:
    """What ``export`` writes, as far as it begins with what was typed."""
    return [name for name in ("weights", "tensorboard", "mlflow") if name.startswith(incomplete)]


def runs(
    everything: Annotated[bool, typer.Option("--all", help="All runs, not the newest 20 alone.")] = False,
    as_json: Json = False,
) -> None:
    """The newest runs, with what they reached."""
    from mlhw.cli.screen import percent, print_json, results, seconds
    from mlhw.commands.inspect import runs as list_runs
    from mlhw.commands.settings import from_environment

    settings = from_environment()
    records = list_runs(settings, None if everything else 20)
    if as_json:
        for record in records:
            print_json(record)
        return
    if not records:
        results().print(f"no runs in {settings.outputs} yet; `mlhw train digits-cnn` makes one")
        return
    rows = [
        (
            r["run_id"],
            r["status"],
            r["epochs"],
            percent(r["val_accuracy"]),
            percent(r["test_accuracy"]),
            seconds(r["seconds_training"]),
        )
        for r in records
    ]
    results().print_table(
        ("run", "status", "epochs", "val acc", "test acc", "training"), rows, right=(2, 3, 4, 5), spare=(3, 5, 2)
    )


def show(run: RunArgument, as_json: Json = False) -> None:
    """One run: its numbers, the judgement of its curves, what it confuses, its files."""
    from mlhw.cli.screen import print_json
    from mlhw.cli.showing import print_run
    from mlhw.commands.inspect import show as show_run
    from mlhw.commands.settings import from_environment

    record = show_run(from_environment(), run)
    if as_json:
        print_json(record)
    else:
        print_run(record)


def plot(runs: RunsArgument, out: OutFolder = None, as_json: Json = False) -> None:
    """Draw all figures of one run anew, or the curves of several on one figure; PNG and SVG."""
    from mlhw.cli.live import Live
    from mlhw.commands.plot import plot as plot_runs
    from mlhw.commands.settings import from_environment

    display = Live()
    try:
        paths = plot_runs(from_environment(), runs, out, display)
    finally:
        display.end()
    _print_paths(paths, as_json)


def export(
    runs: RunsArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="weights, tensorboard or mlflow (a folder for `tensorboard --logdir`, a store for `mlflow ui`).",
            autocompletion=complete_formats,
        ),
    ] = "weights",
    out: OutFolder = None,
    as_json: Json = False,
) -> None:
    """Write weights by name as NumPy .npz and safetensors; or all that is known of runs for TensorBoard or MLflow."""
    from mlhw.commands.settings import from_environment
    from mlhw.commands.tracking import export as export_runs

    _print_paths(export_runs(from_environment(), runs, to, out), as_json)


def remove(
    runs: RunsArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, as a terminal otherwise does.")] = False,
    as_json: Json = False,
) -> None:
    """Delete runs, after asking on a terminal. A run that is being trained is never deleted."""
    import sys

    from mlhw.cli.screen import print_json, results
    from mlhw.commands.inspect import find_removable
    from mlhw.commands.inspect import remove as remove_runs
    from mlhw.commands.settings import from_environment

    found = find_removable(from_environment(), runs)
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        names = "\n".join(f"  {run.id}" for run in found)
        typer.confirm(
            f"{names}\ndelete {'this run' if len(found) == 1 else f'these {len(found)} runs'}?", abort=True, err=True
        )
    removed = remove_runs(found)
    if as_json:
        print_json({"removed": removed})
    else:
        for name in removed:
            results().print(f"removed {name}")


def _print_paths(paths: list[Path], as_json: bool) -> None:
    from mlhw.cli.screen import print_json, results

    if as_json:
        print_json({"files": [str(path) for path in paths]})
    else:
        for path in paths:
            results().print(str(path))
