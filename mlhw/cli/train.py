"""list, train, resume."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mlhw.cli.options import ExperimentArgument, Json, Quiet, RunArgument, Set, Verbose
from mlhw.errors import PartialResult


def list_experiments(as_json: Json = False) -> None:
    """Every experiment: what it shows, where it comes from, the data it needs, the result to expect."""
    from rich.text import Text

    from mlhw.cli.screen import errors, plain, print_json, results
    from mlhw.commands.inspect import experiments

    records = experiments()
    if as_json:
        for record in records:
            print_json(record)
        return
    screen = results()
    rows = [
        (
            r["name"],
            Text.assemble(plain(r["description"]), "\n", (f"{r['result']} · data {r['data']} · {r['source']}", "dim")),
        )
        for r in records
        if r["error"] is None
    ]
    screen.print_table(("experiment", "what it shows; the result to expect, its data, where it comes from"), rows)
    for record in records:
        if record["error"] is not None:
            errors().print(f"warning: {record['error']}", style="yellow")


def train(
    experiment: ExperimentArgument,
    overrides: Set = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="TEXT", help="What the run's folder is called, instead of the experiment's name."
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps; short for -s device=…"),
    ] = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print the resolved experiment as YAML and train nothing.")
    ] = False,
    log: Annotated[
        str | None,
        typer.Option(
            "--log",
            metavar="TRACKER",
            help="tensorboard: also keep a log for it while training; `mlhw resume` goes on with it.",
            autocompletion=lambda incomplete: [name for name in ("tensorboard",) if name.startswith(incomplete)],
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train an experiment into a new run folder."""
    from mlhw.config.fields import checked_name
    from mlhw.config.load import dump, load

    found = load(experiment, [*(overrides or ()), *([f"device={device}"] if device else [])])
    label = checked_name(name, "--name") if name else None
    if print_config:
        typer.echo(dump(found), nl=False)
        return
    from mlhw.cli.live import Live
    from mlhw.commands.settings import from_environment
    from mlhw.commands.train import train as train_experiment

    settings = from_environment()
    display = Live(quiet=quiet, verbose=verbose)
    display.detail(f"data {settings.data}, cache {settings.cache}, outputs {settings.outputs}")
    try:
        _, summary = train_experiment(found, settings, display, label=label, log=log)
    finally:
        display.end()
    _print_result(summary, as_json)
    _raise_if_skipped(summary)


def resume(run: RunArgument, as_json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Go on with a run from its last checkpoint, or after its last picture, exactly as if it had never stopped."""
    from mlhw.cli.live import Live
    from mlhw.commands.resume import resume as resume_run
    from mlhw.commands.settings import from_environment

    display = Live(quiet=quiet, verbose=verbose)
    try:
        found, summary, worked = resume_run(run, from_environment(), display)
    finally:
        display.end()
    if "pictures" in summary:
        from mlhw.cli.classify import print_pictures, raise_if_skipped

        print_pictures(found.path, summary, as_json)
        if worked:
            raise_if_skipped(summary)
        return
    _print_result(summary, as_json)
    if worked:
        _raise_if_skipped(summary)


def _print_result(summary: dict[str, Any], as_json: bool) -> None:
    from mlhw.cli.screen import percent, print_json, results, seconds

    if as_json:
        print_json(summary)
    elif "best_epoch" not in summary:  # filters, which are done in one go
        results().print(summary["path"])
    else:
        screen = results()
        rows = [
            (split, f"{summary[f'{split}_loss']:.4f}", percent(summary[f"{split}_accuracy"]))
            for split in ("train", "val", "test")
            if summary[f"{split}_loss"] is not None
        ]
        screen.print_table(("split", "loss", "accuracy"), rows, right=(1, 2))
        reported = f"epoch {summary['best_epoch']} of {summary['epochs']}"
        screen.print(
            f"{reported}, {summary['parameters']:,} parameters, {seconds(summary['seconds_training'])} training, "
            f"{seconds(summary['seconds_total'])} in all"
        )
        for line in summary.get("expectations", []):
            screen.print(line)
        screen.print(summary["path"])


def _raise_if_skipped(summary: dict[str, Any]) -> None:
    if summary["skipped"]:
        count = len(summary["skipped"])
        files = f"{count:,} file{'s' if count != 1 else ''}"
        raise PartialResult(
            f"the run is done; {files} of its data could not be read and {'were' if count != 1 else 'was'} skipped; "
            f"first: {summary['skipped'][0]}"
        )
