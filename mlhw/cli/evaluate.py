"""evaluate."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mlhw.cli.options import Json, Quiet, RunArgument


def complete_splits(incomplete: str) -> list[str]:
    """The names of splits that begin with what was typed."""
    return [name for name in ("train", "val", "test") if name.startswith(incomplete)]


def evaluate(
    run: RunArgument,
    split: Annotated[
        str, typer.Option("--split", metavar="SPLIT", help="train, val or test.", autocompletion=complete_splits)
    ] = "test",
    by_class: Annotated[
        bool, typer.Option("--per-class", help="Also the accuracy of each class, worst first.")
    ] = False,
    mirrored: Annotated[
        bool,
        typer.Option("--mirrored", help="Count the mean of what is said of each image and of its mirror image."),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a run's reported weights on its test, val or train rows."""
    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json
    from mlhw.commands.evaluate import evaluate as evaluate_run
    from mlhw.commands.settings import from_environment

    display = Live(quiet=quiet)
    try:
        record = evaluate_run(from_environment(), run, display, split=split, by_class=by_class, mirrored=mirrored)
    finally:
        display.end()
    if as_json:
        print_json(record)
    else:
        _print(record)


def _print(record: dict[str, Any]) -> None:
    from mlhw.cli.screen import percent, results, seconds

    screen, split = results(), record["split"]
    screen.print(f"{record['run_id']}  ({record['experiment']})", style="bold")
    numbers = (split, f"{record['rows']:,}", f"{record['loss']:.4f}", percent(record["accuracy"]))
    screen.print_table(("split", "rows", "loss", "accuracy"), [numbers], right=(1, 2, 3))
    epoch = f"weights of epoch {record['epoch']}" if record["epoch"] else "weights of the best epoch so far"
    screen.print(f"{epoch}, scored in {seconds(record['seconds'])} on {record['device']}")
    recorded = (record["recorded_loss"], record["recorded_accuracy"])
    if record["mirrored"]:
        alone = "" if recorded[1] is None else f"; by itself {percent(recorded[1])}, as the run's summary says"
        screen.print(f"each image and its mirror image together{alone}")
    elif split == "train":
        screen.print(
            "all train rows, not augmented, with the reported weights; the summary's train numbers are means", "dim"
        )
        screen.print("over the batches of the epoch, while the weights changed", "dim")
    elif None not in recorded:
        same = recorded == (record["loss"], record["accuracy"])
        told = f"loss {recorded[0]:.4f}, accuracy {percent(recorded[1])}"
        screen.print(
            "the same as in the run's summary, to the last digit" if same else f"the run's summary says {told}"
        )
    if record["classes"] is not None:
        screen.print()
        worst = sorted(record["classes"], key=lambda each: (each["accuracy"] is None, each["accuracy"], -each["rows"]))
        rows = [
            (each["class_name"], f"{each['rows']:,}", f"{each['correct']:,}", percent(each["accuracy"]))
            for each in worst
        ]
        screen.print_table(("class", "rows", "right", "accuracy"), rows, right=(1, 2, 3))
