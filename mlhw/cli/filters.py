"""pretrained filters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mlhw.cli.options import Json, Quiet, Set, Verbose, complete_experiments
from mlhw.cli.picture_options import complete_models
from mlhw.errors import ConfigError

MOST_DRAWN = 64  # filters in one run, as the config says too
MOST_SHOWN = 8  # filters whose findings are printed; the file has all


def filters(
    experiment: Annotated[
        str | None,
        typer.Option(
            "--experiment",
            metavar="EXPERIMENT",
            help="Name or path of the experiment; otherwise pretrained-filters.",
            autocompletion=complete_experiments,
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="Any classification network of torchvision; otherwise vgg16.",
            autocompletion=complete_models,
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="FILE", help="A state dict of your own, instead of torchvision's weights."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option("--labels", metavar="FILE", help="Class names for them: JSON, CSV, or one a line."),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option("--layer", metavar="NAME", help="A convolution, as features.0; otherwise the first."),
    ] = None,
    which: Annotated[
        str | None,
        typer.Option("--filters", metavar="NUMBERS", help="Which of its filters, as 0,1,2 or 0-15; otherwise 0,1,2."),
    ] = None,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="FILE", help="A picture: also draw what the filters answer to it.")
    ] = None,
    cam: Annotated[
        bool,
        typer.Option(
            "--cam", help="Also Grad-CAM: where in the picture its class was found, at --layer or the last map."
        ),
    ] = False,
    preprocess: Annotated[
        str | None,
        typer.Option(
            "--preprocess", metavar="HOW", help="course (squashed to 224×224) or torchvision (the weights' own)."
        ),
    ] = None,
    overrides: Set = None,
    device: Annotated[
        str | None, typer.Option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw the filters of a convolution, what they answer to a picture, and where the network found its class."""
    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json
    from mlhw.commands.filter_asking import resolve
    from mlhw.commands.filters import filters as run_filters
    from mlhw.commands.settings import from_environment

    flags: dict[str, Any] = {
        "pretrained.model": model,
        "pretrained.labels": labels,
        "pretrained.layer": layer,
        "pretrained.filters": None if which is None else _numbers(which),
        "pretrained.cam": True if cam else None,
        "pretrained.preprocess": preprocess,
        "device": device,
    }
    found = resolve(experiment, overrides or (), image=image, weights=weights, flags=flags)
    display = Live(quiet=quiet, verbose=verbose)
    try:
        summary = run_filters(found, from_environment(), display)
    finally:
        display.end()
    if as_json:
        print_json(summary)
    else:
        _print(summary)


def _numbers(text: str) -> list[int]:
    """``0,1,2`` and ``4-7`` as numbers. Raises ConfigError."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not (first.isdecimal() and len(first) <= 6 and (not dash or (last.isdecimal() and len(last) <= 6))):
            raise ConfigError(f"--filters {text}: should be numbers from 0 on, as 0,1,2 or 0-15; got '{part.strip()}'.")
        if dash and int(last) < int(first):
            raise ConfigError(f"--filters {text}: {part.strip()} runs backwards. Write {last}-{first}.")
        found += range(int(first), int(last if dash else first) + 1)
    if len(found) > MOST_DRAWN:
        raise ConfigError(
            f"--filters {text}: {len(found):,} filters, at most {MOST_DRAWN} go on one figure. Name fewer."
        )
    return found


def _print(summary: dict[str, Any]) -> None:
    from mlhw.cli.screen import plain, results

    screen, rows = results(), summary["filters"]
    headers = ("filter", "sum of weights", "largest", *(("answers from", "to") if summary["image"] else ()))
    cells = [
        (
            row["index"],
            f"{row['sum']:.4g}",
            f"{row['largest_magnitude']:.4g}",
            *((f"{row['response_min']:.4g}", f"{row['response_max']:.4g}") if summary["image"] else ()),
        )
        for row in rows
    ]
    shape = "×".join(map(str, summary["filter_shape"]))
    screen.print(
        f"{summary['model']}, {summary['layer']}: {summary['layer_filters']:,} filters of {shape}", style="bold"
    )
    screen.print_table(headers, cells, right=tuple(range(len(headers))))
    screen.print()
    for paragraph in _shown(summary["findings"], len(rows)):
        # Broken between words on a terminal, and not at all in a file.
        screen.console.print(plain(paragraph), soft_wrap=not screen.console.is_terminal)
    screen.print()
    for path in (*summary["files"], summary["path"]):
        screen.print(path)


def _shown(findings: list[str], filters: int) -> list[str]:
    """What is said of few filters, and in any case how to read the figures and what is said of the picture."""
    if filters <= MOST_SHOWN:
        return findings[1:]
    rest = [said for said in findings[1:] if not said.startswith("Filter ")]
    return [*rest, f"What is said of each of the {filters} filters is in findings.txt."]
