"""Which trials may train as one model: those that differ in nothing but rates, decays and seeds."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

# What the members of a stack may differ in; data seeds too, where each member then has rows of its own.
FREE = (("train", "lr"), ("train", "weight_decay"), ("seed", "init"), ("seed", "data"))
WORDS = ("name", "description", "source", "result", "expect", "sweep")  # change no number


def why_alone(config: Mapping[str, Any]) -> str:
    """Why a run of the resolved ``config`` cannot share a model with others, as far as its keys say; empty where it can."""
    train, model = config["train"], config["model"]
    if train.get("time_limit_seconds") is not None:
        return "train.time_limit_seconds stops it by the clock"
    if train.get("init_from"):
        return "train.init_from names its beginning"
    if model.get("dropout"):
        return "it has dropout"
    if train.get("augment") is not None:
        return "its pictures are augmented"
    return ""


def together(configs: Sequence[Mapping[str, Any]], most: int) -> list[list[int]]:
    """The positions of ``configs`` in groups that may train as one, each at most ``most``, in the order they came.

    Raises nothing: a config that has to be alone is a group of one.
    """
    groups: dict[str, list[list[int]]] = {}
    found: list[list[int]] = []
    for position, config in enumerate(configs):
        if why_alone(config):
            found.append([position])
            continue
        mine = groups.setdefault(_key(config), [])
        if not mine or len(mine[-1]) >= most:
            mine.append([])
            found.append(mine[-1])
        mine[-1].append(position)
    return found


def _key(config: Mapping[str, Any]) -> str:
    """What the members of a stack have in common, as text."""
    shared = {key: copy.deepcopy(value) for key, value in config.items() if key not in WORDS}
    for section, key in FREE:
        shared.get(section, {}).pop(key, None)
    if config["data"].get("normalize") == "standard" and _drawn(config):
        shared["seed"] = {"data": config["seed"]["data"]}  # the scaling is that of the rows that were drawn
    return json.dumps(shared, sort_keys=True)


def _drawn(config: Mapping[str, Any]) -> bool:
    """Whether the data seed decides which rows there are to train on."""
    data = config["data"]
    return bool(data.get("val_fraction")) or (data.get("train_rows") is not None and data["train_draw"] == "random")
