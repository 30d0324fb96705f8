"""Everything that can be measured, by name; each part gives plain values for the results' file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.check import CHECKS
from benchmarks.growth import LAWS
from benchmarks.peers import commands, footprint, rounds
from benchmarks.peers.commands import PROGRAMS
from benchmarks.peers.footprint import TRAININGS
from benchmarks.peers.tables import WORKLOADS

ROOT = rounds.ROOT


@dataclass(frozen=True)
class How:
    """How often to measure, at full size or not, and the environment of all processes."""

    repeats: int
    quick: bool
    environ: dict[str, str]


@dataclass(frozen=True)
class Part:
    """One entry of the results: what it is in words, whether it runs unasked, and how it is measured."""

    kind: str
    what: str
    unasked: bool
    measure: Callable[[How], dict[str, Any]]


def _workload(name: str, how: How) -> dict[str, Any]:
    return _told(rounds.contest(name, how.repeats, how.environ, how.quick))


def _program(name: str, how: How) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mlhw-benchmarks-") as folder:
        runners = commands.runners(name, Path(folder), how.environ)
        return _told(rounds.in_turn(runners, min(how.repeats, PROGRAMS[name].rounds)))


def _told(outcome: rounds.Outcome) -> dict[str, Any]:
    return {"systems": outcome.measured, "absent": outcome.absent, "cores": os.cpu_count()}


def _memory(name: str, how: How) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mlhw-benchmarks-") as folder:
        found = footprint.measure(name, {**how.environ, "MLHW_OUTPUTS": folder})
    return {"peak_mb": found.peak, "own_mb": found.own, "needed_mb": found.parts, "ratio": found.ratio}


def _growth(name: str, how: How) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mlhw-benchmarks-") as folder:
        repeats = 1 if how.quick else LAWS[name].rounds
        words = ["benchmarks.growth", name, str(repeats), folder]
        return {"points": _lines(words, {**how.environ, "MLHW_OUTPUTS": str(Path(folder) / "outputs")})}


def _check(name: str, how: How) -> dict[str, Any]:
    return {"results": _lines(["benchmarks.check", name, str(min(how.repeats, 3))], how.environ)}


def _lines(words: list[str], environ: dict[str, str]) -> list[Any]:
    """What the module prints, a value a line. Raises RuntimeError, with the end of what it said, where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environ, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]} {words[1]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


PARTS = {
    **{name: Part("workload", w.what, True, partial(_workload, name)) for name, w in WORKLOADS.items()},
    **{name: Part("program", p.what, True, partial(_program, name)) for name, p in PROGRAMS.items()},
    **{
        f"memory-{name}": Part("memory", f"peak memory of `mlhw train {name}`, one epoch", True, partial(_memory, name))
        for name in TRAININGS
    },
    **{
        f"growth-{name.replace(', ', '-')}": Part("growth", f"{law.what}, by {law.unit}", True, partial(_growth, name))
        for name, law in LAWS.items()
    },
    **{
        name: Part(
            "check", CHECKS[name].partition(":")[2].replace("_", " "), name in ("convolution",), partial(_check, name)
        )
        for name in CHECKS
    },
}
