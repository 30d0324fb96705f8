"""The arguments and flags that classify and compare share."""

from __future__ import annotations

from typing import Annotated

import typer

from mlhw.cli.options import complete_experiments


def complete_models(incomplete: str) -> list[str]:
    """Networks whose names begin with what was typed, after the last comma."""
    from mlhw.models.network_names import names

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
