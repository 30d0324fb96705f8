"""How cost grows with what is asked: rows, batch, width, members of a stack, trials, pictures, runs in outputs.

``python -m benchmarks.growth NAME`` prints, as JSON, one point after another; each law has a process of its own.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.harness import Side, timed

Sides = Callable[[int, Path], Side]  # the work at a size, in a folder for what it leaves


@dataclass(frozen=True)
class Law:
    """Sizes to measure at, the work at each, and the slope on log-log axes that is claimed (None: none is).

    ``most_each`` is a limit on the seconds that one more costs.
    """

    what: str
    unit: str
    sizes: tuple[int, ...]
    sides: Sides
    slope: tuple[float, float] | None = None
    most_each: float | None = None
    rounds: int = 3  # a claim of a few hundredths needs many: one measurement is off by tenths on a shared machine


def training(name: str, key: str, *fixed: str) -> Sides:
    """One epoch of ``name`` with ``key`` at the size."""

    def sides(size: int, folder: Path) -> Side:
        from benchmarks import loops
        from mlhw.commands import assemble
        from mlhw.commands.display import Silent
        from mlhw.commands.settings import from_environment
        from mlhw.commands.threads import use_threads
        from mlhw.config import load as config

        asked = ("train.epochs=1", "train.score_test=end", *fixed, key.format(size))
        experiment, settings = config.load(name, asked), replace(from_environment(), outputs=folder)
        use_threads(experiment.threads, assemble.way(experiment))
        job = assemble.job(experiment, settings, Silent().progress)
        job = replace(job, placed=replace(job.placed, test=None))
        return lambda: loops.training(job, settings, loops.fresh_learner(job))

    return sides


def stack(size: int, folder: Path) -> Side:
    """One epoch of 6,000 rows of ``mnist-mlp-notebook`` at so many rates as one model."""
    from mlhw.commands import assemble
    from mlhw.commands.assemble.learner import build_stack
    from mlhw.commands.display import Silent
    from mlhw.commands.settings import from_environment
    from mlhw.commands.threads import use_threads
    from mlhw.config import load as config
    from mlhw.training.epoch import train_epoch

    rates = [0.01 * 1.05**index for index in range(size)]
    fixed = ("train.epochs=1", "data.train_rows=6000")
    experiments = [config.load("mnist-mlp-notebook", (*fixed, f"train.lr={rate}")) for rate in rates]
    use_threads(1, "tensor")
    splits = assemble.load_splits(experiments[0], from_environment(), Silent().progress)
    recipe = assemble.build_recipe(experiments[0], 10)

    def side() -> Any:
        learner = build_stack(experiments, splits.train, "cpu")
        placed = learner.place(splits.train)
        return lambda: train_epoch(learner, placed, recipe, 1, [42], lambda *told: None)

    return side


def trials(size: int, folder: Path) -> Side:
    """A grid of so many trials of a toy, one after the other in this process's worker; the whole command."""
    from benchmarks.sweeps import TOY

    file = folder / "toy.yaml"
    file.write_text(TOY, encoding="utf-8")
    seeds = ",".join(map(str, range(size)))
    words = ["sweep", str(file), "--grid", f"seed.init={seeds}", "--executor", "serial", "--again", "--quiet"]
    return lambda: lambda: _mlhw(words, folder)


def pictures(size: int, folder: Path) -> Side:
    """So many photos from files to classes by ResNet18."""
    from benchmarks.peers.pictures import ours
    from benchmarks.peers.tasks import classify

    return ours(replace(classify(quick=False), count=size)).fresh


def runs(size: int, folder: Path) -> Side:
    """`mlhw runs --all --json` among so many finished runs, in this process."""
    from benchmarks.programs import make_runs

    make_runs(folder / "outputs", size)
    return lambda: lambda: _mlhw(["runs", "--all", "--json"], folder)


def _mlhw(words: list[str], folder: Path) -> None:
    import contextlib
    import io
    import os

    from mlhw.cli.app import app

    os.environ["MLHW_OUTPUTS"] = str(folder / "outputs")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = app(words, standalone_mode=False)
    if code:
        raise RuntimeError(f"mlhw {' '.join(words)[:80]} ended with {code}")


ROWS = (7_500, 15_000, 30_000, 60_000)
LAWS = {
    "rows": Law(
        "an epoch of mnist-mlp-notebook",
        "training rows",
        ROWS,
        training("mnist-mlp-notebook", "data.train_rows={}"),
        (0.95, 1.05),
        rounds=15,
    ),
    "rows, numpy": Law(
        "an epoch of numpy-mlp-notebook",
        "training rows",
        ROWS,
        training("numpy-mlp-notebook", "data.train_rows={}"),
        (0.95, 1.05),
        rounds=15,
    ),
    "batch": Law(
        "an epoch of 15,000 rows",
        "rows a batch",
        (8, 32, 128, 512),
        training("mnist-mlp-notebook", "train.batch_size={}", "data.train_rows=15000"),
    ),
    "width": Law(
        "an epoch of 6,000 rows",
        "hidden units",
        (32, 128, 512, 2048),
        training("mnist-mlp-notebook", "model.hidden_sizes=[{}]", "data.train_rows=6000"),
    ),
    "members": Law("an epoch of a stack, 6,000 rows", "members", (1, 4, 16, 64), stack),
    "trials": Law("a sweep of a toy", "trials", (25, 50, 100, 200), trials, (0.0, 1.05)),
    "pictures": Law("classifying by ResNet18", "pictures", (64, 128, 256, 512), pictures, (0.0, 1.05)),
    "runs": Law("`mlhw runs --all`", "runs", (500, 1_000, 2_000, 4_000), runs, (0.0, 1.05), most_each=1e-4),
}


def points(law: Law, repeats: int, folder: Path) -> Iterator[tuple[int, list[float]]]:
    """Each size with its seconds. The sizes take turns, up and down, after each ran once unmeasured."""
    sides = {}
    for size in law.sizes:
        (folder / str(size)).mkdir(parents=True)
        sides[size] = law.sides(size, folder / str(size))
    found: dict[int, list[float]] = {size: [] for size in law.sizes}
    for turn in range(-1, repeats):
        for size in law.sizes[:: 1 if turn % 2 else -1]:
            seconds = timed(sides[size])
            if turn >= 0:
                found[size].append(seconds)
    yield from found.items()


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of the least-squares line through the logarithms of both."""
    x, y = [math.log(size) for size in sizes], [math.log(second) for second in seconds]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return above / sum((a - mean_x) ** 2 for a in x)


def each(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Seconds that one more costs: the slope of the least-squares line through the numbers themselves."""
    mean_x, mean_y = sum(sizes) / len(sizes), sum(seconds) / len(seconds)
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(sizes, seconds, strict=True))
    return above / sum((a - mean_x) ** 2 for a in sizes)


def main(name: str, repeats: int, folder: Path) -> None:
    for size, seconds in points(LAWS[name], repeats, folder):
        print(json.dumps([size, seconds]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
