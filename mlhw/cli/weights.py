"""weights list, fetch."""

from __future__ import annotations

from typing import Annotated

import typer

from mlhw.cli.options import Json, Quiet
from mlhw.cli.picture_options import complete_models


def list_weights(as_json: Json = False) -> None:
    """torchvision's pretrained networks: size, accuracy on ImageNet, and whether the weights are here."""
    from dataclasses import asdict

    from mlhw.cli.screen import errors, megabytes, percent, print_json, results
    from mlhw.commands.weights import list_weights

    records = list_weights()
    if as_json:
        for record in records:
            print_json(asdict(record) | {"path": str(record.path)})
        return
    rows = [
        (
            r.model,
            r.status,
            f"{r.parameters / 1e6:,.1f} M",
            megabytes(r.size_bytes),
            percent(r.top1),
            percent(r.top5),
            r.weights,
        )
        for r in records
    ]
    results().print_table(
        ("network", "weights", "parameters", "download", "top-1", "top-5", "which"),
        rows,
        right=(2, 3, 4, 5),
        spare=(6, 5, 2, 3),
    )
    errors().print(f"cached: in {records[0].path.parent} (TORCH_HOME moves it)", style="dim")


def fetch(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL…",
            help="Networks (see `mlhw weights list`).",
            autocompletion=complete_models,
            show_default=False,
        ),
    ],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Download weights to TORCH_HOME: continued where it broke off, checked against the hash in the file's name.

    MLHW_WEIGHTS_MIRROR names the address of a folder of such files to use in place of torchvision's; MLHW_OFFLINE=1 forbids
    downloads.
    """
    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json, results
    from mlhw.commands.settings import from_environment
    from mlhw.commands.weights import fetch_weights

    display = Live(quiet=quiet)
    fetched = []
    try:
        for record in fetch_weights(models, offline=from_environment().offline, progress=display.progress):
            display.end()
            fetched.append(record)
            if not as_json:
                results().print(f"{record.status}  {record.path}")
    finally:
        display.end()
    if as_json:
        print_json({"files": [{"model": r.model, "path": str(r.path), "status": r.status} for r in fetched]})
