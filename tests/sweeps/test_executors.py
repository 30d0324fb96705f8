"""Jobs in, records out: the laws that hold for every executor, and those of the process pool."""

from __future__ import annotations

import contextlib
import os
import signal
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mlhw.errors import Interrupted, MlhwError
from mlhw.sweeps.executors import DIED, Done, serial
from mlhw.sweeps.processes import processes
from tests.sweeps import executor_jobs
from tests.sweeps.executor_jobs import KILL, Unloadable, double, work
from tests.sweeps.watching import gone, open_files, posix, unheard

pytestmark = pytest.mark.usefixtures("no_process_left")
PAIR = partial(processes, workers=2, threads=1)
ONE = partial(processes, workers=1, threads=1)
Executor = Callable[..., Iterator[Done]]


def records(executor: Executor, jobs: Sequence[Any], hear: Callable[[int, Any], None] = unheard) -> list[Done]:
    """The records of ``jobs`` by index, each of which must be there once."""
    with contextlib.closing(executor(jobs, work, hear)) as running:
        found = sorted(running, key=lambda done: done.index)
    assert [done.index for done in found] == list(range(len(jobs)))
    return found


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
