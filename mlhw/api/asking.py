"""Keywords and mappings of Python as the ``key=value`` overrides that the command line takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any

from mlhw.errors import ConfigError

SEEDS = ("seed.init", "seed.data")


def overrides(keywords: Mapping[str, Any], settings: Mapping[str, Any] | None) -> list[str]:
    """``key=value`` for each of ``keywords`` (by dotted key; None is none) and of ``settings``.

    Raises:
        ConfigError: a key is in both, or a value cannot stand in a YAML file.
    """
    given = {key: value for key, value in keywords.items() if value is not None}
    for key in settings or {}:
        if key in given:
            raise ConfigError(f"{key} is there twice, as a keyword and in settings. Leave one of them out.")
    return [f"{key}={text_of(value, key)}" for key, value in [*given.items(), *(settings or {}).items()]]


def text_of(value: Any, key: str) -> str:
    """``value`` as JSON, which is YAML too. Raises ConfigError where it cannot be."""
    try:
        return json.dumps(plain(value))
    except (TypeError, ValueError):
        raise ConfigError(
            f"{key}: a {type(value).__name__} cannot stand in an experiment, but numbers, texts, lists and dicts can."
        ) from None


def plain(value: Any) -> Any:
    """``value`` with arrays as lists, numpy's numbers as Python's, and paths as texts."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, PathLike):
        return fspath(value)
    return value.tolist() if hasattr(value, "tolist") else value
