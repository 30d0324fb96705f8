"""``python -m benchmarks.peers.worker WORKLOAD SYSTEM``: one system's process, told line by line when to work.

It reads ``warm`` and ``run`` and answers each with a line of JSON. What libraries print goes to stderr.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import warnings
from time import perf_counter, process_time
from typing import Any

from benchmarks.memory import peak_mb
from benchmarks.peers.contest import Contest
from benchmarks.peers.tables import SYSTEMS, WORKLOADS


def main(workload: str, system: str, quick: bool) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    contest = prepare(workload, system, quick)
    threads = contest.threads
    for line in sys.stdin:
        if line.strip() == "warm":
            threads = warm(contest, WORKLOADS[workload].threads)
            answer: dict[str, Any] = {"threads": threads}
        else:
            answer = once(contest) | {"threads": threads, "peak_mb": peak_mb()}
            # Asked after the peak is read: scoring all rows at once may take more memory than training.
            answer["accuracy"] = None if contest.accuracy is None else contest.accuracy()
        print(json.dumps(answer), file=answers, flush=True)


def prepare(workload: str, system: str, quick: bool) -> Contest:
    """The contest of ``system`` with its data loaded."""
    return resolve(SYSTEMS[system].address)(resolve(WORKLOADS[workload].task)(quick))


def resolve(address: str) -> Any:
    """What ``module:name`` names."""
    module, _, name = address.partition(":")
    return getattr(importlib.import_module(module), name)


def warm(contest: Contest, how: str) -> int:
    """Run without counting, and settle on the number of threads: for a small model one is often faster than all."""
    every = os.cpu_count() or 1
    choices = [contest.threads] if contest.threads else [every, 1] if how == "best" else [every]
    seconds = {}
    use(choices[0])
    once(contest)  # the first time, libraries load what they need
    if len(choices) == 1:
        return choices[0]
    for threads in choices:
        use(threads)
        seconds[threads] = once(contest)["seconds"]
    fastest = min(seconds, key=seconds.__getitem__)
    use(fastest)
    return fastest


def use(threads: int) -> None:
    """Let the libraries that are loaded use ``threads`` threads; none is loaded for it, whose memory would count."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=threads)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)


def once(contest: Contest) -> dict[str, Any]:
    """Wall and processor seconds of one work, its preparation left out; garbage of before is collected first."""
    work = contest.fresh()
    gc.collect()
    wall, processor = perf_counter(), process_time()
    work()
    return {"seconds": perf_counter() - wall, "cpu_seconds": process_time() - processor}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], quick="--quick" in sys.argv)
