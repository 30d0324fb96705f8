"""check gradients, jacobians."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mlhw.cli.options import Json, Quiet, Set, complete_experiments
from mlhw.errors import ConfigError, MlhwError

ExperimentArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="EXPERIMENT",
        help="Name of an experiment (see `mlhw list`) or path of a YAML file.",
        autocompletion=complete_experiments,
        show_default=False,
    ),
]
Rows = Annotated[
    int | None,
    typer.Option("--rows", metavar="N", min=1, max=4096, help="Rows of data to check on.", show_default="8; CNNs 2"),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Draws directions, biases and arguments.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FOLDER", help="Where to write.", show_default="outputs/checks/NAME-TIME-XXXX"),
]
File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE.py", help="Check the functions of your own file.", show_default=False),
]
Forward = Annotated[
    str | None, typer.Option("--forward", metavar="NAME", help="The function in FILE.py.", show_default="forward")
]
Backward = Annotated[
    str | None, typer.Option("--backward", metavar="NAME", help="Its backward pass.", show_default="backward")
]
TimeLimit = Annotated[
    float, typer.Option("--time-limit", metavar="SECONDS", min=0.1, max=86400, help="How long FILE.py may take.")
]

CONTRACT = """

FILE.py holds any of these, called with arguments guessed by their names:

\b
  forward(x, W, b)           the output: an array, or a scalar loss
  backward(d_out, x, W, b)   the gradients, in that order or by name
  NAME(z), d_NAME(out)       an activation, its derivative from its output
  example(rng)               a dict of other arguments than the guessed ones

Exit code 0: all is right; 1: something is wrong, and named; 2: it cannot be checked. docs/check.md has whole examples.
"""


def gradients(
    experiment: ExperimentArgument = None,
    overrides: Set = None,
    rows: Rows = None,
    seed: Seed = 0,
    out: Out = None,
    file: File = None,
    forward: Forward = None,
    backward: Backward = None,
    time_limit: TimeLimit = 30.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    from mlhw.commands.settings import from_environment

    _one_of(experiment, file, {"-s": overrides, "--rows": rows}, {"--forward": forward, "--backward": backward})
    settings = from_environment()
    if file is not None:
        _own(file, False, forward, backward, seed, time_limit, out, as_json)
        return
    if experiment is None:
        raise ConfigError("name an experiment (`mlhw list` shows them), or your own file: --file my_layer.py.")
    from mlhw.cli.live import Live
    from mlhw.commands.check import gradients as check_gradients
    from mlhw.config.load import load

    found = load(experiment, overrides or ())
    display = Live(quiet=quiet)
    try:
        record = check_gradients(found, settings, rows=rows, seed=seed, out=out, progress=display.progress)
    finally:
        display.end()
    _show(record, as_json)


def jacobians(
    experiment: ExperimentArgument = None,
    overrides: Set = None,
    rows: Rows = None,
    seed: Seed = 0,
    out: Out = None,
    file: File = None,
    forward: Forward = None,
    backward: Backward = None,
    time_limit: TimeLimit = 30.0,
    layers: Annotated[
        bool, typer.Option("--layers", help="Every layer, activation and loss that mlhw has (as without EXPERIMENT).")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    from mlhw.commands.settings import from_environment

    if layers and (experiment or file):
        raise ConfigError("--layers checks mlhw's own layers: leave out EXPERIMENT and --file.")
    _one_of(experiment, file, {"-s": overrides, "--rows": rows}, {"--forward": forward, "--backward": backward})
    settings = from_environment()
    if file is not None:
        _own(file, True, forward, backward, seed, time_limit, out, as_json)
        return
    from mlhw.cli.live import Live
    from mlhw.commands import check

    display = Live(quiet=quiet)
    try:
        if experiment is None:
            record = check.every_layer(settings, seed=seed, out=out)
        else:
            from mlhw.config.load import load

            found = load(experiment, overrides or ())
            record = check.jacobians(found, settings, rows=rows, seed=seed, out=out, progress=display.progress)
    finally:
        display.end()
    _show(record, as_json)


gradients.__doc__ = """Check a gradient: Taylor's formula, central differences in every entry, autograd.""" + CONTRACT
jacobians.__doc__ = """Check each layer's Jacobian, and that backward multiplies by its transpose.""" + CONTRACT


def _one_of(
    experiment: str | None, file: Path | None, with_experiment: dict[str, Any], with_file: dict[str, Any]
) -> None:
    """Refuse options that would be ignored."""
    if experiment is not None and file is not None:
        raise ConfigError("EXPERIMENT and --file are two different things to check: name one.")
    if file is not None and (given := [name for name, value in with_experiment.items() if value]):
        raise ConfigError(
            f"{given[0]} is for experiments, and does nothing to --file. example(rng) sets its arguments."
        )
    if file is None and (given := [name for name, value in with_file.items() if value]):
        raise ConfigError(f"{given[0]} names a function of your own file: add --file my_layer.py.")
    if experiment is None and file is None and (given := [name for name, value in with_experiment.items() if value]):
        raise ConfigError(f"{given[0]} needs an experiment: name one (`mlhw list` shows them).")


def _own(
    file: Path,
    jacobians: bool,
    forward: str | None,
    backward: str | None,
    seed: int,
    time_limit: float,
    out: Path | None,
    as_json: bool,
) -> None:
    from mlhw.commands.check import own_file
    from mlhw.commands.settings import from_environment

    record = own_file(
        file,
        from_environment(),
        jacobians=jacobians,
        forward=forward,
        backward=backward,
        seed=seed,
        time_limit_seconds=time_limit,
        out=out,
    )
    _show(record, as_json)


def _show(record: dict[str, Any], as_json: bool) -> None:
    """Print what was found; raise where something fell short."""
    from mlhw.cli.checked import failures, print_checks
    from mlhw.cli.screen import print_json

    if as_json:
        print_json(record)
    else:
        print_checks(record)
    if not record["passed"]:
        failed = [check for check in record["checks"] if not check["passed"]]
        raise MlhwError(f"{len(failed)} of {len(record['checks'])} checks fell short: {failures(failed)}.")
