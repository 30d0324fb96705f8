"""An expression as steps in the order in which they are computed; parsed by precedence climbing, never evaluated as code."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mlhw.errors import did_you_mean, nearest
from mlhw.graphs.operations import FUNCTIONS, INFIX, OPERATIONS, SIGN, Operation
from mlhw.graphs.tokens import Span, Token, fault, normalise, tokenize

MOST_DEEP: Final = 200  # two Python calls a level: far from the interpreter's limit of a thousand


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    text: str
    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or a constant such as pi where no variable has its name."""

    text: str


class Result(NamedTuple):
    """What the step with this number, counted from 0, computes."""

    step: int


Operand = Number | Name | Result


@dataclass(frozen=True, slots=True)
class Step:
    """One operation; ``span`` is where the expression names it."""

    operation: Operation
    operands: tuple[Operand, ...]
    span: Span


@dataclass(slots=True)
class Expression:
    """``steps`` in order: each uses names, numbers and earlier steps only, and the last one is the result.

    ``names`` has every name in the order of its first use, with the places of all uses.
    """

    text: str
    steps: list[Step] = field(default_factory=list)
    names: dict[str, list[Span]] = field(default_factory=dict)


def parse(text: str) -> Expression:
    """The expression in ``text``: + - * / ^ (or **), brackets, functions, names and numbers.

    As in mathematics, -x^2 is -(x^2), 2^3^2 is 2^(3^2), and a - b - c is (a - b) - c.

    Raises:
        ConfigError: what is wrong, with a caret below the place.
    """
    text = normalise(text)
    parser = _Parser(text, tokenize(text))
    result = parser.operation(0)
    parser.end()
    found = parser.found
    if not isinstance(result, Result):  # a name or a number alone: still a graph, of one step
        found.steps.append(Step(OPERATIONS["identity"], (result,), (0, len(text))))
    return found


class _Parser:
    """Precedence climbing (Richards 1979): each call reads what binds at least as tightly as it was asked for."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0
        self.found = Expression(text)

    def operation(self, precedence: int) -> Operand:
        """The operand that begins here, with all operators after it that bind at least with ``precedence``."""
        self.depth += 1
        if self.depth > MOST_DEEP:
            raise self._fault(f"nested more than {MOST_DEEP} deep. Write it in parts.")
        left = self._operand()
        while True:
            token = self.tokens[self.at]
            name, binds, right = INFIX.get(token.text, ("", -1, 0)) if token.kind == "mark" else ("", -1, 0)
            if binds < precedence:
                break
            self.at += 1
            left = self._emit(OPERATIONS[name], (left, self.operation(right)), token.span)
        self.depth -= 1
        return left

    def _operand(self) -> Operand:
        token = self._next()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "name":
            return self._call(token) if self.tokens[self.at].text == "(" else self._name(token)
        if token.text in ("-", "+"):
            inner = self.operation(SIGN)
            if token.text == "+":
                return inner
            if isinstance(inner, Number) and not inner.text.startswith("-"):
                return Number(f"-{inner.text}", -inner.value)
            return self._emit(OPERATIONS["negate"], (inner,), token.span)
        if token.text == "(":
            inner = self.operation(0)
            self._close(token)
            return inner
        self.at -= 1
        raise self._fault(self._instead("a number, a variable, a function or a bracket"))

    def _number(self, token: Token) -> Number:
        value = float(token.text)
        if not math.isfinite(value):
            raise fault(
                self.found.text, [token.span], f"{token.text} is too large: the largest number is about 1.8e308."
            )
        return Number(token.text, value)

    def _name(self, token: Token) -> Name:
        if token.text in FUNCTIONS:
            raise fault(self.found.text, [token.span], f"'{token.text}' is a function: write {token.text}(…).")
        self.found.names.setdefault(token.text, []).append(token.span)
        return Name(token.text)

    def _call(self, token: Token) -> Operand:
        if token.text not in FUNCTIONS:
            known = did_you_mean(token.text, FUNCTIONS)
            hint = f" A product needs a sign: {token.text}*(…)." if not nearest(token.text, FUNCTIONS) else ""
            raise fault(self.found.text, [token.span], f"there is no function '{token.text}'. {known}{hint}")
        opened = self._next()
        operands = [self.operation(0)]
        while self.tokens[self.at].text == ",":
            self.at += 1
            operands.append(self.operation(0))
        self._close(opened)
        row = FUNCTIONS[token.text]
        if not row.least <= len(operands) <= row.most:
            wanted = "one operand" if row.most == 1 else f"{row.least} operands or more, separated by commas"
            raise fault(self.found.text, [token.span], f"{token.text} takes {wanted}, got {len(operands)}.")
        return self._emit(row, tuple(operands), token.span)

    def end(self) -> None:
        """Nothing may follow."""
        token = self.tokens[self.at]
        if token.kind in ("number", "name") or token.text == "(":
            raise self._fault("an operator is missing before this: a product needs a sign, as in 2*x.")
        if token.kind != "end":
            raise self._fault(f"unexpected '{token.text}'. {'No bracket is open here.' if token.text == ')' else ''}")

    def _close(self, opened: Token) -> None:
        token = self.tokens[self.at]
        if token.text == ")":
            self.at += 1
            return
        if token.kind == "end":
            raise fault(self.found.text, [opened.span], "this bracket is never closed.")
        if token.text == ",":
            raise self._fault("unexpected ','. Only functions take several operands, as in max(a, b).")
        raise self._fault("an operator is missing before this: a product needs a sign, as in 2*x.")

    def _emit(self, operation: Operation, operands: tuple[Operand, ...], span: Span) -> Result:
        self.found.steps.append(Step(operation, operands, span))
        return Result(len(self.found.steps) - 1)

    def _next(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def _instead(self, wanted: str) -> str:
        token = self.tokens[self.at]
        return f"expected {wanted}, " + (
            "but the expression ends here." if token.kind == "end" else f"got '{token.text}'."
        )

    def _fault(self, message: str) -> Exception:
        return fault(self.found.text, [self.tokens[self.at].span], message)
