"""Which runs a sweep is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Trial(NamedTuple):
    """One run to make: the variant it belongs to, its place among that variant's seeds, and ``key=value`` overrides."""

    variant: str
    repeat: int
    overrides: tuple[str, ...]


def plan(variants: Mapping[str, Mapping[str, Any]], seeds: int, first_seeds: Mapping[str, int]) -> list[Trial]:
    """The trials, seed by seed: every variant is seen once before any is seen twice.

    Args:
        variants: dotted keys and values by the variant's name; empty for the experiment as it is, as ``base``.
        seeds: how many runs of each variant; run k adds k to every one of ``first_seeds``.
        first_seeds: the experiment's own seeds, by key (``init``, ``data``).
    """
    trials = []
    for repeat in range(seeds):
        shifted = [f"seed.{key}={value + repeat}" for key, value in first_seeds.items()]
        for name, changes in (variants or {"base": {}}).items():
            overrides = [f"{key}={json.dumps(value)}" for key, value in changes.items()]
            trials.append(Trial(name, repeat, (*overrides, *shifted)))
    return trials
