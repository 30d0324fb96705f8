"""Process pools seen from outside: whole programs, with their groups of processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.sweeps.watching import gone, posix, settled

pytestmark = pytest.mark.usefixtures("no_process_left")

HEAD = """
import contextlib, os, sys
from functools import partial
from mlhw.sweeps.processes import processes, processes_after
from tests.sweeps.executor_jobs import work

def hear(index, event):
    if event != bytes(300_000):
        print(event, flush=True)

def run(jobs, work=work):
    with contextlib.closing(processes(jobs, work, hear, workers=2, threads=1)) as running:
        for done in running:
            print(done.result, done.error, flush=True)
"""
INTERRUPTED = """
try:
    run([("endure", 1), ("interrupt_within_messages", 300_000)])
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


class Script:
    """A script in a session of its own, as from a terminal, with what it has printed so far."""

    def __init__(self, folder: Path, text: str) -> None:
        path = folder / "script.py"
        path.write_text(text, encoding="utf-8")
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            home = str(Path(__file__).parents[2])
            self.process = subprocess.Popen(
                [sys.executable, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, "PYTHONPATH": home},
                start_new_session=True,
            )

    def lines(self) -> list[str]:
        return self.out.read_text(encoding="utf-8").splitlines()

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait(60)


@posix
@pytest.mark.parametrize("verb", ["endure", "multiply"])
def test_workers_end_when_the_parent_is_killed(verb: str, tmp_path: Path) -> None:
    with Script(tmp_path, f"{HEAD}\nrun([({verb!r}, 700)] * 2)") as script:
        assert settled(lambda: len(script.lines()) == 2), script.err.read_text()
        script.process.kill()
        script.process.wait(60)
        assert all(settled(partial(gone, int(pid))) for pid in script.lines())


@posix
def test_workers_end_with_a_checkpoint_on_ctrl_c_at_the_terminal(tmp_path: Path) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        pytest.skip("what this shell starts in the background ignores Ctrl+C")
    with Script(tmp_path, HEAD + INTERRUPTED) as script:
        assert settled(lambda: len(script.lines()) == 2), script.err.read_text()
        pids = script.lines()
        os.killpg(script.process.pid, signal.SIGINT)
        assert script.process.wait(60) == 0
        said = script.lines()[2:]
        assert sorted(said) == ["checkpoint", "checkpoint", "interrupted", "interrupted 1"]
        assert said[-1] == "interrupted"
        assert all(gone(int(pid)) for pid in pids)
        assert script.err.read_text() == ""


@posix
@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05, 0.1])
def test_ctrl_c_while_workers_begin_is_quiet(seconds: float, tmp_path: Path) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        pytest.skip("what this shell starts in the background ignores Ctrl+C")
    with Script(tmp_path, HEAD + "print('begun', flush=True)" + INTERRUPTED) as script:
        assert settled(lambda: bool(script.lines())), script.err.read_text()
        time.sleep(seconds)  # wherever that may be: the law holds everywhere
        os.killpg(script.process.pid, signal.SIGINT)
        assert script.process.wait(60) in (0, -signal.SIGINT)
        assert "Traceback" not in script.err.read_text() or script.lines() == ["begun"]


def test_a_script_without_a_guard_is_not_run_again(tmp_path: Path) -> None:
    with Script(tmp_path, HEAD + "print('top')\nrun([('double', 1), ('double', 2)])") as script:
        assert script.process.wait(60) == 0, script.err.read_text()
        assert sorted(script.lines()) == ["2 ", "4 ", "top"]


def test_a_script_may_run_its_own_function_below_a_guard(tmp_path: Path) -> None:
    own = "def own(job, tell):\n    return job + 1\n"
    with Script(tmp_path, f"{HEAD}{own}if __name__ == '__main__':\n    run([1, 2], own)") as script:
        assert script.process.wait(60) == 0, script.err.read_text()
        assert sorted(script.lines()) == ["2 ", "3 "]


def test_a_script_without_a_guard_that_runs_its_own_function_is_told_so(tmp_path: Path) -> None:
    own = "def own(job, tell):\n    return job + 1\n"
    with Script(tmp_path, f"{HEAD}{own}run([1, 2], own)") as script:
        assert script.process.wait(60) == 1
        assert "needs its start below `if __name__ == '__main__':`" in script.err.read_text()
        assert script.lines() == []


def test_the_pool_loads_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; import mlhw.sweeps.processes, mlhw.sweeps.ray_cluster\n"
        "assert not {'numpy', 'torch', 'ray', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
