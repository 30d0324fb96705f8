"""What the nodes of torch's autograd graph are, in plain words: each is the way back through one operation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import torch

# What an operation is called by its class in autograd, less "Backward" and a digit.
NAMES: Final = {
    "Add": "+",
    "Addmm": "a @ W + b",
    "AdaptiveAvgPool2D": "average pool",
    "AvgPool2D": "average pool",
    "Convolution": "conv",
    "Div": "÷",
    "Hardsigmoid": "hard sigmoid",
    "LeakyRelu": "leaky relu",
    "LogSoftmax": "log-softmax",
    "MaxPool2DWithIndices": "max pool",
    "Mm": "a @ W",
    "Mul": "×",
    "NativeBatchNorm": "batch norm",
    "NativeDropout": "dropout",
    "Neg": "−",
    "NllLoss": "nll",
    "Pow": "power",
    "Sub": "−",
    "UnsafeView": "reshape",
    "View": "reshape",
}
# Bookkeeping that changes no value and that nobody would draw. (MaskedFill is label smoothing's zero for rows to be
# ignored, of which there are none.)
SILENT: Final = ("Alias", "AsStrided", "Clone", "Contiguous", "MaskedFill", "ToCopy")
_TURNS: Final = ("T", "Permute", "Transpose")
_TARGETED: Final = ("NllLoss", "NllLoss2D", "Sub")  # Sub: least squares, the one difference that our losses take

Function = Any  # a node of autograd's graph; torch gives it no public type


def operands_of(function: Function) -> list[Function]:
    """The functions that made this one's operands, in the order in which one writes them."""
    operands = [one for one, _ in function.next_functions if one is not None]
    if short_name(function) == "Addmm":  # torch counts the bias first: b + a @ W
        operands = [*operands[1:], operands[0]]
    return operands


def short_name(function: Function) -> str:
    """``ConvolutionBackward0`` as Convolution."""
    return re.sub(r"Backward\d*$", "", str(function.name()).rpartition("::")[2])


def is_silent(function: Function, shapes: Mapping[Function, tuple[int, ...]]) -> bool:
    """Whether ``function`` makes nothing new: bookkeeping, a reshape to the same shape, or a parameter's transpose."""
    short, operands = short_name(function), operands_of(function)
    if len(operands) != 1:
        return False
    same = shapes[operands[0]] == shapes[function]
    return short in SILENT or (NAMES.get(short) == "reshape" and same) or bool(_turns(function))


def takes_targets(function: Function) -> bool:
    """Whether the targets, which autograd's graph has not, are the other operand of ``function``."""
    return short_name(function) in _TARGETED and len(operands_of(function)) == 1


def _turns(function: Function) -> int:
    """How many transposes lead from a parameter to ``function``; 0 also where no parameter is behind it."""
    count = 0
    while short_name(function) in _TURNS:
        count, function = count + 1, operands_of(function)[0]
    return count if hasattr(function, "variable") else 0


def say(function: Function, rows: int) -> str:
    """The operation in plain words; a constant that equals ``rows`` is N."""
    short = short_name(function)
    if short not in NAMES:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", short)
        return words.lower().replace("2 d", " 2d") or "operation"
    said = NAMES[short]
    if short == "Convolution":
        return f"conv{len(function._saved_stride)}d"
    if short in ("Addmm", "Mm") and _turns(operands_of(function)[1]) % 2:
        return said.replace("W", "Wᵀ")  # torch keeps a linear layer's weights as (outputs, inputs)
    if short in ("Mul", "Div") and len(operands_of(function)) == 1:
        return f"{said} {_constant(function, rows)}"
    if short == "Sub" and takes_targets(function):
        return "− one-hot"
    if short == "Add" and len(operands_of(function)) == 1:
        return "+ constant"
    if short == "Pow":
        return f"{said} {function._saved_exponent}"
    return said


def _constant(function: Function, rows: int) -> str:
    """The other operand of a product or quotient with something that has no gradient."""
    other = getattr(function, "_saved_other", None)
    if other is None or (isinstance(other, torch.Tensor) and other.ndim > 0):
        return "mask"  # as dropout draws one
    value = float(other)
    return "N" if value == rows else f"{value:.4g}"
