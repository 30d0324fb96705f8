"""A run's config.yaml as plain values by dotted keys, read as it was written, whatever today's schema says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from mlhw.config import reader

_LOADER: Any = getattr(yaml, "CSafeLoader", None)  # libyaml's, where PyYAML was built with it
_FRAME = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)


def read_config(data: bytes, origin: str) -> Any:
    """What the YAML ``data`` holds. Raises ConfigError as ``reader.read`` does, whose values these are."""
    if _LOADER is not None and len(data) <= reader.MAX_BYTES:
        try:
            return _read_events(data.decode())
        except (
            ValueError,
            yaml.YAMLError,
        ):  # not a file as config.dump writes it: the strict reader says what it thinks
            pass
    return reader.read(data, origin).value


def _read_events(text: str) -> dict[str, Any]:
    """A mapping of plain values, ten times as fast as the strict reader. Raises ValueError for anything unusual.

    From libyaml's events and with a stack of its own: libyaml's ``compose`` recurses in C, where a file that nests deeply
    enough ends the process.
    """
    root: dict[str, Any] = {}
    open_: list[Any] = []  # the collections that the next value lies in, innermost last
    keys: list[str | None] = []  # for each the key that waits for its value
    events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
    for event in events:
        if isinstance(event, _FRAME):
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
            keys.pop()
            continue
        scalar = isinstance(event, yaml.ScalarEvent)
        if isinstance(event, yaml.AliasEvent) or event.tag or event.anchor or (scalar and not open_) or len(open_) > 30:
            raise ValueError("an alias, a tag, no mapping, or too deep")
        if open_ and isinstance(open_[-1], dict) and keys[-1] is None:
            if not scalar or event.value in open_[-1]:
                raise ValueError("a key that is no word, or is given twice")
            keys[-1] = event.value
            continue
        if scalar:
            value = event.value if event.style else reader.scalar(event.value)
        else:
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
        if not open_:
            if root or not isinstance(value, dict):
                raise ValueError("a second document, or no mapping")
            root = value
        elif (key := keys[-1]) is None:
            open_[-1].append(value)
        else:
            open_[-1][key] = value
            keys[-1] = None
        if not scalar:
            open_.append(value)
            keys.append(None)
    return root


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """The mapping ``value`` by dotted keys; lists, and mappings without keys, are values."""
    if not isinstance(value, dict) or (prefix and not value):
        return {prefix: clean(value)}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= flat(inner, f"{prefix}.{clean(key)}" if prefix else clean(key))
    return found


def clean(value: Any) -> Any:
    """``value`` with half surrogates, which no stream can write, as question marks."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value
