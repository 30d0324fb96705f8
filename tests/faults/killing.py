"""Trainings that are killed at random moments and gone on with, until they end; and what they must then be."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlhw.files import read_json
from mlhw.runs import checkpoint
from tests.faults.kinds import KINDS, RATES
from tests.faults.warm import KILLED, Ended, Warm

HEADER = "epoch,split,loss,accuracy,lr,seconds"
OWN = {"run_id", "path", "peak_memory_mb"}  # what no two runs share, beside the seconds


@dataclass(frozen=True)
class Training:
    """One kind of training in an outputs folder of its own."""

    kind: str
    outputs: Path
    config: Path

    @classmethod
    def made(cls, kind: str, folder: Path) -> Training:
        """A training of ``kind`` with all its files in ``folder``, which is made."""
        folder.mkdir(parents=True)
        config = folder / "experiment.yaml"
        config.write_text(KINDS[kind], encoding="utf-8")
        return cls(kind, folder / "outputs", config)

    @property
    def stacked(self) -> bool:
        return self.kind == "stack"

    @property
    def good(self) -> int:
        """The exit code of one that ends well; one of the stack's members is lost."""
        return 4 if self.stacked else 0

    def runs(self) -> list[Path]:
        """The run folders, by learning rate where there are several (a folder's name does not tell which it is)."""
        found = [path for path in self.outputs.glob("by-*") if (path / "config.yaml").is_file()]
        return sorted(found, key=lambda path: float(re.findall(r"^  lr: (.*)$", _text(path / "config.yaml"), re.M)[0]))

    def start(self, warm: Warm, **how: Any) -> Ended:
        """Begin, or go on by the same command where it is a sweep."""
        if self.stacked:
            return warm.run(
                *("sweep-lr", str(self.config), "--lrs", RATES, "--executor", "stack"), outputs=self.outputs, **how
            )
        return warm.run("train", str(self.config), outputs=self.outputs, **how)

    def go_on(self, warm: Warm, **how: Any) -> Ended:
        """Go on with what there is, or begin where there is nothing."""
        self.clear(warm)
        runs = self.runs()
        whole = len(runs) == len(RATES.split(",")) and all((run / "stack.json").is_file() for run in runs)
        over = [run for run in runs if (run / "summary.json").exists() or (run / "error.json").exists()]
        if not runs or (self.stacked and (not whole or len(over) == len(runs))):
            return self.start(warm, **how)
        (run, *_) = [run for run in runs if run not in over] or runs
        return warm.run("resume", run.name, outputs=self.outputs, **how)

    def clear(self, warm: Warm) -> None:
        """Remove a run that was killed before it had its config, as `resume` says."""
        for run in self.outputs.glob("by-*"):
            if not (run / "config.yaml").exists():
                said = warm.run("resume", run.name, outputs=self.outputs)
                assert said.code == 5
                assert f"mlhw rm {run.name}" in said.err
                assert warm.run("rm", "--yes", run.name, outputs=self.outputs).code == 0

    def end(self, warm: Warm) -> Ended:
        """Go on undisturbed until all is done."""
        ended = self.go_on(warm, figures=False)
        return self.start(warm, figures=False) if self.stacked else ended


def live(training: Training, warm: Warm, whole: Ended, rng: np.random.Generator, lives: int) -> int:
    """Kill ``training`` in each of up to ``lives`` lives, then let it end; returns how often it was killed.

    Half of the kills come after a random time, most of them while it trains; half within an operation on a file.
    """
    kills = 0
    for _ in range(lives):
        how: dict[str, Any] = {"each_epoch": bool(rng.random() < 0.8), "figures": bool(rng.random() < 0.3)}
        if rng.random() < 0.5:
            how["kill_after"] = rng.uniform(0, whole.seconds * (0.4 if rng.random() < 0.75 else 1.0))
        else:
            how["die_at"] = int(rng.integers(1, whole.operations * (0.5 if rng.random() < 0.75 else 1.0)))
        ended = training.go_on(warm, **how)
        kills += ended.code == KILLED
        assert "Traceback" not in ended.err, ended.err
        if ended.code != KILLED:
            assert ended.code in ((0, 1, 4) if training.stacked else (0,)), ended.err  # 1: a lost member was resumed
            break
    ended = training.end(warm)
    assert ended.code == training.good, ended.err
    return kills


