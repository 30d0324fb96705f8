"""sweep and sweep-lr."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlhw.cli.options import ExperimentArgument, Json, Quiet, Set, Verbose
from mlhw.errors import ConfigError, PartialResult

if TYPE_CHECKING:
    from mlhw.commands.sweep.asking import Asked, How

EXECUTORS = ("auto", "stack", "processes", "serial")
Executor = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="auto (measured), stack (runs that differ in rates and seeds train as one model), processes, or serial.",
        autocompletion=lambda incomplete: [name for name in EXECUTORS if name.startswith(incomplete)],
    ),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, max=1024, help="Processes at a time. [default: cores]")
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first run that fails.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Train those again that failed before.")]
Again = Annotated[bool, typer.Option("--again", help="Train all anew, whatever was done before.")]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Train on a Ray cluster: auto, local, HOST:PORT or ray://HOST:PORT. Needs `pip install 'mlhw[ray]'`.",
    ),
]
Cpus = Annotated[float, typer.Option("--cpus-per-trial", min=0.01, max=4096, help="Cores that a run holds on Ray.")]
Gpus = Annotated[
    float,
    typer.Option("--gpus-per-trial", min=0, max=1024, help="Graphics cards that a run holds on Ray; 0.5 is half."),
]


def sweep(
    experiment: ExperimentArgument,
    overrides: Set = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid", "-g", metavar="KEY=A,B", help="Values of a key (or log:1e-4:1:8). Repeatable: all combinations."
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, max=1000, metavar="N", help="Runs of each setting, each with seeds of its own."),
    ] = None,
    executor: Executor = "auto",
    jobs: Jobs = None,
    fail_fast: FailFast = False,
    retry_failed: RetryFailed = False,
    again: Again = False,
    ray: Ray = None,
    cpus_per_trial: Cpus = 1.0,
    gpus_per_trial: Gpus = 0.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train every combination of a grid (or the variants that an experiment's `sweep:` names), several seeds of each."""
    from mlhw.commands.sweep.asking import ask, grid_of

    asked = ask("sweep", experiment, overrides or (), grid=grid_of(grid or ()), seeds=seeds)
    how = _how(executor, jobs, fail_fast, retry_failed, again, (ray, cpus_per_trial, gpus_per_trial))
    result = _run(asked, how, quiet, verbose)
    if as_json:
        _print_json(result)
    else:
        _print_settings(result)
    _tell_failures(result)


def sweep_lr(
    experiment: ExperimentArgument,
    lrs: Annotated[
        str | None,
        typer.Option(
            "--lrs", metavar="A,B,C", help="Learning rates, or log:1e-4:1:8. [default: those the experiment names]"
        ),
    ] = None,
    overrides: Set = None,
    executor: Executor = "auto",
    jobs: Jobs = None,
    fail_fast: FailFast = False,
    retry_failed: RetryFailed = False,
    again: Again = False,
    ray: Ray = None,
    cpus_per_trial: Cpus = 1.0,
    gpus_per_trial: Gpus = 0.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train an experiment at several learning rates, with the same seed, and say what the curves show."""
    from mlhw.commands.sweep.asking import ask, rates_of

    rates = rates_of(lrs, experiment, overrides or ())
    asked = ask("sweep-lr", experiment, overrides or (), grid={"train.lr": rates}, seeds=1)
    how = _how(executor, jobs, fail_fast, retry_failed, again, (ray, cpus_per_trial, gpus_per_trial))
    result = _run(asked, how, quiet, verbose)
    if as_json:
        _print_json(result)
    else:
        _print_rates(result)
    _tell_failures(result)


def _how(
    executor: str,
    jobs: int | None,
    fail_fast: bool,
    retry_failed: bool,
    again: bool,
    on_ray: tuple[str | None, float, float],
) -> How:
    from mlhw.commands.sweep.asking import How
    from mlhw.errors import did_you_mean

    if executor not in EXECUTORS:
        raise ConfigError(f"--executor '{executor}' is not one. {did_you_mean(executor, EXECUTORS)}")
    ray, cpus, gpus = on_ray
    if ray is None and (cpus, gpus) != (1.0, 0.0):
        raise ConfigError(
            "--cpus-per-trial and --gpus-per-trial are what a run holds on a Ray cluster: add --ray auto."
        )
    if ray is not None and executor in ("serial", "processes"):
        raise ConfigError(
            f"--ray and --executor {executor} are two ways to run the same trials: leave one of them out."
        )
    return How(
        ray=ray,
        cpus_per_trial=cpus,
        gpus_per_trial=gpus,
        executor=executor,  # type: ignore[arg-type]  # one of EXECUTORS, as checked above
        jobs=jobs,
        fail_fast=fail_fast,
        retry_failed=retry_failed,
        again=again,
    )


def _run(asked: Asked, how: How, quiet: bool, verbose: bool) -> dict[str, Any]:
    from mlhw.cli.live import Live
    from mlhw.commands.settings import from_environment
    from mlhw.commands.sweep.results import sweep_and_draw

    return sweep_and_draw(asked, how, from_environment(), Live(quiet=quiet, verbose=verbose))


def _print_json(result: dict[str, Any]) -> None:
    from mlhw.cli.screen import print_json

    spreads = {v: {m: asdict(s) for m, s in by.items()} for v, by in result["spreads"].items()}
    print_json(result | {"trials": [asdict(trial) for trial in result["trials"]], "spreads": spreads})


def _tell_failures(result: dict[str, Any]) -> None:
    failed = [trial for trial in result["trials"] if trial.status == "failed"]
    if failed:
        raise PartialResult(
            f"{len(failed)} of {len(result['trials'])} runs failed; first: {failed[0].variant}: {failed[0].error}"
        )


def _print_settings(result: dict[str, Any]) -> None:
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
        ("setting", "n", "train acc", "val acc", "test acc", "training"), rows, right=(1, 2, 3, 4, 5), spare=(5, 2)
    )
    screen.print(result["path"])


def _print_rates(result: dict[str, Any]) -> None:
    from mlhw.cli.screen import percent, results, seconds

    screen = results()
    rows = [
        (
            f"{trial.values['train.lr']:g}",
            *(_loss(getattr(trial, f"{split}_loss")) for split in ("train", "val", "test")),
            *(percent(getattr(trial, f"{split}_accuracy")) for split in ("train", "val", "test")),
            seconds(trial.seconds_training),
        )
        for trial in result["trials"]
    ]
    heads = ("rate", "train loss", "val loss", "test loss", "train acc", "val acc", "test acc", "training")
    shown = [column for column in range(len(heads)) if column == 0 or any(row[column] != "–" for row in rows)]
    screen.print_table(
        tuple(heads[column] for column in shown),
        [tuple(row[column] for column in shown) for row in rows],
        right=tuple(range(len(shown))),
    )
    screen.print("")
    for line in result["discussion"]:
        screen.print(line)
    screen.print("")
    screen.print(result["path"])


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _spread(spread: Any) -> str:
    mean = f"{100 * spread.mean:.2f}"
    return f"{mean} ± {100 * spread.deviation:.2f} %" if spread.n > 1 else f"{mean} %"
