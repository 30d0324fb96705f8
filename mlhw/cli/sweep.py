"""sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from mlhw.cli.options import ExperimentArgument, Json, Quiet, Set, Verbose
from mlhw.errors import PartialResult


def sweep(
    experiment: ExperimentArgument,
    overrides: Set = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, max=1000, metavar="N", help="Runs of each variant, each with seeds of its own."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train the variants that an experiment's `sweep:` names, several seeds of each, and compare them."""
    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json
    from mlhw.commands.settings import from_environment
    from mlhw.commands.sweep import sweep as run_sweep

    display = Live(quiet=quiet, verbose=verbose)
    try:
        result = run_sweep(experiment, overrides or (), from_environment(), display, seeds=seeds)
    finally:
        display.end()
    if as_json:
        spreads = {v: {m: asdict(s) for m, s in by.items()} for v, by in result["spreads"].items()}
        print_json(result | {"trials": [asdict(trial) for trial in result["trials"]], "spreads": spreads})
    else:
        _print(result)
    failed = [trial for trial in result["trials"] if trial.status == "failed"]
    if failed:
        raise PartialResult(
            f"{len(failed)} of {len(result['trials'])} trials failed; first: {failed[0].variant}: {failed[0].error}"
        )


def _print(result: dict[str, Any]) -> None:
    from mlhw.cli.screen import results, seconds

    screen = results()
    rows = []
    for variant, measures in result["spreads"].items():
        cells = [
            _spread(measures.get(f"{split}_accuracy")) if f"{split}_accuracy" in measures else "–"
            for split in ("train", "val", "test")
        ]
        spent = measures.get("seconds_training")
        rows.append((variant, spent.n if spent else 0, *cells, seconds(spent.mean if spent else None)))
    screen.print_table(
        ("variant", "n", "train acc", "val acc", "test acc", "training"), rows, right=(1, 2, 3, 4, 5), spare=(5, 2)
    )
    screen.print(result["path"])


def _spread(spread: Any) -> str:
    mean = f"{100 * spread.mean:.2f}"
    return f"{mean} ± {100 * spread.deviation:.2f} %" if spread.n > 1 else f"{mean} %"


COMMANDS: dict[str, Callable[..., None]] = {"sweep": sweep}
