"""All that it takes to train several experiments as one model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mlhw.arrays import Split, Splits
from mlhw.commands.assemble.jobs import Job, build_recipe, check_budget, preparation
from mlhw.commands.assemble.learner import build_stack, pick_device
from mlhw.commands.assemble.reporting import coarser_classes
from mlhw.commands.assemble.splits import chosen_rows, load_splits, load_whole
from mlhw.commands.settings import Settings
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError


def stack_job(experiments: Sequence[Experiment], settings: Settings, progress: Callable[[str, int, int], None]) -> Job:
    """What trains ``experiments``, which differ in rates, decays and seeds alone, as one; the Job's own is the first.

    Raises:
        ConfigError: something does not fit together, or the parameter budget is broken.
        DataError: the data is missing or bad.
    """
    first = experiments[0]
    if coarser_classes(first, settings) is not None:
        raise ConfigError("data.report: the members of a stack report the classes that they train on.")
    device = pick_device(first)
    seeds = tuple(experiment.seed.data for experiment in experiments)
    shared = len(set(seeds)) == 1
    splits = load_splits(first, settings, progress) if shared else _own_rows(experiments, settings, progress)
    learner = build_stack(experiments, splits.train, device)
    check_budget(first, learner)
    recipe = build_recipe(first, len(splits.train.class_names))
    if not shared:
        recipe = replace(recipe, own_seeds=seeds)
    prepared = preparation(first, splits.train, None)
    return Job(first, device, splits, _placed(splits, learner.place), learner, recipe, prepared)


def _own_rows(
    experiments: Sequence[Experiment], settings: Settings, progress: Callable[[str, int, int], None]
) -> Splits:
    """The data set once, with the rows that each member trains on and holds out."""
    whole = load_whole(experiments[0], settings, progress)
    chosen = [chosen_rows(experiment, whole) for experiment in experiments]
    train = replace(whole.train, own=np.stack([rows for rows, _ in chosen]))
    held_out = [rows for _, rows in chosen if rows is not None]
    val = replace(whole.train, own=np.stack(held_out)) if held_out else whole.val
    return replace(whole, train=train, val=val)


def _placed(splits: Splits, place: Callable[[Split], Split]) -> Splits:
    """``splits`` moved to where the learner computes, rows that train and val have in common once."""
    train, val = place(splits.train), splits.val
    if val is not None:
        val = replace(train, own=val.own) if val.inputs is splits.train.inputs else place(val)
    return replace(splits, train=train, val=val, test=None if splits.test is None else place(splits.test))
