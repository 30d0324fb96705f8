"""The reference of an experiment's keys, from the schema that checks them: nothing of it is written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
LARGEST = 10**9  # a bound that only keeps nonsense out is not worth a reader's time


def reference() -> str:
    """Every key as Markdown: experiments that train, then those with pretrained networks."""
    from mlhw.config.pretrained import PretrainedExperiment
    from mlhw.config.schema import Experiment

    parts = []
    for model, title in ((Experiment, "An experiment that trains"), (PretrainedExperiment, "Pretrained networks")):
        schema = model.model_json_schema()
        parts += [f"## {title}", "", *_class(schema, schema["$defs"], "")]
        parts += _below(schema["properties"], schema["$defs"], "", 3)
    return "\n".join(parts)


def _below(properties: dict[str, Any], defs: dict[str, Any], path: str, level: int) -> list[str]:
    """The classes that ``properties`` lead to, each under a heading of its dotted key and, where there is one, its kind."""
    parts = []
    for name, about in properties.items():
        for found in _classes(about):
            inner, dotted = defs[found], f"{path}{name}"
            kinds = inner["properties"].get("kind", {})
            kind = "`, `".join(kinds.get("enum", [kinds["const"]] if "const" in kinds else []))
            parts += ["#" * level + f" `{dotted}`" + (f": kind `{kind}`" if kind else ""), ""]
            parts += _class(inner, defs, f"{dotted}.")
            parts += _below(inner["properties"], defs, f"{dotted}.", min(level + 1, 5))
    return parts


def _classes(about: dict[str, Any]) -> list[str]:
    """The names of the classes that a key's value may be of."""
    every = [about, *about.get("anyOf", []), *about.get("oneOf", []), about.get("items", {})]
    return list(
        dict.fromkeys(each["$ref"].rpartition("/")[2] for each in every if isinstance(each, dict) and "$ref" in each)
    )


def _class(schema: dict[str, Any], defs: dict[str, Any], path: str) -> list[str]:
    required = set(schema.get("required", []))
    lines = [*_words(schema.get("description", "")), "", "| key | what it may be | default |", "|---|---|---|"]
    for name, about in sorted(schema["properties"].items(), key=lambda each: each[0] != "kind"):
        default = "must be given" if name in required else f"`{json.dumps(about.get('default'), ensure_ascii=False)}`"
        if _classes(about):
            default = "must be given" if name in required else "see below"
        aside = f"; {about['description']}" if "description" in about else ""
        lines.append(f"| `{path}{name}` | {_kind(about, defs)}{aside} | {default.replace('|', chr(92) + '|')} |")
    return [*lines, ""]


def _words(text: str) -> list[str]:
    return text.replace("``", "`").replace("<", "&lt;").splitlines()


def _kind(about: dict[str, Any], defs: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "const" in about:
        return f"`{about['const']}`"
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    if either := about.get("anyOf") or about.get("oneOf"):
        return " or ".join(dict.fromkeys(_kind(each, defs) for each in either))
    if "$ref" in about:
        return "keys of its own, below"
    bounds = ", ".join(_bounds(about))
    if about.get("type") == "array":
        inner = about.get("items") or {}
        return f"list of {_kind(inner, defs)}" if inner else f"{len(about.get('prefixItems', []))} values"
    named = {
        "string": "text",
        "integer": "whole number",
        "boolean": "`true`, `false`",
        "null": "nothing",
        "object": "keys",
    }
    return " ".join(filter(None, [named.get(about.get("type", ""), about.get("type", "any value")), bounds]))


def _bounds(about: dict[str, Any]) -> Iterable[str]:
    for name, sign in BOUNDS.items():
        if name in about and abs(about[name]) < LARGEST:
            yield f"{sign} {about[name]:g}"
