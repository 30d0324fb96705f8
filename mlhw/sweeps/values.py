"""Lists of values as they are typed: ``0.01,0.1,1``, or so many of them between two ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml

from mlhw.config.reader import read
from mlhw.errors import ConfigError

MOST = 10_000


def values_of(text: str, origin: str) -> list[Any]:
    """The values that ``text`` names: separated by commas, each read as YAML; or ``log:1e-4:1:8``, or ``lin:0:0.5:6``.

    ``log`` spaces the values evenly in their logarithm, ``lin`` in themselves, both ends included, to six digits.

    Raises:
        ConfigError: nothing is named, a value is named twice, or the ends are not what they have to be; names ``origin``.
    """
    kind, colon, rest = text.strip().partition(":")
    if colon and kind in ("log", "lin"):
        return _spaced(kind, rest, text, origin)
    try:
        found = read(f"values: [{text}]".encode(), origin).value["values"]
    except (ConfigError, yaml.YAMLError):
        found = None
    if not isinstance(found, list) or not found or any(value is None for value in found):
        raise ConfigError(f"{origin}: '{text}' is not a list of values. Separate them by commas: 0.01,0.1,1.")
    for value in found:
        if found.count(value) > 1:
            raise ConfigError(f"{origin}: {value} is there twice. Name each value once.")
    return found


def _spaced(kind: str, rest: str, text: str, origin: str) -> list[float]:
    try:
        low, high, count = rest.split(":")
        ends, number = (float(low), float(high)), int(count)
    except ValueError:
        ends, number = (0.0, 0.0), 0
    good = 2 <= number <= MOST and all(map(np.isfinite, ends)) and ends[0] != ends[1]
    if not good or (kind == "log" and min(ends) <= 0):
        raise ConfigError(
            f"{origin}: '{text}' should be {kind}:FROM:TO:COUNT, for example log:1e-4:1:8, with two different ends"
            f"{' above 0' if kind == 'log' else ''} and 2 to {MOST:,} values."
        )
    spaced = np.geomspace(*ends, number) if kind == "log" else np.linspace(*ends, number)
    return [float(f"{value:.6g}") for value in spaced]
