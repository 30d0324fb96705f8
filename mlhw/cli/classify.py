"""pretrained classify, compare."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mlhw.cli.options import Json, Quiet, Set, Verbose
from mlhw.cli.picture_options import (
    Architecture,
    Device,
    ExperimentOption,
    Labels,
    Models,
    Paths,
    Preprocess,
    PrintConfig,
    Recursive,
    StrictOption,
    Top,
    Weights,
)


def classify(
    paths: Paths = None,
    experiment: ExperimentOption = None,
    models: Models = None,
    weights: Weights = None,
    labels: Labels = None,
    top: Top = None,
    preprocess: Preprocess = None,
    recursive: Recursive = False,
    strict: StrictOption = False,
    overrides: Set = None,
    device: Device = None,
    architecture: Architecture = False,
    print_config: PrintConfig = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """What pictures show: the likeliest classes of each, by pretrained networks."""
    flags = _flags(models, labels, top, preprocess, recursive, strict, device)
    asking = {"overrides": overrides or (), "paths": paths or (), "weights": weights or (), "flags": flags}
    _run("classify", experiment, asking, (architecture, print_config, as_json), (quiet, verbose))


def compare(
    paths: Paths = None,
    experiment: ExperimentOption = None,
    models: Models = None,
    weights: Weights = None,
    labels: Labels = None,
    truth: Annotated[
        str | None,
        typer.Option(
            "--truth", metavar="FILE", help="CSV file,label of what the pictures show: also gives accuracies."
        ),
    ] = None,
    top: Top = None,
    preprocess: Preprocess = None,
    recursive: Recursive = False,
    strict: StrictOption = False,
    overrides: Set = None,
    device: Device = None,
    architecture: Architecture = False,
    print_config: PrintConfig = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Several pretrained networks side by side on the same pictures: where they agree, and which is sure."""
    flags = _flags(models, labels, top, preprocess, recursive, strict, device) | {"pretrained.truth": truth}
    asking = {"overrides": overrides or (), "paths": paths or (), "weights": weights or (), "flags": flags}
    _run("compare", experiment, asking, (architecture, print_config, as_json), (quiet, verbose))


def _flags(
    models: list[str] | None,
    labels: str | None,
    top: int | None,
    preprocess: str | None,
    recursive: bool,
    strict: bool,
    device: str | None,
) -> dict[str, Any]:
    """The flags as keys of the experiment; None where one was not given."""
    names = [name.strip() for text in models or () for name in text.split(",") if name.strip()]
    return {
        "pretrained.models": names or None,
        "pretrained.labels": labels,
        "pretrained.top": top,
        "pretrained.preprocess": preprocess,
        "pretrained.recursive": recursive or None,
        "pretrained.strict": strict or None,
        "device": device,
    }


def _run(
    kind: Any,
    experiment: str | None,
    asking: dict[str, Any],
    prints: tuple[bool, bool, bool],
    loudness: tuple[bool, bool],
) -> None:
    from mlhw.commands.pretrained.asking import resolve

    architecture, print_config, as_json = prints
    found = resolve(kind, experiment, **asking)
    if print_config:
        from mlhw.config.load import dump

        typer.echo(dump(found), nl=False)
        return
    if architecture:
        from mlhw.cli.classified import print_architectures

        print_architectures(found, as_json)
        return
    from mlhw.cli.live import Live
    from mlhw.commands.pretrained.work import start
    from mlhw.commands.settings import from_environment

    display = Live(quiet=loudness[0], verbose=loudness[1])
    try:
        run, summary = start(found, asking["paths"], from_environment(), display)
    finally:
        display.end()
    print_pictures(run.path, summary, as_json)
    raise_if_skipped(summary)


def print_pictures(folder: Any, summary: dict[str, Any], as_json: bool) -> None:
    """Print what a finished run in ``folder`` found, from its summary and its predictions.json."""
    import json

    from mlhw.cli.screen import print_json

    record = json.loads((folder / "predictions.json").read_text(encoding="utf-8"))
    if as_json:
        print_json(summary | {"predictions": record["predictions"]})
    elif summary["kind"] == "compare":
        from mlhw.cli.compared import print_compared

        print_compared(summary, record["predictions"])
    else:
        from mlhw.cli.classified import print_classified

        print_classified(summary, record["predictions"])


def raise_if_skipped(summary: dict[str, Any]) -> None:
    """Exit code 4 where pictures were skipped; they are listed by then."""
    counts = summary["pictures"]
    if counts["skipped"]:
        from mlhw.cli.skipped import IN_PREDICTIONS, some_skipped

        raise some_skipped(counts["classified"], counts["skipped"], "picture", "classified", IN_PREDICTIONS)
