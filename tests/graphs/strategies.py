"""Random expressions: as text that mlhw parses, and as the same text for Python."""

from __future__ import annotations

import math
import re
from typing import Any

import torch
from hypothesis import strategies as st

VARIABLES = {"a": 0.7, "b": -1.3, "w_1": 2.0, "λ": 0.25}

PYTHON: dict[str, Any] = {
    **{name: getattr(math, name) for name in ("exp", "log", "sin", "cos", "tanh", "sqrt", "pi", "e")},
    "relu": lambda a: max(a, 0.0),
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    "abs": abs,
    "max": max,
    "min": min,
}
TORCH: dict[str, Any] = {
    **{name: getattr(torch, name) for name in ("exp", "log", "sin", "cos", "tanh", "sqrt", "relu", "sigmoid", "abs")},
    "max": lambda *operands: torch.stack(operands).amax(),
    "min": lambda *operands: torch.stack(operands).amin(),
    "pi": torch.tensor(math.pi, dtype=torch.float64),
    "e": torch.tensor(math.e, dtype=torch.float64),
}

numbers = st.sampled_from(["0", "1", "2", "2.5", ".5", "3.", "1e-3", "1.5E2"])
names = st.sampled_from([*VARIABLES, "pi", "e"])


def _longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    spaces = st.sampled_from(["", " "])
    operators = st.sampled_from(["+", "-", "*", "/"])
    return st.one_of(
        st.builds(
            lambda left, sign, right, space: f"{left}{space}{sign}{space}{right}", inner, operators, inner, spaces
        ),
        st.builds(lambda inside: f"({inside})", inner),
        st.builds(lambda inside: f"-{inside}", inner),
        st.builds(lambda base, power: f"{base}^{power}", st.one_of(names, inner.map("({})".format)), small),
        st.builds(lambda name, inside: f"{name}({inside})", st.sampled_from(ONE), inner),
        st.builds(
            lambda name, several: f"{name}({', '.join(several)})", st.sampled_from(["max", "min"]), two_or_three(inner)
        ),
    )


def two_or_three(inner: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(inner, min_size=2, max_size=3)


NUMBER = re.compile(r"(?<![\w.])([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
ONE = ["exp", "log", "sin", "cos", "tanh", "sqrt", "relu", "sigmoid", "abs"]
small = st.sampled_from(["2", "3", "0.5", "-1", "a", "-2^2", "2^a"])
_parts = st.recursive(st.one_of(names, names, numbers), _longer, max_leaves=8)
expressions = st.builds(  # several parts, since most that recursion finds are short
    lambda parts, signs: "".join(f"{sign}{part}" for sign, part in zip(signs, parts, strict=False)).removeprefix("*"),
    st.lists(_parts, min_size=2, max_size=5),
    st.lists(st.sampled_from(["+", "-", "*"]), min_size=5, max_size=5),
)

arithmetic = st.recursive(
    st.one_of(numbers, st.sampled_from([*VARIABLES])),
    lambda inner: st.one_of(
        st.builds(
            lambda left, sign, right: f"{left}{sign}{right}",
            inner,
            st.sampled_from(["+", " - ", "*", "/", "^", "**"]),
            inner,
        ),
        st.builds(lambda inside: f"({inside})", inner),
        st.builds(lambda sign, inside: f"{sign}{inside}", st.sampled_from(["-", "+"]), inner),
    ),
    max_leaves=10,
)


def in_python(text: str) -> float | None:
    """What Python computes for ``text``; None where that is no finite real number."""
    try:
        value = eval(text.replace("^", "**"), {"__builtins__": {}}, PYTHON | VARIABLES)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return float(value) if not isinstance(value, complex) and math.isfinite(value) else None


def in_torch(text: str) -> tuple[float, dict[str, float]]:
    """The value of ``text`` and its gradients, by torch alone: nothing of mlhw parses or differentiates here."""
    variables = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in VARIABLES.items()
    }
    with_tensors = NUMBER.sub(r't("\g<0>")', text.replace("^", "**"))
    value = eval(with_tensors, {"__builtins__": {}}, TORCH | variables | {"t": _constant})
    if not value.requires_grad:
        return value.item(), dict.fromkeys(VARIABLES, 0.0)
    gradients = torch.autograd.grad(value, list(variables.values()), allow_unused=True)
    return value.item(), {
        name: 0.0 if gradient is None else gradient.item() for name, gradient in zip(variables, gradients, strict=True)
    }


def _constant(number: str) -> torch.Tensor:
    return torch.tensor(float(number), dtype=torch.float64)
