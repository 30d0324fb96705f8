"""summary.json as others may rely on it: every key that is there has its kind, or the file counts as damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from mlhw.files import read_json

_TEXT: Final = ("run_id", "experiment", "status", "stopped_by", "device", "signature", "data", "path")
_COUNTS: Final = ("epochs", "best_epoch", "parameters")
_NUMBERS: Final = (
    *(f"{split}_{what}" for split in ("train", "val", "test") for what in ("loss", "accuracy")),
    *("seconds_training", "seconds_total", "peak_memory_mb"),
)
_TEXTS: Final = ("class_names", "expectations")
_TRAINING: Final = (*_TEXT, *_COUNTS, *_NUMBERS, "class_names", "skipped")  # what the summary of a training has


def read(path: Path) -> dict[str, Any] | None:
    """The summary in ``path``, or None where there is none that can be read, or it is not of the form of one."""
    value = read_json(path)
    if value is None or not all(_fits(key, item) for key, item in value.items()):
        return None
    return value


def is_whole(value: dict[str, Any]) -> bool:
    """Whether ``value``, which ``read`` gave, has all that the summary of its kind has."""
    if not any(key in value for key in _COUNTS[:2]):  # of pretrained networks
        return True
    return all(key in value for key in _TRAINING) and _are_texts(value["skipped"])


def _fits(key: str, value: Any) -> bool:
    if key in _TEXT:
        return isinstance(value, str)
    if key in _COUNTS:
        return type(value) is int and value >= 0
    if key in _NUMBERS:
        return value is None or type(value) in (int, float)
    if key in _TEXTS:
        return _are_texts(value)
    if key in ("skipped", "findings"):
        return isinstance(value, list)
    if key == "dead_units":
        return isinstance(value, list) and all(map(_is_layer, value))
    if key in ("rows", "pictures"):
        return isinstance(value, dict) and all(type(item) is int for item in value.values())
    return True


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_layer(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("layer"), str)
        and all(type(value.get(key)) is int for key in ("units", "dead"))
        and isinstance(value.get("indices"), list)
        and all(type(index) is int for index in value["indices"])
    )
