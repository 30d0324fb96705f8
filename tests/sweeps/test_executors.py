"""Jobs in, records out: the laws that hold for every executor, and those of the process pool."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mlhw.errors import Interrupted, MlhwError
from mlhw.sweeps.executors import DIED, Done, serial
from mlhw.sweeps.processes import processes, processes_after
from tests.sweeps import executor_jobs
from tests.sweeps.executor_jobs import KILL, Unloadable, double, work

posix = pytest.mark.skipif(os.name != "posix", reason="signals, and /proc")
PAIR = partial(processes, workers=2, threads=1)
ONE = partial(processes, workers=1, threads=1)
Executor = Callable[..., Iterator[Done]]


def unheard(index: int, event: Any) -> None:
    raise AssertionError(f"job {index} said {event!r}")


def records(executor: Executor, jobs: Sequence[Any], hear: Callable[[int, Any], None] = unheard) -> list[Done]:
    """The records of ``jobs`` by index, each of which must be there once."""
    with contextlib.closing(executor(jobs, work, hear)) as running:
        found = sorted(running, key=lambda done: done.index)
    assert [done.index for done in found] == list(range(len(jobs)))
    return found


def settled(holds: Callable[[], bool]) -> bool:
    """Whether ``holds`` comes true; the limit is for a machine that does much else."""
    limit = time.monotonic() + 60
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int) -> bool:
    """Whether no process ``pid`` runs: none, or one that has ended and waits for its parent (perhaps in vain) to see it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []


# Every executor -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", [serial, ONE, PAIR], ids=["serial", "one", "pair"])
class TestEveryExecutor:
    def test_every_job_has_one_record(self, executor: Executor) -> None:
        assert [done.result for done in records(executor, [("double", n) for n in range(50)])] == list(range(0, 100, 2))

    def test_no_jobs_no_records(self, executor: Executor) -> None:
        assert records(executor, []) == []

    def test_a_failed_job_is_a_record_and_not_the_end(self, executor: Executor) -> None:
        jobs = [("double", 1), ("fail", 0), ("refuse", 0), ("leave", 3), ("run_out_of_memory", 0), ("double", 2)]
        first, failed, refused, left, starved, last = records(executor, jobs)
        assert (first.result, last.result) == (2, 4)
        assert (failed.error, failed.kind, failed.result) == ("ValueError: no such thing", "ValueError", None)
        assert "executor_jobs.py" in failed.trace
        assert (refused.error, refused.kind, refused.trace) == ("train.lr should be above 0.", "ConfigError", "")
        assert left.error == "SystemExit: 3"
        assert starved.error.startswith("MemoryError: out of memory")

    def test_events_are_heard_in_order_and_before_the_record(self, executor: Executor) -> None:
        heard: dict[int, list[Any]] = {}
        jobs = [("say", 5), ("say", 0), ("say", 9)]
        with contextlib.closing(
            executor(jobs, work, lambda index, event: heard.setdefault(index, []).append(event))
        ) as running:
            for done in running:
                assert heard.get(done.index, []) == [{"said": number} for number in range(jobs[done.index][1])]

    def test_much_passes(self, executor: Executor) -> None:
        heard: list[int] = []
        size = 3_000_000
        (done,) = records(executor, [("say_much", size)], lambda index, event: heard.append(len(event)))
        assert (len(done.result), heard) == (size, [size])

    def test_results_are_not_kept(self, executor: Executor) -> None:
        tracemalloc.start()
        for _ in executor([("double", "x" * 500_000)] * 30, work, unheard):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10_000_000

    def test_nothing_happens_before_the_first_record_is_asked_for(self, executor: Executor) -> None:
        executor([("fail", 0)], work, unheard).close()


@pytest.mark.parametrize(("verb", "error"), [("ctrl_c", KeyboardInterrupt), ("interrupted", Interrupted)])
def test_an_interrupt_goes_through_a_serial_sweep(verb: str, error: type[BaseException]) -> None:
    running = serial([(verb, 0), ("double", 1)], work, unheard)
    with pytest.raises(error):
        next(running)


