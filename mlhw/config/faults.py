"""Validation faults in words: every one at once, each with its place, key, what was got, and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mlhw.config.reader import Document, Path
from mlhw.errors import ConfigError, did_you_mean, nearest

MOST = 10


def as_config_error(error: ValidationError, model: type[BaseModel], document: Document, origin: str) -> ConfigError:
    """One ConfigError that names every fault of ``error``, a line each."""
    lines = []
    for fault in error.errors(include_url=False):
        path = _without_tags(fault["loc"], document.value)
        lines.append(f"{_place(path, document, origin)}: {_sentence(fault, path, model, document.value)}")
    lines = list(dict.fromkeys(lines))
    if len(lines) > MOST:
        lines[MOST:] = [f"… and {len(lines) - MOST} more."]
    return ConfigError("\n".join(lines))


def _without_tags(location: Sequence[str | int], value: Any) -> Path:
    """The path in the document: pydantic puts a union's kind in between, which no YAML has."""
    path: list[str | int] = []
    entered = (
        True  # the kind comes first in a mapping; later the same word is a key, as `filters` is of the kind filters
    )
    for step in location:
        if entered and isinstance(value, dict) and value.get("kind") == step:
            entered = False
            continue
        entered = True
        path.append(step)
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            value = None
    return tuple(path)


def _place(path: Path, document: Document, origin: str) -> str:
    for length in range(len(path), -1, -1):
        if path[:length] in document.places:
            return document.places[path[:length]]
    return origin


def _sentence(fault: ErrorDetails, path: Path, model: type[BaseModel], value: Any) -> str:
    dotted = ".".join(map(str, path)) or "the experiment"
    context = fault.get("ctx", {})
    kind = fault["type"]
    if kind == "extra_forbidden":
        return f"unknown key '{dotted}'. {_meant(path, model, value)}"
    if kind == "missing":
        return f"'{dotted}' is missing. Add it."
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        kinds = [name.strip("' ") for name in str(context.get("expected_tags", "")).split(",") if name.strip()]
        if kind == "union_tag_not_found":
            known = [name for name in (_kinds(model, path) or kinds) if name]
            return f"'{dotted}.kind' is missing. Known: {', '.join(sorted(known))}."
        return f"'{dotted}.kind' is '{context.get('tag')}'. {did_you_mean(str(context.get('tag')), kinds)}"
    message = fault["msg"].removeprefix("Value error, ")
    if kind == "value_error":
        return message + "."
    message = message.replace("Input should be", "should be", 1)
    return f"'{dotted}' {_lower(message)}, got {_short(fault['input'])}."


def _meant(path: Path, model: type[BaseModel], value: Any) -> str:
    """Whole dotted keys that the unknown one at ``path`` may be: of that name elsewhere, or near to it in its place."""
    word, above = str(path[-1]), ".".join(map(str, path[:-1]))
    known = keys_at(model, path[:-1], value)
    elsewhere = keys_below(model, value)
    same = [dotted for dotted in elsewhere if dotted.rpartition(".")[2] == word]
    close = same or [f"{above}.{key}".lstrip(".") for key in nearest(word, known)]
    if not close:
        names = nearest(word, {dotted.rpartition(".")[2] for dotted in elsewhere}, most=1)
        close = [dotted for dotted in elsewhere if dotted.rpartition(".")[2] in names]
    if close:
        return f"Did you mean {' or '.join(close[:3])}?"
    return f"Known{f' in {above!r}' if above else ''}: {', '.join(sorted(known))}." if known else ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _short(value: Any) -> str:
    text = "nothing" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def keys_at(model: type[BaseModel], path: Path, value: Any) -> list[str]:
    """The keys that are allowed at ``path``, given the kinds that ``value`` names on the way."""
    current: type[BaseModel] | None = model
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
        annotation = (
            current.model_fields[str(step)].annotation if current and str(step) in current.model_fields else None
        )
        choices = [choice for choice in _models(annotation) if _fits(choice, value)]
        current = choices[0] if choices else None
    return list(current.model_fields) if current else []


def keys_below(model: type[BaseModel], value: Any) -> list[str]:
    """Every dotted key that is allowed, given the kinds that ``value`` names; outer ones first."""
    outer = list(model.model_fields)
    for key, field in model.model_fields.items():
        inner = value.get(key) if isinstance(value, dict) else None
        choices = [choice for choice in _models(field.annotation) if _fits(choice, inner)]
        outer += [f"{key}.{below}" for below in (keys_below(choices[0], inner) if choices else ())]
    return outer


def _kinds(model: type[BaseModel], path: Path) -> list[str]:
    annotation: Any = model
    for step in path:
        models = _models(annotation)
        fields = models[0].model_fields if models else {}
        annotation = fields[str(step)].annotation if str(step) in fields else None
    return [name for choice in _models(annotation) for name in get_args(choice.model_fields["kind"].annotation)]


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models(part)]


def _fits(choice: type[BaseModel], value: Any) -> bool:
    if "kind" not in choice.model_fields or not isinstance(value, dict):
        return True
    return value.get("kind") in get_args(choice.model_fields["kind"].annotation)
