"""YAML text to plain values, with the line of every key: strict where YAML surprises.

Differs from ``yaml.safe_load`` on purpose: a key given twice is refused, so is every tag; ``1e-3`` is a number; only
``true`` and ``false`` are booleans (``no`` is a word); dates and 1:30 stay text; keys are text; size, depth and the
growth of aliases are bounded. Values, for one who types them, are those of YAML 1.2's core schema.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from mlhw.errors import ConfigError

MAX_BYTES = 200_000  # these bounds keep the worst text under a second: PyYAML takes some 30 µs a value, and 3 µs a byte
MAX_DEPTH = 32
MAX_NODES = 10_000

_INT = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf", "+.Inf"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN"), float("nan")),
}

Path = tuple[str | int, ...]


@dataclass
class Document:
    """A parsed text: its value, and for each key's path the place it was given at (``file.yaml:12``)."""

    value: Any
    places: dict[Path, str] = field(default_factory=dict)


def scalar(text: str) -> Any:
    """The value of a plain (unquoted) scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) <= 400:
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text) and len(text) <= 400:
        return float(text.replace("_", ""))
    return text


def read(data: bytes, origin: str) -> Document:
    """The document that the UTF-8 YAML ``data`` holds; ``origin`` names it in messages.

    Raises:
        ConfigError: not UTF-8, not YAML, too large, a duplicate key, a tag, or a key that is not text.
    """
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{origin}: {len(data):,} bytes is too large for an experiment; at most {MAX_BYTES:,}.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{origin}: not UTF-8 text (byte {error.start}). Save the file as UTF-8.") from error
    builder = _Builder(origin)
    try:
        node = _compose(text, origin)
        value = None if node is None else builder.build(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{origin}{line}: not valid YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin}: not valid YAML: {' '.join(str(error).split())}.") from error
    except RecursionError as error:
        raise ConfigError(f"{origin}: nested too deeply; at most {MAX_DEPTH} levels.") from error
    except ValueError as error:  # a number of more digits than Python takes, in a %YAML directive
        raise ConfigError(f"{origin}: not valid YAML: {error}.") from error
    return Document(value, builder.places)


class _Loader(yaml.SafeLoader):
    """Composes nodes, and stops at the bounds instead of reading on to the end."""

    def __init__(self, text: str, origin: str) -> None:
        super().__init__(text)
        self.origin, self.nodes, self.depth = origin, 0, 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.nodes, self.depth = self.nodes + 1, self.depth + 1
        if self.nodes > MAX_NODES or self.depth > MAX_DEPTH + 1:
            mark = self.get_mark()
            fault = "nested too deeply" if self.depth > MAX_DEPTH + 1 else "too many values"
            most = f"{MAX_DEPTH} levels" if self.depth > MAX_DEPTH + 1 else f"{MAX_NODES:,}"
            raise ConfigError(f"{self.origin}:{mark.line + 1}: {fault}; at most {most}.")
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str, origin: str) -> yaml.Node | None:
    loader = _Loader(text, origin)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


class _Builder:
    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.places: dict[Path, str] = {}
        self.nodes = 0

    def build(self, node: yaml.Node, path: Path) -> Any:
        self.nodes += 1
        where = f"{self.origin}:{node.start_mark.line + 1}"
        self.places.setdefault(path, where)
        if self.nodes > MAX_NODES:
            raise ConfigError(f"{where}: more than {MAX_NODES:,} values, aliases counted as often as they are used.")
        if len(path) > MAX_DEPTH:
            raise ConfigError(f"{where}: nested too deeply; at most {MAX_DEPTH} levels.")
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.startswith("tag:yaml.org,2002:python"):
            raise ConfigError(f"{where}: the tag {node.tag} is not allowed; an experiment holds plain values only.")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return scalar(node.value) if node.style is None else node.value

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            where = f"{self.origin}:{key_node.start_mark.line + 1}"
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(f"{where}: a key must be a word, not a list or mapping.")
            if key in result:
                dotted = ".".join(map(str, (*path, key)))
                raise ConfigError(f"{where}: the key '{dotted}' is given twice (first at {self.places[(*path, key)]}).")
            self.places[(*path, key)] = where
            result[key] = self.build(value_node, (*path, key))
        return result