# Processes: what may go wrong with one job ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "words"),
    [
        pytest.param(("vanish", 3), "ended with exit code 3", id="exit"),
        pytest.param(("vanish", 0), "ended with exit code 0", id="exit-0"),
        pytest.param(("send_signal", KILL), "killed by signal 9 (SIGKILL; out of memory?)", marks=posix, id="kill"),
        pytest.param(("crash", 0), "(SIGSEGV; a segmentation fault)", marks=posix, id="segfault"),
    ],
)
def test_a_worker_that_dies_costs_its_own_job_alone(job: Any, words: str) -> None:
    found = records(PAIR, [("where", 0), job, *[("where", 0)] * 6, job, ("where", 0)])
    dead = [found.pop(8), found.pop(1)]
    assert all(words in done.error and done.kind == DIED for done in dead)
    assert all(done.result and not done.error for done in found)


def test_another_worker_takes_the_place_of_a_dead_one() -> None:
    first, _, second, third = records(ONE, [("where", 0), ("vanish", 1), ("where", 0), ("where", 0)])
    assert first.result != second.result == third.result


def test_a_worker_that_ran_out_of_memory_is_replaced() -> None:
    first, starved, second = records(ONE, [("where", 0), ("run_out_of_memory", 0), ("where", 0)])
    assert starved.kind == "MemoryError"
    assert first.result != second.result


@posix
def test_a_worker_told_to_stop_ends_its_job_with_a_checkpoint_and_is_replaced() -> None:
    heard: list[Any] = []

    def hear(index: int, event: Any) -> None:
        if event != bytes(10):
            heard.append(event)
        if isinstance(event, int):
            os.kill(event, signal.SIGTERM)

    jobs = [("interrupt_within_messages", 10), ("endure", 1), ("double", 1)]
    stopped, swallowed, after = records(ONE, jobs, hear)
    assert stopped.error == "the worker was told to stop"
    assert (swallowed.error, after.result) == ("", 2)
    assert heard.count("checkpoint") == 2


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (("no_pickle", 0), "the job ended, but its result cannot be pickled (TypeError: cannot pickle 'generator'"),
        (("no_loading", 0), "the job's result cannot be read here: ValueError: not on this machine"),
        (("say_no_pickle", 0), "TypeError: cannot pickle '_thread.lock' object"),
        (("double", (n for n in "abc")), "the job cannot be sent to another process: TypeError: cannot pickle"),
        (("double", Unloadable()), "ValueError: not on this machine"),
    ],
    ids=["result", "result-here", "event", "job", "job-there"],
)
def test_what_cannot_be_pickled_is_said_in_words(job: Any, words: str) -> None:
    found = records(ONE, [job, ("where", 0), job, ("where", 0), job])
    assert all(done.error.startswith(words) for done in found[::2])
    assert found[1].result == found[3].result is not None


def test_a_function_that_no_module_has_is_refused() -> None:
    with pytest.raises(TypeError, match="give a module's own function"):
        next(processes([1], lambda job, tell: job, unheard, workers=1, threads=1))


@pytest.mark.parametrize(("workers", "threads"), [(0, 1), (1, 0)])
def test_no_worker_or_no_thread_is_refused(workers: int, threads: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        next(processes([1], double, unheard, workers=workers, threads=threads))


def test_workers_that_do_not_start_end_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlhw.sweeps.spawning.work", executor_jobs.vanish)  # of whatever it is given
    with pytest.raises(MlhwError, match=r"do not start: each of 3 ended with exit code 1.*--jobs 1"):
        next(PAIR([1, 2], double, unheard))


def test_where_no_process_can_be_begun_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: Any) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("mlhw.sweeps.processes.spawn", none_left)
    with pytest.raises(MlhwError, match="cannot begin a worker process: Resource temporarily unavailable"):
        next(PAIR([1, 2], double, unheard))


# Processes: their surroundings ----------------------------------------------------------------------------------------


def test_workers_compute_with_the_threads_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    (done,) = records(ONE, [("threads_in_use", 0)])
    assert done.result == (1, 1, "1")
    assert dict(os.environ) == before


def test_a_worker_loads_nothing_but_the_job() -> None:
    assert records(ONE, [("modules", 0)])[0].result == []


def test_what_jobs_print_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    records(ONE, [("print_both", 0)])
    out, err = capfd.readouterr()
    assert out == ""
    assert sorted(err.splitlines()) == ["printed by C", "printed by Python"]


