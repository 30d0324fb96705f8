"""A job that goes before the others and says what they are."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from mlhw.errors import MlhwError
from mlhw.sweeps.executors import DIED, Done
from mlhw.sweeps.processes import processes_after
from tests.sweeps.executor_jobs import KILL, work
from tests.sweeps.watching import unheard

pytestmark = pytest.mark.usefixtures("no_process_left")


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
