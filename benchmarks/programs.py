"""What needs processes of its own: second starts, and listing many runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.harness import Result, Side, interleaved
from benchmarks.workplace import Workplace
from mlhw.config.find import shipped_folder

ROOT = Path(__file__).resolve().parent.parent
MANY_RUNS = 10_000
# What a shell does where the user types `mlhw show made-3-20` and a tab: the whole program, asked for words.
COMPLETION = """
import os, sys
os.environ |= {"_MLHW_COMPLETE": "complete_bash", "COMP_WORDS": "mlhw show made-3-20", "COMP_CWORD": "2"}
sys.argv = ["mlhw"]
from mlhw.cli import main
main()
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


def many_runs(place: Workplace) -> Iterator[Result]:
    """Seconds of ``mlhw runs`` and of completing a run's id among 10,000 runs, in whole processes."""
    make_runs(place.settings.outputs, MANY_RUNS)
    reference = _command([sys.executable, "-c", "import typer"], place)
    for name, words, limit in (
        ("runs", [sys.executable, "-m", "mlhw", "runs"], 1.0),
        ("runs --all", [sys.executable, "-m", "mlhw", "runs", "--all", "--json"], None),
        ("completion", [sys.executable, "-c", COMPLETION], 0.3),
    ):
        ours, typer = interleaved(_command(words, place), reference, place.repeats)
        note = f"{median(a / b for a, b in zip(ours, typer, strict=True)):.1f} times `import typer` beside it"
        yield Result(f"10,000 runs: {name}", ours, limit=limit, note=note)


def make_runs(outputs: Path, count: int) -> None:
    """Folders of ``count`` finished runs in ``outputs``."""
    for number in range(count):
        run = outputs / f"made-{number % 7}-20260101-{number % 240000:06d}-{number:04x}"
        (run / "checkpoints").mkdir(parents=True)
        facts = {"experiment": "made", "epochs": 1, "test_accuracy": 0.5, "seconds_training": 1.0}
        (run / "summary.json").write_text(json.dumps(facts), encoding="utf-8")
        (run / "config.yaml").write_text("name: made\n", encoding="utf-8")


def _command(words: list[str], place: Workplace) -> Side:
    return lambda: lambda: run_program(words, place)


def run_program(words: list[str], place: Workplace) -> str:
    """What the program prints. Raises RuntimeError, with what it said, where it fails."""
    done = subprocess.run(words, cwd=ROOT, env=place.environ(), capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words[1:])} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
