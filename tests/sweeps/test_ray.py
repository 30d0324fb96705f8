"""Jobs on Ray clusters, begun for these tests on this machine; skipped where Ray is not installed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlhw.errors import ConfigError
from mlhw.sweeps import ray_cluster
from mlhw.sweeps.executors import DIED, Done
from mlhw.sweeps.ray_cluster import run_all
from tests.sweeps.clusters import head_with_one_core
from tests.sweeps.executor_jobs import work

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs ray: pip install 'mlhw[ray]'")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with head_with_one_core() as made:
        yield made


def records(running: Iterator[Done], count: int) -> list[Done]:
    """The records by index, each of which must be there once."""
    with contextlib.closing(running):  # type: ignore[type-var]
        found = sorted(running, key=lambda done: done.index)
    assert [done.index for done in found] == list(range(count))
    return found


def test_without_ray_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'mlhw\[ray\]'"):
        next(run_all([1], work, print))


@needs_ray
@pytest.mark.parametrize("address", ["somewhere", "host:", ":6379", "host:99999", "ray://host"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="should be auto, local, HOST:PORT or ray://HOST:PORT"):
        next(run_all([1], work, print, address=address))


@needs_ray
def test_where_nobody_listens_it_fails_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"no Ray cluster answers at {address}.*ray start --head"):
            next(run_all([1], work, print, address=address))


@pytest.mark.slow
class TestCluster:
    def test_results_errors_and_what_jobs_say_arrive(self, cluster: Any) -> None:
        heard: dict[int, list[Any]] = {}
        jobs = [("double", 4), ("fail", 0), ("refuse", 0), ("leave", 3), ("say", 5), ("say_much", 3_000_000)]
        jobs += [("no_pickle", 0), ("double", (n for n in "abc")), ("double", 5)]
        running = run_all(
            jobs, work, lambda index, event: heard.setdefault(index, []).append(event), address=cluster.address
        )
        doubled, failed, refused, left, said, much, unsent, unsendable, last = records(running, len(jobs))
        assert (doubled.result, last.result) == (8, 10)
        assert (failed.error, failed.kind, refused.error) == (
            "ValueError: no such thing",
            "ValueError",
            "train.lr should be above 0.",
        )
        assert left.error == "SystemExit: 3"
        assert (said.result, heard[4]) == ("all said", [{"said": number} for number in range(5)])
        assert (len(much.result), [len(event) for event in heard[5]]) == (3_000_000, [3_000_000])
        assert "cannot pickle 'generator' object" in unsent.error
        assert "cannot be sent to another process: TypeError" in unsendable.error

    def test_a_worker_that_dies_is_tried_again_and_then_recorded(self, cluster: Any, tmp_path: Path) -> None:
        notes = tmp_path / "notes"
        notes.mkdir()
        jobs = [("double", 1), ("vanish_after_noting", notes), ("double", 2)]
        first, dead, last = records(run_all(jobs, work, print, address=cluster.address, retries=2), 3)
        assert (first.result, last.result) == (2, 4)
        assert dead.kind == DIED
        assert "died, 3 times" in dead.error
        assert len(list(notes.iterdir())) == 3

    def test_a_node_that_dies_loses_no_job_and_doubles_none(self, cluster: Any) -> None:
        node = cluster.add_node(num_cpus=1, object_store_memory=10**8)
        cluster.wait_for_nodes()
        places: dict[str, int] = {}
        running = run_all(
            [("nap", n) for n in range(24)],
            work,
            lambda index, node_id: places.__setitem__(node_id, places.get(node_id, 0) + 1),
            address=cluster.address,
        )
        found = []
        with contextlib.closing(running):  # type: ignore[type-var]
            for done in running:
                found.append(done)
                if len(places) == 2 and node is not None:  # both are at work
                    cluster.remove_node(node, allow_graceful=False)
                    node = None
        assert node is None, "the second node never had a job"
        assert sorted((done.index, done.result, done.error) for done in found) == [(n, n, "") for n in range(24)]

    def test_threads_are_those_of_its_cores(self, cluster: Any) -> None:
        (done,) = records(run_all([("threads_said", 0)], work, print, address=cluster.address), 1)
        assert set(done.result.values()) == {"1"}

    def test_what_no_node_has_is_refused_at_once(self, cluster: Any) -> None:
        with pytest.raises(
            ConfigError, match=r"no node of the Ray cluster has 1 CPU and 2 GPU.*largest has 1 CPU and 0 GPU"
        ):
            next(run_all([1], work, print, address=cluster.address, gpus=2))

    @pytest.mark.skipif(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, reason="this shell ignores Ctrl+C")
    def test_closed_early_jobs_are_interrupted_and_heard(self, cluster: Any, tmp_path: Path) -> None:
        heard: list[Any] = []

        def hear(index: int, event: Any) -> None:
            heard.append(event)
            (tmp_path / "door").touch()

        jobs = [("endure", 1), ("wait_for", tmp_path / "door"), ("double", 1)]
        running = run_all(jobs, work, hear, address=cluster.address, cpus=0.5)
        assert next(running).index == 1
        running.close()  # type: ignore[attr-defined]
        assert heard[1:] == ["interrupted 1", "checkpoint"]

    def test_jobs_are_given_up_when_no_node_has_room_any_more(
        self, cluster: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ray_cluster, "PATIENCE_SECONDS", 0.0)
        node = cluster.add_node(num_cpus=2, object_store_memory=10**8)
        cluster.wait_for_nodes()
        jobs = [("nap", 60), ("nap", 60)]

        def hear(index: int, event: Any) -> None:
            cluster.remove_node(node, allow_graceful=False)

        found = records(run_all(jobs, work, hear, address=cluster.address, cpus=2), 2)
        assert {done.error for done in found} == {"no node of the Ray cluster has 2 CPU any more"}


LOCAL = """
from mlhw.sweeps.ray_cluster import run_all
from tests.sweeps.executor_jobs import work
for done in run_all([("double", 1), ("double", 2)], work, print, address={address!r}):
    print(done.result)
"""


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize("address", ["local", "auto"])
def test_a_cluster_of_this_machine_alone_leaves_nothing_behind(address: str) -> None:
    before = set(Path("/tmp").glob("*ray*"))
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, "-c", LOCAL.format(address=address)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=Path(__file__).parents[2],
        env=environment,
    )
    assert (done.returncode, sorted(done.stdout.split()), done.stderr) == (0, ["2", "4"], "")
    assert set(Path("/tmp").glob("*ray*")) == before
