"""The words of an expression with their places, and errors that point at a place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from mlhw.errors import ConfigError

MOST_CHARACTERS: Final = 10_000
_SHOWN: Final = 72  # columns of an expression that an error shows

Span = tuple[int, int]  # where it begins, and where it has ended

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<mark>\*\*|[-+*/^(),−·×÷])"
)
_DIGITS: Final = "0123456789₀₁₂₃₄₅₆₇₈₉"
_SAME: Final = {"**": "^", "−": "-", "·": "*", "×": "*", "÷": "/"}
_HINTS: Final = {
    "=": "A value comes after the expression, as in: mlhw graph 'w1*x1' w1=0.1 x1=0.3",
    "[": "Use round brackets.",
    "{": "Use round brackets.",
    "%": "There are + - * / ^ and functions.",
    "²": "Write ^2.",
    "³": "Write ^3.",
}


class Token(NamedTuple):
    """A word: ``kind`` is number, name, mark or end; operators that mean the same have the same ``text``."""

    kind: str
    text: str
    span: Span


def normalise(text: str) -> str:
    """``text`` with each accented letter as one sign, so that a name is the same however it was typed."""
    return unicodedata.normalize("NFC", text)


def is_name(text: str) -> bool:
    """Whether ``text`` can name a variable: letters, underscores, digits (also ₀ to ₉), no digit first."""
    return bool(text) and _name_end(text, 0) == len(text)


def _name_end(text: str, start: int) -> int:
    """Where the name that begins at ``start`` ends; ``start`` where there is none. ``x²`` ends before its exponent."""
    at = start
    while at < len(text) and (text[at].isalpha() or text[at] == "_" or (at > start and text[at] in _DIGITS)):
        at += 1
    return at


def tokenize(text: str) -> list[Token]:
    """The words of ``text``, and an empty one of kind ``end``.

    Raises:
        ConfigError: it is empty or too long, or has a sign that no expression has.
    """
    if not text.strip():
        raise ConfigError("the expression is empty. For example: mlhw graph 'exp(-(w1*x1))' w1=0.1 x1=0.3")
    if len(text) > MOST_CHARACTERS:
        raise ConfigError(f"the expression has {len(text):,} characters; allowed: {MOST_CHARACTERS:,}.")
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        kind = (match.lastgroup or "") if match else "name"
        end = match.end() if match and kind != "name" else _name_end(text, at)
        if end == at:
            sign = text[at]
            raise fault(text, [(at, at + 1)], f"unexpected '{sign}' in the expression. {_HINTS.get(sign, '')}")
        if kind != "space":
            tokens.append(Token(kind, _SAME.get(text[at:end], text[at:end]), (at, end)))
        at = end
    return [*tokens, Token("end", "", (len(text), len(text) + 1))]


def fault(text: str, spans: Sequence[Span], message: str) -> ConfigError:
    """An error with ``message``, the expression below it, and carets below ``spans``; a long expression is cut."""
    flat = re.sub(r"\s", " ", text)
    first = spans[0][0]
    start = max(0, min(first - _SHOWN // 2, len(flat) - _SHOWN))
    shown = flat[start : start + _SHOWN]
    marked = {place for begin, end in spans for place in range(begin, end)}
    carets = "".join(("^" if start + i in marked else " ") * _columns(sign) for i, sign in enumerate(shown + " "))
    head, tail = "…" if start else "", "…" if start + _SHOWN < len(flat) else ""
    return ConfigError(f"{message.rstrip()}\n  {head}{shown}{tail}\n  {' ' * len(head)}{carets}".rstrip())


def _columns(sign: str) -> int:
    """How many columns a terminal gives to ``sign``."""
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