def test_a_free_worker_takes_the_next_job_while_another_is_busy(tmp_path: Path) -> None:
    door = tmp_path / "door"
    order = []
    with contextlib.closing(
        PAIR([("wait_for", door), *[("double", 1)] * 5], work, lambda index, event: None)
    ) as running:
        for done in running:
            order.append(done.index)
            if len(order) == 5:
                door.touch()
    assert order == [1, 2, 3, 4, 5, 0]


@posix
def test_closed_early_it_interrupts_its_jobs_once_and_leaves_nothing_open(tmp_path: Path) -> None:
    records(ONE, [("double", 1)])  # multiprocessing's own tracker stays
    files = open_files()
    heard: list[Any] = []

    def hear(index: int, event: Any) -> None:
        heard.append(event)
        (tmp_path / "door").touch()

    running = PAIR([("endure", 1), ("wait_for", tmp_path / "door"), ("double", 1)], work, hear)
    assert next(running).index == 1
    running.close()
    pid, *rest = heard
    assert rest == ["interrupted 1", "checkpoint"]
    assert gone(pid)
    assert open_files() == files


@posix
def test_a_job_that_does_not_end_when_it_is_asked_is_killed(tmp_path: Path) -> None:
    heard: list[Any] = []

    def hear(index: int, event: Any) -> None:
        heard.append(event)
        (tmp_path / "door").touch()

    jobs = [("endure", 2), ("wait_for", tmp_path / "door")]
    running = processes(jobs, work, hear, workers=2, threads=1, grace_seconds=0.5)
    next(running)
    running.close()
    assert heard[1:] == ["interrupted 1"]
    assert gone(heard[0])


def test_an_error_of_the_caller_ends_the_workers_and_goes_through() -> None:
    def hear(index: int, event: Any) -> None:
        raise OSError("the screen is gone")

    with pytest.raises(OSError, match="the screen is gone"):
        next(PAIR([("endure", 1)], work, hear))


# The whole program, with its group of processes -----------------------------------------------------------------------

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


# A job that goes before the others ------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_the_first_job_gives_the_others_and_its_worker_takes_them(workers: int) -> None:
    heard: list[tuple[int, Any]] = []

    def then(done: Done) -> tuple[list[Any], int, int]:
        assert (done.index, done.error) == (-1, "")
        return [("where", 0)] * 8, workers, 1

    with contextlib.closing(
        processes_after(("where", 0), then, work, lambda *said: heard.append(said), threads=1)
    ) as running:
        first, *others = running
    assert first.index == -1
    assert sorted(done.index for done in others) == list(range(8))
    assert first.result in {done.result for done in others}
    assert len({done.result for done in others}) <= workers
    assert heard == []


def test_what_the_first_job_says_has_no_index_of_another() -> None:
    heard: list[tuple[int, Any]] = []
    with contextlib.closing(
        processes_after(
            ("say", 2), lambda done: ([("say", 1)], 1, 1), work, lambda *said: heard.append(said), threads=1
        )
    ) as running:
        assert [done.index for done in running] == [-1, 0]
    assert heard == [(-1, {"said": 0}), (-1, {"said": 1}), (0, {"said": 0})]


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (("fail", 0), "ValueError"),
        (("leave", 3), "SystemExit"),
        (("vanish", KILL), DIED),
        (lambda: 0, "Error"),
    ],
    ids=["fails", "leaves", "dies", "cannot be sent"],
)
def test_where_the_first_job_fails_the_others_are_still_done(first: Any, kind: str) -> None:
    with contextlib.closing(
        processes_after(first, lambda done: ([("double", 1), ("double", 2)], 2, 1), work, unheard, threads=1)
    ) as running:
        found = list(running)
    assert [kind in done.kind for done in found if done.index == -1] == [True]
    assert sorted(done.result for done in found if done.index >= 0) == [2, 4]


def test_an_error_of_the_caller_after_the_first_job_ends_the_worker() -> None:
    def then(done: Done) -> tuple[list[Any], int, int]:
        raise MlhwError("no room")

    with pytest.raises(MlhwError, match="no room"):
        list(processes_after(("where", 0), then, work, unheard, threads=1))
