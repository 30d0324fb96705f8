"""Which runs a sweep is made of."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlhw.errors import ConfigError

MOST_TRIALS = 100_000


@dataclass(frozen=True, slots=True)
class Trial:
    """One run to make: the setting it belongs to, its place among that setting's seeds, and what it changes."""

    variant: str
    repeat: int
    overrides: tuple[str, ...]  # key=value
    values: Mapping[str, Any] = field(default_factory=dict)  # the grid's keys, with this trial's values


def plan(
    variants: Mapping[str, Mapping[str, Any]],
    seeds: int,
    first_seeds: Mapping[str, int],
    grid: Mapping[str, Sequence[Any]] | None = None,
) -> list[Trial]:
    """The trials, seed by seed: every setting is seen once before any is seen twice. Nothing is sampled away.

    Args:
        variants: dotted keys and values by the variant's name; empty for the experiment as it is, as ``base``.
        seeds: how many runs of each setting; run k adds k to every one of ``first_seeds``.
        first_seeds: the experiment's own seeds, by key (``init``, ``data``); those that the grid varies stay as it says.
        grid: the values of each dotted key; every combination with every variant is a setting.

    Raises:
        ConfigError: there are more than 100,000 trials.
    """
    grid = grid or {}
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    count = len(points) * max(len(variants), 1) * seeds
    if count > MOST_TRIALS:
        raise ConfigError(f"a sweep of {count:,} runs: at most {MOST_TRIALS:,} are planned at once. Split the grid.")
    trials = []
    for repeat in range(seeds):
        shifted = [f"seed.{key}={value + repeat}" for key, value in first_seeds.items() if f"seed.{key}" not in grid]
        for name, changes in (variants or {"base": {}}).items():
            for point in points:
                overrides = [f"{key}={json.dumps(value)}" for key, value in {**changes, **point}.items()]
                trials.append(Trial(_named(name, point), repeat, (*overrides, *shifted), point))
    return trials


def _named(variant: str, point: Mapping[str, Any]) -> str:
    """``two-layers``, ``lr=0.1``, ``two-layers lr=0.1 units=32``: a key's last word is enough where it is its alone."""
    lasts = [key.rpartition(".")[2] for key in point]
    words = [last if lasts.count(last) == 1 else key for key, last in zip(point, lasts, strict=True)]
    parts = [f"{word}={_short(value)}" for word, value in zip(words, point.values(), strict=True)]
    return " ".join(([] if variant == "base" and parts else [variant]) + parts)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
