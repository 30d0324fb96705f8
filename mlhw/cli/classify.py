"""pretrained classify, compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from mlhw.cli.options import Json, Quiet, Set, Verbose, complete_experiments
from mlhw.errors import PartialResult


def complete_models(incomplete: str) -> list[str]:
    """Networks whose names begin with what was typed, after the last comma."""
    from mlhw.models.weights import names

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in names() if name.startswith(last)]


Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH…", help="Pictures, or folders of pictures.", show_default=False),
]
ExperimentOption = Annotated[
    str | None,
    typer.Option(
        "--experiment",
        metavar="EXPERIMENT",
        help="Begin with this experiment, a name or a path; the flags here are short forms of its keys.",
        autocompletion=complete_experiments,
        show_default=False,
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME[,NAME…]",
        help="Classification networks of torchvision, by name.",
        autocompletion=complete_models,
        show_default=False,
    ),
]
Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weights",
        metavar="[MODEL=]FILE",
        help="A state dict of your own, in place of torchvision's weights; MODEL= where there are several. Repeatable.",
        show_default=False,
    ),
]
Labels = Annotated[
    str | None,
    typer.Option("--labels", metavar="FILE", help="Class names: JSON, CSV of index,name, or one a line."),
]
Top = Annotated[int | None, typer.Option("--top", metavar="N", help="How many classes of each picture (5).")]
Preprocess = Annotated[
    str | None,
    typer.Option("--preprocess", metavar="HOW", help="course: squash to 224×224; torchvision: the weights' own way."),
]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Also the folders within folders.")]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Stop at the first picture that cannot be used; otherwise such are skipped.")
]
Device = Annotated[str | None, typer.Option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")]
PrintConfig = Annotated[bool, typer.Option("--print-config", help="Print the resolved experiment as YAML, no more.")]
Architecture = Annotated[bool, typer.Option("--architecture", help="Print the networks layer by layer, no more.")]


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
        raise PartialResult(
            f"{counts['skipped']:,} of {counts['found']:,} pictures could not be used, for the reasons in predictions.csv."
        )


COMMANDS: dict[str, Callable[..., None]] = {"classify": classify, "compare": compare}
