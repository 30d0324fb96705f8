"""Jobs with limits: what hangs, hogs or crashes costs itself, and is told of in words."""

from __future__ import annotations

import sys

import pytest

from mlhw.grading.apart import run_apart
from tests.grading import hostile_jobs
from tests.grading.hostile_jobs import MEMORY_MB, SECONDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the jobs use signals")

JOBS = ["one", "hang", "hog", "two", "die", "raise", "hang outside Python", "three"]


def test_each_job_that_ends_badly_costs_itself_alone() -> None:
    came = {
        JOBS[one.place]: one
        for one in run_apart(JOBS, hostile_jobs.work, workers=2, seconds=SECONDS, memory_mb=MEMORY_MB)
    }
    assert {name for name, one in came.items() if not one.reason} == {"one", "two", "three"}
    assert all(came[name].result == f"did {name}" for name in ("one", "two", "three"))
    for name in ("hang", "hang outside Python"):
        assert came[name].reason == "not finished after 1.5 s"
        assert came[name].late
    assert "SIGSEGV" in came["die"].reason
    assert not came["die"].late
    assert "no such thing" in came["raise"].reason
    if sys.platform == "linux":
        assert came["hog"].reason == "needs more than 200 MB of memory"


def test_interrupted_work_has_time_to_leave_a_checkpoint() -> None:
    heard: list[object] = []
    (came,) = run_apart(
        [0.2], hostile_jobs.interrupted, workers=1, seconds=0.2, hear=lambda place, event: heard.append(event)
    )
    assert heard == ["left a checkpoint"]
    assert came.late
    assert came.reason.startswith("not finished after 0.2 s")
