"""predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mlhw.cli.options import Json, Quiet, RunArgument
from mlhw.errors import DataError


def predict(
    run: RunArgument,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH…",
            help="Pictures, or folders of pictures; for a run on plain features a .npy or .csv of rows.",
            show_default=False,
        ),
    ],
    top: Annotated[int, typer.Option("--top", metavar="N", help="How many classes of each picture.")] = 5,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Also the folders within folders.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Where to write; otherwise a new folder in the run's.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What pictures show, by the model that a run trained: the likeliest classes of each."""
    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json
    from mlhw.commands.predict.work import predict as predict_paths
    from mlhw.commands.settings import from_environment

    display = Live(quiet=quiet)
    try:
        record = predict_paths(from_environment(), run, paths, display, top=top, recursive=recursive, out=out)
    finally:
        display.end()
    if record["altered"] and not quiet:
        display.warn(_alteration(record["altered"]))
    if as_json:
        print_json(record)
    else:
        _print(record)
    _raise_if_skipped(record)


def _print(record: dict[str, Any]) -> None:
    from mlhw.cli.classified import print_classified

    name, took = record["run_id"], record["seconds_predicting"]
    model = {"name": name, "parameters": record["parameters"], "predictions": "predictions.csv"}
    summary = {
        "models": [model],
        "pictures": record["inputs"],
        "pictures_this_sitting": record["inputs"]["found"],
        "classes": {name: record["classes"]},
        "skipped": [each for each in record["predictions"] if each["status"] == "skipped"],
        "seconds_classifying": took,
        "path": record["path"],
    }
    predictions = [each | {"predictions": {name: each["predictions"]}} for each in record["predictions"]]
    print_classified(summary, predictions, record["kind"][:-1])


def _alteration(altered: dict[str, Any]) -> str:
    """What was done to the first picture that is not like the run's own, and how many more there are."""
    was, to = altered["first"], altered["to"]
    done = []
    if (was["width"], was["height"]) != (to["width"], to["height"]):
        larger = was["width"] > to["width"] or was["height"] > to["height"]
        done.append(f"{'shrunk' if larger else 'enlarged'} to {to['width']}×{to['height']}")
    if was["colour"] and not to["colour"]:
        done.append("turned grey")
    more = altered["pictures"] - 1
    others = f"; {more:,} more {'were' if more > 1 else 'was'} changed too" if more else ""
    what = f"{was['file']} ({was['width']}×{was['height']}, {'colour' if was['colour'] else 'grey'})"
    return f"{what} was {' and '.join(done)}, like what the run learned from{others}"


def _raise_if_skipped(record: dict[str, Any]) -> None:
    counts = record["inputs"]
    if not counts["skipped"]:
        return
    found = f"{counts['found']:,} input{'s' if counts['found'] != 1 else ''}"
    if not counts["classified"]:
        raise DataError(f"none of {found} could be used, for the reasons in predictions.csv.")
    from mlhw.cli.skipped import IN_PREDICTIONS, some_skipped

    raise some_skipped(
        counts["classified"],
        counts["skipped"],
        record["kind"][:-1],
        "classified",
        IN_PREDICTIONS,
    )
