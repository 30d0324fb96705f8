"""What needs a process of its own: second starts, the command line's start, peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Result, Side, interleaved, repeated
from benchmarks.workplace import Workplace
from mlhw.config.find import shipped_folder
from mlhw.datasets import grocery
from mlhw.errors import DataMissing
from mlhw.files import write_json
from mlhw.runs import store

ROOT = Path(__file__).resolve().parent.parent
MANY_RUNS = 10_000
LISTED_RUNS = 20  # as many as `mlhw runs` shows

# A process counts the memory of the one that started it into its own peak, until it has its own program: hence a small
# one in between. It prints the peak of its child in the system's unit.
PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def data(place: Workplace) -> Iterator[Result]:
    """Seconds from each experiment to its placed splits, in a fresh process, after imports, with a warm cache."""
    for path in sorted(shipped_folder().glob("*.yaml")):
        answers = [_second_start(path, place) for _ in range(place.repeats + 1)][1:]  # the first one fills the cache
        name = f"data: {path.stem}"
        if "missing" in answers[0]:
            yield Result(name, note=f"skipped: no {answers[0]['missing']} data in MLHW_DATA")
        else:
            note = place.mnist_note if answers[0]["data"] == "mnist" else ""
            yield Result(name, tuple(answer["seconds"] for answer in answers), limit=1.0, note=note)


def _second_start(path: Path, place: Workplace) -> dict[str, object]:
    words = [sys.executable, "-m", "benchmarks.second_start", str(path)]
    return json.loads(run_program(words, place))


def start(place: Workplace) -> Iterator[Result]:
    """Wall time of commands that should answer at once, beside that of a Python that imports Typer and does nothing."""
    for number in range(LISTED_RUNS):
        run = store.create(place.settings.outputs, f"made-{number}", "")
        write_json(run.summary_file, {"experiment": "made", "epochs": 1, "test_accuracy": 0.5, "seconds_training": 1.0})
    reference = _command([sys.executable, "-c", "import typer"], place)
    for word, limit in (("--help", 3.0), ("list", None), ("runs", None)):
        side = _command([sys.executable, "-m", "mlhw", word], place)
        yield Result(f"start: mlhw {word}", *interleaved(side, reference, place.repeats), limit)


def many_runs(place: Workplace) -> Iterator[Result]:
    """Seconds of ``mlhw runs`` and of completing a run's id among 10,000 runs, in whole processes."""
    for number in range(MANY_RUNS):
        run = place.settings.outputs / f"made-{number % 7}-20260101-{number % 240000:06d}-{number:04x}"
        (run / "checkpoints").mkdir(parents=True)
        facts = {"experiment": "made", "epochs": 1, "test_accuracy": 0.5, "seconds_training": 1.0}
        (run / "summary.json").write_text(json.dumps(facts), encoding="utf-8")
        (run / "config.yaml").write_text("name: made\n", encoding="utf-8")
    asked = "import sys; from mlhw.cli.options import complete_runs; sys.exit(not complete_runs('made-3-2026'))"
    for name, words, limit in (
        ("runs", [sys.executable, "-m", "mlhw", "runs"], 1.0),
        ("runs --all", [sys.executable, "-m", "mlhw", "runs", "--all", "--json"], None),
        ("completion", [sys.executable, "-c", asked], 0.3),
    ):
        yield Result(f"10,000 runs: {name}", repeated(_command(words, place), place.repeats), limit=limit)


def _command(words: list[str], place: Workplace) -> Side:
    return lambda: lambda: run_program(words, place)


def memory(place: Workplace) -> Iterator[Result]:
    """Peak resident memory of one epoch of ``grocery-cnn``, in MB, mapped files included."""
    name = "memory: grocery-cnn"
    if sys.platform == "win32":
        yield Result(name, note="skipped: Windows does not tell")
        return
    try:
        grocery.find(Path(place.settings.data))
    except DataMissing:
        yield Result(name, note="skipped: no GroceryStoreDataset in MLHW_DATA")
        return
    train = [sys.executable, "-m", "mlhw", "train", "grocery-cnn", "-s", "train.epochs=1", "--quiet"]
    peak = int(run_program([sys.executable, "-c", PEAK, *train], place))
    yield Result(name, (peak / (2**20 if sys.platform == "darwin" else 2**10),), limit=1200.0, unit="MB")


def run_program(words: list[str], place: Workplace) -> str:
    """What the program prints. Raises RuntimeError, with what it said, where it fails."""
    done = subprocess.run(words, cwd=ROOT, env=place.environ(), capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words[1:])} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
