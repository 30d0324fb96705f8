"""Sweeps: whole commands beside the notebook's loop, two workers beside one, and a thousand small trials."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from time import perf_counter
from typing import Any

from benchmarks.bare import Notebook
from benchmarks.harness import Result, timed
from benchmarks.programs import run_program
from benchmarks.workplace import Workplace
from mlhw.commands.sweep.asking import How, ask
from mlhw.commands.sweep.on_ray import on_ray
from mlhw.commands.sweep.work import Unit, work
from mlhw.config import load as config
from mlhw.sweeps import folder as folders
from mlhw.sweeps.executors import Done
from mlhw.sweeps.processes import processes

NAME, EPOCHS = "mnist-mlp-notebook", 16
RATES = {1: "0.1", 3: "0.01,0.1,1", 8: "log:0.01:1:8"}
EQUAL_TRIALS = 8
TOY = """
name: toy
data: {kind: digits, split_rows: 100}
model: {kind: numpy-resnet}
train: {epochs: 1, batch_size: 20, lr: 0.01}
"""


def sweep_lr(place: Workplace) -> Iterator[Result]:
    """`mlhw sweep-lr` as a whole process, start-up, figures and discussion included, beside the notebook's loop.

    The notebook trains one rate after another, 16 epochs each. One epoch of it is timed right before and after each of our
    sweeps, and counted as often as it would run: its epochs are alike.
    """
    notebook = Notebook(place.settings.data)

    def epoch() -> None:  # scored on test, as there
        notebook.epoch()
        notebook.test_accuracy()

    epoch()
    walls: dict[int, list[float]] = {}
    for rates, limit in ((1, None), (3, 1 / 9), (8, 1 / 12)):
        ours, reference = [], []
        for _ in range(min(place.repeats, 3)):
            before = timed(lambda: epoch)
            ours.append(_command_seconds(place, rates))
            reference.append((before + timed(lambda: epoch)) / 2 * EPOCHS * rates)
        walls[rates] = ours
        name = f"sweep-lr {NAME}, {rates} rate{'s' * (rates > 1)}"
        yield Result(name, tuple(ours), tuple(reference), limit, note=place.mnist_note)
    yield Result("8 rates beside 1", tuple(walls[8]), tuple(walls[1]), 4.0, note=place.mnist_note)


def _command_seconds(place: Workplace, rates: int) -> float:
    words = [sys.executable, "-m", "mlhw", "sweep-lr", NAME, "--lrs", RATES[rates], "--again", "--quiet"]
    return timed(lambda: lambda: run_program(words, place))


def workers(place: Workplace) -> Iterator[Result]:
    """Eight equal trials in two workers of one thread each beside one; start-up and a trial to warm up left out."""
    pool = [_pooled(place, count) for count in (2, 1)]
    yield Result("sweep: 2 processes beside 1", *_in_turn(pool, place), 1 / 1.8, note=place.mnist_note)
    if find_spec("ray") is None:
        yield Result("sweep: 2 workers on Ray beside 1", note="skipped: Ray is not installed")
        return
    ray = [_on_ray(place, count) for count in (2, 1)]
    yield Result("sweep: 2 workers on Ray beside 1", *_in_turn(ray, place), 1 / 1.6, note=place.mnist_note)


Run = Callable[[], float]  # returns the seconds that count


def _in_turn(sides: Sequence[Run], place: Workplace) -> tuple[tuple[float, ...], tuple[float, ...]]:
    pairs = []
    for turn in range(min(place.repeats, 3)):
        seconds = {side: side() for side in (sides if turn % 2 == 0 else sides[::-1])}
        pairs.append([seconds[side] for side in sides])
    return tuple(a for a, _ in pairs), tuple(b for _, b in pairs)


def _pooled(place: Workplace, count: int) -> Run:
    def run() -> float:
        units = _units(place, count)
        began: dict[int, float] = {}
        return _seconds(processes(units, work, partial(_note, began), workers=count, threads=1), began, count)

    return run


def _on_ray(place: Workplace, count: int) -> Run:
    def run() -> float:
        units = _units(place, count)
        began: dict[int, float] = {}
        # A trial that holds both cores keeps the second worker away; the experiment itself asks for one thread.
        how = How(ray="local", cpus_per_trial=2 / count)
        return _seconds(on_ray(units, partial(_note, began), how), began, count)

    return run


def _note(began: dict[int, float], index: int, event: tuple[Any, ...]) -> None:
    if event[0] == "begin":
        began[index] = perf_counter()


def _seconds(finished: Generator[Done, None, None], began: dict[int, float], warming: int) -> float:
    """From the first step of the first trial that is not there to warm up to the end of the last."""
    with closing(finished):
        for done in finished:
            if done.error:
                raise RuntimeError(done.error)
            end = perf_counter()
    return end - min(seconds for index, seconds in began.items() if index >= warming)


def _units(place: Workplace, warming: int) -> list[Unit]:
    """``warming`` trials, and the eight that count."""
    asked = ask("sweep", NAME, ["train.epochs=6"], grid={"seed.init": range(warming + EQUAL_TRIALS)}, seeds=1)
    folder = folders.create(place.settings.outputs, NAME, config.dump(asked.base), {})
    settings = replace(place.settings, most_threads=1)
    return [
        Unit(number, (number,), (NAME,), (config.dump(experiment),), ("",), 6, folder.path, settings)
        for number, experiment in enumerate(asked.experiments)
    ]


def thousand(place: Workplace) -> Iterator[Result]:
    """A grid of 1,000 one-epoch trials in one worker: milliseconds a trial beyond training, and how memory grows."""
    peaks = {}
    for trials in (100, 1000):
        file = place.settings.outputs.parent / "toy.yaml"
        file.write_text(TOY, encoding="utf-8")
        words = [
            sys.executable,
            "-m",
            "mlhw",
            "sweep",
            str(file),
            "--grid",
            f"seed.init={','.join(map(str, range(trials)))}",
        ]
        program = _Measured([*words, "--executor", "serial", "--again", "--json", "--quiet"], place)
        wall = timed(lambda program=program: program)  # type: ignore[misc]  # a default binds the loop variable
        training = sum(trial["seconds_training"] for trial in program.answer["trials"])
        yield Result(
            f"{trials} trials of a toy: beyond training, each",
            ((wall - training) / trials * 1000,),
            limit=50.0,
            unit="ms",
        )
        peaks[trials] = program.peak_mb
    growth = (peaks[1000] - peaks[100]) / 900 * 1000
    yield Result(
        "1000 trials of a toy: peak memory", (peaks[1000],), unit="MB", note=f"{growth:.0f} kB a trial more than 100"
    )


class _Measured:
    """A command whose answer and peak memory are kept."""

    def __init__(self, words: Sequence[str], place: Workplace) -> None:
        self.words, self.place = words, place
        self.answer: dict[str, Any] = {}
        self.peak_mb = 0.0

    def __call__(self) -> None:
        code = (
            "import resource, subprocess, sys\n"
            "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
            "sys.stdout.buffer.write(done.stdout)\n"
            "sys.exit(done.returncode)\n"
        )
        peak, _, answer = run_program([sys.executable, "-c", code, *self.words], self.place).partition("\n")
        self.answer = json.loads(answer)
        self.peak_mb = int(peak) / (2**20 if sys.platform == "darwin" else 2**10)
