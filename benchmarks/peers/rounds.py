"""One process a system, all kept alive and told in turn to work: what else the machine does hits all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import IO, Any, Protocol

from benchmarks.peers.tables import SYSTEMS, WORKLOADS

ROOT = Path(__file__).resolve().parent.parent.parent
Measured = dict[str, Any]  # seconds, cpu_seconds, and where known threads, peak_mb, accuracy


class Runner(Protocol):
    """A system that waits for its turn."""

    def warm(self) -> Measured:
        """Run without counting."""

    def run(self) -> Measured:
        """Run and tell what it took. Raises RuntimeError, with what the system said, where it fails."""


class Worker:
    """A process of ``benchmarks.peers.worker``."""

    def __init__(self, workload: str, system: str, environ: Mapping[str, str], quick: bool, said: IO[str]) -> None:
        self.name, self.said = f"{workload} {system}", said
        words = [sys.executable, "-m", "benchmarks.peers.worker", workload, system, *["--quick"] * quick]
        self.process = subprocess.Popen(
            words, cwd=ROOT, env=dict(environ), stdin=-1, stdout=-1, stderr=said, text=True, encoding="utf-8"
        )

    def warm(self) -> Measured:
        return self._asked("warm")

    def run(self) -> Measured:
        return self._asked("run")

    def _asked(self, word: str) -> Measured:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(f"{word}\n")
            self.process.stdin.flush()
        except OSError:
            line = ""  # it has ended, and said why
        else:
            line = self.process.stdout.readline()
        if not line:
            self.said.seek(0)
            raise RuntimeError(f"{self.name} ended:\n{self.said.read()[-2000:]}")
        return json.loads(line)

    def end(self) -> None:
        """Let the process go, whatever it does."""
        self.process.kill()
        self.process.communicate()


class Command:
    """A whole program, started anew each time; its warm-up fills the system's file cache."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        self.words, self.environ = list(words), dict(environ)

    def warm(self) -> Measured:
        self.run()
        return {}

    def run(self) -> Measured:
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            began = perf_counter()
            process = subprocess.Popen(self.words, cwd=ROOT, env=self.environ, stdout=said, stderr=said)
            if not hasattr(os, "wait4"):  # Windows: no processor time of one child
                code, measured = process.wait(), {"seconds": perf_counter() - began}
            else:
                _, status, usage = os.wait4(process.pid, 0)
                code = process.returncode = os.waitstatus_to_exitcode(status)
                unit = 2**20 if sys.platform == "darwin" else 2**10
                measured = {
                    "seconds": perf_counter() - began,
                    "cpu_seconds": usage.ru_utime + usage.ru_stime,
                    "peak_mb": usage.ru_maxrss / unit,
                }
            if code != 0:
                said.seek(0)
                raise RuntimeError(f"{' '.join(self.words[1:])} ended with {code}:\n{said.read()[-2000:]}")
        return measured


@dataclass(frozen=True)
class Outcome:
    """Each system's measurements, and why others have none."""

    measured: dict[str, list[Measured]]
    absent: dict[str, str]


def contest(workload: str, repeats: int, environ: Mapping[str, str], quick: bool) -> Outcome:
    """What each system took for ``workload``, in the order of the table."""
    named = {name: SYSTEMS[name].missing for name in WORKLOADS[workload].systems}
    absent = {name: f"not installed: {', '.join(missing)}" for name, missing in named.items() if missing}
    with workers(workload, [name for name in named if name not in absent], environ, quick) as runners:
        outcome = in_turn(runners, min(repeats, WORKLOADS[workload].rounds))
    return Outcome(outcome.measured, absent | outcome.absent)


@contextmanager
def workers(
    workload: str, systems: Sequence[str], environ: Mapping[str, str], quick: bool
) -> Iterator[dict[str, Runner]]:
    """A worker for each of ``systems``, as long as the block lasts."""
    with ExitStack() as stack:
        runners: dict[str, Runner] = {}
        for system in systems:
            said = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mlhw-benchmarks-"))
            worker = Worker(workload, system, {**environ, "MLHW_OUTPUTS": folder}, quick, said)
            stack.callback(worker.end)
            runners[system] = worker
        yield runners


def in_turn(runners: Mapping[str, Runner], repeats: int) -> Outcome:
    """Warm each up, then let all work ``repeats`` times: forwards, backwards, and so on, so that no drift favours one.

    A system that fails is left out from there on, with the end of what it said; the others go on.
    """
    going, absent = dict(runners), {}
    found: dict[str, list[Measured]] = {name: [] for name in runners}
    for turn in range(-1, repeats):
        for name in list(going)[:: 1 if turn % 2 == 0 else -1]:
            try:
                if turn < 0:
                    going[name].warm()
                else:
                    found[name].append(going[name].run())
            except (RuntimeError, OSError) as error:
                absent[name] = f"failed: {error}"
                del going[name], found[name]
                print(f"{name} {absent[name]}", file=sys.stderr)
    return Outcome(found, absent)
