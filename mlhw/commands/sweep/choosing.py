"""Which trials train as one model and over how many processes: measured, and said in words."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise, repeat
from math import ceil
from time import perf_counter
from typing import NamedTuple

from mlhw.commands import assemble
from mlhw.commands.assemble import Job
from mlhw.commands.settings import Settings
from mlhw.commands.sweep.asking import How
from mlhw.commands.threads import as_found, use_threads
from mlhw.config.schema import Experiment
from mlhw.errors import MlhwError
from mlhw.sweeps.grouping import together
from mlhw.training import batches
from mlhw.training.streams import ORDER, stream

MOST_MEMBERS = 32  # of one stack: beyond, a step's arrays outgrow the caches and a lost process loses more
START_SECONDS = 3.0  # until a new process has loaded torch and its data: two cores, a warm disk
LOOK_SECONDS, LOOK_STEPS = 0.25, 200  # of steps that are timed
WORTH_SECONDS = 2.0  # below it nothing is worth the measuring


@dataclass(frozen=True)
class Question:
    """What a worker is asked before there is anything to train: how to train these."""

    experiments: tuple[Experiment, ...]
    settings: Settings
    how: How


class Choice(NamedTuple):
    """Groups of trials (positions), each trained as one model; how many at once, with how many threads; and why."""

    groups: list[list[int]]
    workers: int
    threads: int | None
    why: str


def choose(experiments: Sequence[Experiment], settings: Settings, how: How, progress: Progress) -> Choice:
    """How to train ``experiments``, by the seconds that each way would take; ``how`` may leave less to choose.

    Raises:
        ConfigError: ``how`` asks for stacks, and there are none.
    """
    cores = available_cores()
    if how.ray is not None and how.executor != "stack":
        return Choice(_singles(experiments), min(cores, len(experiments)), 1, "each a task")
    if how.executor == "serial":
        return Choice(_singles(experiments), 1, None, "one after the other, as asked")
    if how.executor == "processes":
        workers = min(how.jobs or cores, len(experiments))
        return Choice(_singles(experiments), workers, max(1, cores // workers), f"in {workers} processes, as asked")
    if how.executor == "stack":
        workers = how.jobs or 1
        groups = _spread(together(_dumped(experiments), MOST_MEMBERS), workers)
        return Choice(
            groups, workers, max(1, cores // workers) if workers > 1 else None, f"{_counted(groups)}, as asked"
        )
    with as_found():
        return _measured(experiments, settings, how.jobs or cores, progress)


Progress = Callable[[str, int, int], None]


def _measured(experiments: Sequence[Experiment], settings: Settings, cores: int, progress: Progress) -> Choice:
    """The fastest of four ways, by timed steps of the first experiment and of stacks of it and its like."""
    serial = Choice(_singles(experiments), 1, None, "one after the other")
    if len(experiments) == 1:
        return serial
    groups = together(_dumped(experiments), MOST_MEMBERS)
    try:
        job = assemble.job(experiments[0], settings, progress)
    except MlhwError:
        return serial  # each trial says for itself what is wrong
    steps = sum(_steps(experiment, len(job.splits.train)) for experiment in experiments)
    whole = _step_seconds(job, experiments[0], settings, None) * steps
    if whole < WORTH_SECONDS:
        return serial._replace(why=f"one after the other: about {_seconds(whole)} in all")
    ways = [(whole, serial)]
    workers = min(cores, len(experiments))
    if workers > 1 and job.device == "cpu":
        share = max(1, available_cores() // workers)
        one = _step_seconds(job, experiments[0], settings, share)
        way = Choice(_singles(experiments), workers, share, f"in {workers} processes")
        ways.append((START_SECONDS + one * steps / workers, way))
    largest = max(groups, key=len)
    if len(largest) > 1:
        ways += _stack_ways(experiments, groups, settings, workers if job.device == "cpu" else 1, steps, progress)
    ways.sort(key=lambda way: way[0])
    took, best = ways[0]
    others = ", ".join(f"{other.why} {_seconds(seconds)}" for seconds, other in ways[1:])
    return best._replace(why=f"{best.why}: about {_seconds(took)} ({others})")


def _stack_ways(
    experiments: Sequence[Experiment],
    groups: list[list[int]],
    settings: Settings,
    workers: int,
    steps: int,
    progress: Progress,
) -> list[tuple[float, Choice]]:
    """One stack after the other here, and spread over processes, each with the seconds that it would take."""
    ways = []
    for at_once in sorted({1, workers}):
        parts = _spread(groups, at_once)
        largest = [experiments[position] for position in max(parts, key=len)]
        if len(largest) == 1:
            continue
        threads = None if at_once == 1 else max(1, available_cores() // at_once)
        try:
            stacked = assemble.stack_job(largest, settings, progress)
        except (MlhwError, ValueError):
            return []
        per_trial = _step_seconds(stacked, largest[0], settings, threads) / len(largest)
        seconds = per_trial * steps / at_once + (START_SECONDS if at_once > 1 else 0.0)
        words = _counted(parts) + (f" in {at_once} processes" if at_once > 1 else "")
        ways.append((seconds, Choice(parts, at_once, threads, words)))
    return ways


def _step_seconds(job: Job, experiment: Experiment, settings: Settings, share: int | None) -> float:
    """Seconds a step of ``job`` takes with a ``share`` of the cores, after its first; the learner is changed."""
    use_threads(settings.bounded(share or experiment.threads or settings.threads), assemble.way(experiment))
    rng = [stream(seed, ORDER, 0) for seed in job.recipe.own_seeds or (job.recipe.seed,)]
    some = list(islice(batches.shuffled(job.placed.train, job.recipe.batch_rows, rng), LOOK_STEPS))
    prepared = some if job.recipe.augment is None else [job.recipe.augment(batch, rng[0], 0.0) for batch in some[:3]]
    learner = job.learner
    report = learner.step(prepared[0], 0.0)
    learner.fetch([report])
    began, count = perf_counter(), 0
    for batch in islice(chain.from_iterable(repeat(prepared)), LOOK_STEPS):
        report = learner.step(batch, 0.0)
        count += 1
        if perf_counter() - began > LOOK_SECONDS:
            break
    learner.fetch([report])  # wait for a device that works on behind
    return (perf_counter() - began) / count


def _steps(experiment: Experiment, rows: int) -> int:
    return experiment.train.epochs * ceil(rows / experiment.train.batch_size)


def _spread(groups: list[list[int]], workers: int) -> list[list[int]]:
    """``groups`` cut so that ``workers`` have something to do: each group into as many even parts as it can give."""
    parts = min(workers, max(1, ceil(workers / len(groups))))
    found = []
    for group in groups:
        count = min(parts, len(group))
        ends = [round(index * len(group) / count) for index in range(count + 1)]
        found += [group[low:high] for low, high in pairwise(ends)]
    return found


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _singles(experiments: Sequence[Experiment]) -> list[list[int]]:
    return [[position] for position in range(len(experiments))]


def _dumped(experiments: Sequence[Experiment]) -> list[dict[str, object]]:
    return [experiment.model_dump(mode="json") for experiment in experiments]


def _counted(groups: Sequence[Sequence[int]]) -> str:
    """``2 stacks of 4 and 3 single runs``."""
    stacks = [len(group) for group in groups if len(group) > 1]
    singles = len(groups) - len(stacks)
    words = []
    if stacks:
        sizes = f"{min(stacks)}" if min(stacks) == max(stacks) else f"{min(stacks)} to {max(stacks)}"
        words.append(
            f"{len(stacks)} stack{'s' * (len(stacks) > 1)} of {sizes}" if len(stacks) > 1 else f"one stack of {sizes}"
        )
    if singles:
        words.append(f"{singles} single run{'s' * (singles > 1)}")
    return " and ".join(words)


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value < 100 else f"{value / 60:.0f} min"
