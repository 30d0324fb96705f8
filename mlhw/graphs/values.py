"""The numbers that an expression's variables stand for, from ``name=value`` texts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from mlhw.errors import ConfigError, did_you_mean
from mlhw.graphs.expression import Expression
from mlhw.graphs.operations import CONSTANTS
from mlhw.graphs.tokens import fault, is_name, normalise

_NUMBER: Final = re.compile(r"[-+−]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)
_SHOWN: Final = 60  # characters of a bad text that an error repeats


def number(text: str, what: str) -> float:
    """The number in ``text``; ``what`` names it in the error.

    Raises:
        ConfigError: it is no number, or not a finite one.
    """
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise ConfigError(f"{what} should be a number such as 0.1, -2 or 1e-3, got '{_short(text)}'.")
    value = float(stripped.replace("−", "-"))
    if not math.isfinite(value):
        raise ConfigError(f"{what} is {_short(text)}: the largest number is about 1.8e308.")
    return value


def read_values(expression: Expression, assignments: Sequence[str]) -> dict[str, float]:
    """The numbers that ``assignments`` (``w1=0.1``) give to the variables of ``expression``, in order of use.

    Every name gets one but pi and e, which are numbers themselves where no assignment says otherwise.

    Raises:
        ConfigError: an assignment is malformed, names nothing in the expression or comes twice; a variable has no value.
    """
    given: dict[str, float] = {}
    for assignment in assignments:
        name, equals, text = normalise(assignment).partition("=")
        name = name.strip()
        if not equals or not is_name(name):
            raise ConfigError(
                f"'{_short(assignment)}' is no value. After the expression come values such as w1=0.1, without spaces; "
                "an expression with spaces, brackets or stars stands in quotes."
            )
        if name in given:
            raise ConfigError(f"{name} has two values. Give it one.")
        given[name] = number(text, f"the value of {name}")
    for name in given:
        if name not in expression.names:
            known = did_you_mean(name, expression.names) if expression.names else "It has no variables."
            raise ConfigError(f"nothing in the expression is named '{_short(name)}'. {known}")
    missing = [name for name in expression.names if name not in given and name not in CONSTANTS]
    if missing:
        spans = [span for name in missing for span in expression.names[name][:1]]
        example = " ".join(f"{_short(name)}=…" for name in missing[:10]) + (" …" if len(missing) > 10 else "")
        message = f"no value for {_listed(missing)}. Add after the expression: {example}"
        raise fault(expression.text, spans, message)
    return {name: given[name] for name in expression.names if name in given}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_short(name) for name in names)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
