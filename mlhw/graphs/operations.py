"""Every operation of an expression in one table: what it computes, its derivatives, how it is written.

Where a derivative does not exist the convention is torch's: relu and abs have 0 at 0, and max and min share the gradient
evenly among all operands that tie.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

CONSTANTS: Final = {"pi": math.pi, "e": math.e}
ANY_NUMBER: Final = 10_000  # of operands: more than an expression has room for

Numbers = tuple[float, ...]


class Operation(NamedTuple):
    """One row of the table.

    ``function`` takes the operands; ``derivative`` takes the operation's output and the operands, and gives one partial
    derivative an operand (NaN where there is none). ``form`` writes the operation with its operands' names.
    """

    name: str
    symbol: str  # what a rectangle says where that is unambiguous
    form: str  # with {} for an operand; or for all of them, separated by commas, where their number is free
    function: Callable[..., float]
    derivative: Callable[..., Numbers]
    least: int = 1
    most: int = 1
    domain: str = ""  # what is wrong where the function raises
    ordered: bool = False  # whether exchanging the operands changes the result


def sigmoid(a: float) -> float:
    """1 / (1 + exp(-a)), by way of the exponential that cannot overflow."""
    small = math.exp(-abs(a))
    return 1.0 / (1.0 + small) if a >= 0 else small / (1.0 + small)


def _d_power(out: float, a: float, b: float) -> Numbers:
    """∂aᵇ/∂a = b aᵇ⁻¹ and ∂aᵇ/∂b = aᵇ ln a, which is 0 at a = 0 for b ≥ 0, and does not exist for a < 0."""
    if b == 0.0:
        by_base = 0.0
    else:
        try:
            by_base = b * math.pow(a, b - 1.0)
        except (ValueError, OverflowError):
            by_base = math.inf
    return by_base, out * math.log(a) if a > 0 else 0.0 if a == 0 else math.nan


def _share(out: float, *operands: float) -> Numbers:
    """1 for the operand that was chosen; where k operands tie, 1/k for each of them."""
    chosen = [float(operand == out) for operand in operands]
    return tuple(one / sum(chosen) for one in chosen)


def _inverse(a: float) -> float:
    """1/a, and infinity at 0."""
    return 1.0 / a if a else math.inf


_ROWS: Final = (
    Operation("identity", "=", "{}", lambda a: a, lambda out, a: (1.0,)),
    Operation("negate", "−", "−{}", lambda a: -a, lambda out, a: (-1.0,)),
    Operation("add", "+", "{} + {}", lambda a, b: a + b, lambda out, a, b: (1.0, 1.0), 2, 2),
    Operation("subtract", "−", "{} − {}", lambda a, b: a - b, lambda out, a, b: (1.0, -1.0), 2, 2, ordered=True),
    Operation("multiply", "×", "{}·{}", lambda a, b: a * b, lambda out, a, b: (b, a), 2, 2),
    Operation(
        "divide",
        "÷",
        "{} / {}",
        lambda a, b: a / b,
        lambda out, a, b: (_inverse(b), -out * _inverse(b)),
        2,
        2,
        "division by zero",
        ordered=True,
    ),
    Operation(
        "power",
        "^",
        "{}^{}",
        math.pow,
        _d_power,
        2,
        2,
        "a power of 0 needs an exponent of at least 0, and a power of a negative number a whole exponent",
        ordered=True,
    ),
    Operation("exp", "exp", "exp({})", math.exp, lambda out, a: (out,)),
    Operation(
        "log", "log", "log({})", math.log, lambda out, a: (_inverse(a),), domain="log needs an operand greater than 0"
    ),
    Operation("sin", "sin", "sin({})", math.sin, lambda out, a: (math.cos(a),)),
    Operation("cos", "cos", "cos({})", math.cos, lambda out, a: (-math.sin(a),)),
    Operation("tanh", "tanh", "tanh({})", math.tanh, lambda out, a: (1.0 - out * out,)),
    Operation(
        "sqrt",
        "sqrt",
        "sqrt({})",
        math.sqrt,
        lambda out, a: (0.5 * _inverse(out),),
        domain="sqrt needs an operand of at least 0",
    ),
    Operation("relu", "relu", "relu({})", lambda a: max(a, 0.0), lambda out, a: (float(a > 0),)),
    Operation("sigmoid", "sigmoid", "sigmoid({})", sigmoid, lambda out, a: (out * (1.0 - out),)),
    Operation("abs", "abs", "abs({})", abs, lambda out, a: (float((a > 0) - (a < 0)),)),
    Operation("max", "max", "max({})", lambda *operands: max(operands), _share, 2, ANY_NUMBER),
    Operation("min", "min", "min({})", lambda *operands: min(operands), _share, 2, ANY_NUMBER),
)
OPERATIONS: Final = {row.name: row for row in _ROWS}

# How operators bind: (operation, precedence on the left, least precedence that its right operand may have).
INFIX: Final = {
    "+": ("add", 10, 11),
    "-": ("subtract", 10, 11),
    "*": ("multiply", 20, 21),
    "/": ("divide", 20, 21),
    "^": ("power", 30, 25),  # from the right, and the exponent may have a sign: 2^-x^2 = 2^(-(x^2))
}
SIGN: Final = 25  # looser than ^ and tighter than *: -x^2 = -(x^2)

FUNCTIONS: Final = {name: row for name, row in OPERATIONS.items() if row.symbol == name}