def assert_same(got: Training, whole: Training) -> None:
    """All that ``got`` left behind is what ``whole``, which nothing disturbed, left: to the last bit, less the seconds."""
    assert len(got.runs()) == len(whole.runs()), "a run was lost or begun twice"
    for mine, theirs in zip(got.runs(), whole.runs(), strict=True):
        assert_same_run(mine, theirs)
    assert leftovers(got.outputs) == []
    if got.stacked:
        (mine,), (theirs,) = (sorted(each.outputs.glob("sweeps/*/stacks/*.pt")) for each in (got, whole))
        assert_same_value(_timeless(checkpoint.load(mine)), _timeless(checkpoint.load(theirs)))


def assert_same_run(mine: Path, theirs: Path) -> None:
    """Two run folders hold the same results."""
    assert metrics(mine) == metrics(theirs)
    lines = _text(mine / "metrics.csv").splitlines()
    assert lines.count(HEADER) == 1
    assert lines[0] == HEADER
    keys = [tuple(line.split(",")[:2]) for line in lines]
    assert len(set(keys)) == len(keys), "a row is there twice"
    assert names(mine) == names(theirs)
    for name in ("checkpoints/best.pt", "checkpoints/last.pt"):
        assert (mine / name).exists() == (theirs / name).exists()
        if (theirs / name).exists():
            assert_same_value(_timeless(checkpoint.load(mine / name)), _timeless(checkpoint.load(theirs / name)))
    if (theirs / "test_predictions.csv").exists():
        assert (mine / "test_predictions.csv").read_bytes() == (theirs / "test_predictions.csv").read_bytes()
    assert _summary(mine) == _summary(theirs)


def metrics(run: Path) -> list[list[str]]:
    """The rows of metrics.csv, as text, without the seconds: those no two runs share."""
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return [row[:-1] for row in csv.reader(file)]


def names(run: Path) -> set[str]:
    """The files of a run but its figures, which depend on nothing but these, and its lock's."""
    found = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    return {name for name in found if name not in ("lock", "holder.json") and not name.startswith("plots/")}


def leftovers(folder: Path) -> list[str]:
    """Temporary files in ``folder`` and below."""
    return sorted(str(path) for path in folder.rglob("*") if path.name.startswith(".") or path.name.endswith(".tmp"))


def assert_same_value(mine: Any, theirs: Any) -> None:
    """Equal to the last bit, however deep."""
    assert type(mine) is type(theirs)
    if isinstance(theirs, dict):
        assert mine.keys() == theirs.keys()
        for key in theirs:
            assert_same_value(mine[key], theirs[key])
    elif isinstance(theirs, list):
        assert len(mine) == len(theirs)
        for each, other in zip(mine, theirs, strict=True):
            assert_same_value(each, other)
    elif hasattr(theirs, "detach"):
        assert mine.dtype == theirs.dtype
        assert mine.numpy().tobytes() == theirs.numpy().tobytes()
    else:
        assert mine == theirs


def _timeless(value: dict[str, Any]) -> dict[str, Any]:
    if "loop" in value:
        value = value | {"loop": [{k: v for k, v in state.items() if k != "seconds"} for state in value["loop"]]}
    return value


def _summary(run: Path) -> dict[str, Any]:
    value = read_json(run / "summary.json") or {"error": read_json(run / "error.json")}
    return {key: item for key, item in value.items() if key not in OWN and not key.startswith("seconds")}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
