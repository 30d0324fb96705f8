"""The contract of a learner's file: which functions it offers, with what arguments they are called, what they must return.

    forward(x, W, b)         -> the output, an array or a scalar loss; or (output, memory)
    backward(d_out, x, W, b) -> the gradients in the order of forward's arguments, as a tuple, or as a dict by name; None for an
                                argument that needs none. backward(x, W, b) for a scalar loss; backward(d_out, memory) where
                                forward returns memory
    example(rng)             -> the arguments, as a dict; without it they are guessed by name (``guesses``)

``NAME_forward`` with ``NAME_backward`` (and ``NAME_example``) are a pair too, and a file may hold many. ``rows`` = m names the
number of examples where it is not the length of the first matrix.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import numpy as np

from mlhw.checks.calls import Caller, Fault, as_array, listed, required
from mlhw.checks.guesses import guess

Functions = dict[str, Callable[..., Any]]
DERIVATIVES: Final = ("d_{}", "d{}", "{}_derivative", "{}_prime", "{}_grad")
GRADIENTS: Final = ("{}", "d{}", "d_{}", "grad_{}", "{}_grad")


@dataclass(frozen=True, eq=False)
class Pair:
    """A function and its derivative as they stand in the file."""

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    example: Callable[..., Any] | None
    first_only: bool = False  # backward may return the gradient of the first argument alone


def own_functions(namespace: Mapping[str, Any], path: Path) -> Functions:
    """The functions that the file at ``path``, or a file beside it, defines; by name."""
    found = {}
    for name, value in namespace.items():
        plain = (
            inspect.unwrap(value) if callable(value) and not isinstance(value, type) else None
        )  # less its decorators
        if isinstance(plain, FunctionType) and Path(plain.__code__.co_filename).parent == path.parent:
            found[name] = value
    return found


def find_pairs(functions: Functions, forward: str | None, backward: str | None) -> list[Pair]:
    """The pairs of a forward and a backward function: the two that are named, or all that go by the contract's names.

    Raises:
        Fault: a name that was asked for is not there.
    """
    if forward or backward:
        names = forward or "forward", backward or "backward"
        for name in names:
            if name not in functions:
                raise Fault("file", f"defines no function {name}. It defines: {listed(sorted(functions)) or 'none'}.")
        return [Pair(names[0], functions[names[0]], functions[names[1]], functions.get("example"))]
    pairs = []
    for name, function in functions.items():
        stem = name.removesuffix("forward")
        other = functions.get(f"{stem}backward")
        if name.endswith("forward") and other and (not stem or stem.endswith("_")):
            example = functions.get(f"{stem}example", functions.get("example"))
            pairs.append(Pair(stem.rstrip("_") or name, function, other, example))
    for name, function in functions.items():
        derivative = derivative_of(name, functions)
        if derivative and len(required(function)) > 1:
            pairs.append(Pair(name, function, derivative, functions.get(f"{name}_example"), first_only=True))
    return pairs


def derivative_of(name: str, functions: Functions) -> Callable[..., Any] | None:
    """The function that is called as the derivative of ``name`` is."""
    return next((functions[form.format(name)] for form in DERIVATIVES if form.format(name) in functions), None)


def arguments(pair: Pair, caller: Caller, rng: np.random.Generator) -> dict[str, Any]:
    """What ``pair.forward`` is called with: its example, or guesses; floating-point arrays as float64.

    Raises:
        Fault: the example is not a dict of the arguments, or a name cannot be guessed.
    """
    names = required(pair.forward)
    if not names:
        raise Fault("file", f"{pair.name} takes no arguments: there is nothing to differentiate by.")
    if pair.example is None:
        try:
            return guess(names, rng)
        except KeyError as error:
            raise Fault(
                "file",
                f"{pair.name}({', '.join(names)}): no shape can be guessed for '{error.args[0]}'. "
                "Define example(rng) that returns a dict of the arguments.",
            ) from None
    given = caller(pair.example, {"rng": rng} if required(pair.example) else {})
    if not isinstance(given, dict):
        raise Fault("file", f"example returns {type(given).__name__}, should be a dict of {listed(names)}.")
    lacking = [name for name in names if name not in given]
    if lacking:
        raise Fault("file", f"example lacks {listed(lacking)}, which {pair.name} takes.")
    optional = [name for name in inspect.signature(pair.forward).parameters if name in given and name not in names]
    return {name: _as_argument(given[name]) for name in [*names, *optional]}


def _as_argument(value: Any) -> Any:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, list | tuple):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        return value.astype(np.float64 if value.dtype.kind == "f" else value.dtype, copy=True)
    return value


class Contracted:
    """A pair with its arguments: forward and backward as functions of the floating-point arrays among them.

    Raises:
        Fault: forward returns no numbers, or backward's arguments do not fit the contract.
    """

    def __init__(self, pair: Pair, caller: Caller, given: dict[str, Any], rows: int | None = None) -> None:
        self.pair, self.caller, self.given = pair, caller, given
        self.floats = [name for name, value in given.items() if isinstance(value, np.ndarray) and _is_float(value)]
        if not self.floats:
            raise Fault("file", f"{pair.name} takes no floating-point array: there is nothing to differentiate by.")
        out = self.call_forward(given)
        self.scalar = self.out(out).ndim == 0
        self.rows = rows or next((len(given[name]) for name in self.floats if given[name].ndim > 1), None)
        self.way = self._way(out)

    def _way(self, out: Any) -> str:
        """How backward is called: with ``d_out`` and the arguments, with the ``arguments`` alone, or ``memory``."""
        takes, name = required(self.pair.backward), self.pair.backward.__name__
        count = len(self.given)
        if isinstance(out, tuple) and len(takes) == 2:
            return "memory"
        if len(takes) == count + 1:
            return "d_out"
        if len(takes) == count and self.scalar:
            return "arguments"
        if len(takes) == count:
            raise Fault(
                "file",
                f"{name}({', '.join(takes)}) takes no d_out, but {self.pair.name} returns an array of shape "
                f"{self.out(out).shape}: the gradient of the output must come first, {name}(d_out, {', '.join(self.given)}).",
            )
        raise Fault(
            "file",
            f"{name}({', '.join(takes)}) should take d_out and then what {self.pair.name} takes: "
            f"{name}(d_out, {', '.join(self.given)}).",
        )

    def call_forward(self, arrays: Mapping[str, Any]) -> Any:
        """Whatever forward returns."""
        return self.caller(self.pair.forward, self.given | dict(arrays))

    def out(self, returned: Any) -> np.ndarray:
        """The output among what forward returned."""
        if isinstance(returned, tuple) and len(returned) == 2:
            returned = returned[0]
        return as_array(returned, f"what {self.pair.name} returns")

    def function(self, arrays: Mapping[str, Any]) -> np.ndarray:
        """The output, float64."""
        return self.out(self.call_forward(arrays)).astype(np.float64)

    def backward(self, arrays: Mapping[str, Any], u: np.ndarray) -> dict[str, np.ndarray | None]:
        """The gradients as backward returns them, by argument; None where it gives none.

        Raises:
            Fault: they are not one for each argument.
        """
        given = self.given | dict(arrays)
        if self.way == "memory":
            memory = self.call_forward(arrays)[1]
            returned = self.caller(self.pair.backward, {"d_out": np.array(u), "memory": memory})
        elif self.way == "d_out":
            returned = self.caller(self.pair.backward, {"d_out": np.array(u)} | given)
        else:
            returned = self.caller(self.pair.backward, given)
        named = self._by_name(returned)
        return {name: None if value is None else self._gradient(name, value, u) for name, value in named.items()}

    def _gradient(self, name: str, value: Any, u: np.ndarray) -> np.ndarray:
        array = as_array(value, f"the gradient d{name} that {self.pair.backward.__name__} returns")
        return np.asarray(u * array) if self.way == "arguments" and float(u) != 1.0 else array

    def _by_name(self, returned: Any) -> dict[str, Any]:
        name = self.pair.backward.__name__
        if isinstance(returned, dict):
            forms = {form.format(arg): arg for arg in self.given for form in GRADIENTS}
            unknown = [str(key) for key in returned if key not in forms]
            if unknown:
                raise Fault(
                    "work", f"{name} returns {listed(unknown)}, which no argument of {self.pair.name} is called."
                )
            found = {forms[key]: value for key, value in returned.items()}
            return {arg: found.get(arg) for arg in self.floats}
        if (
            isinstance(returned, list)
            and len(self.floats) == 1
            and np.shape(returned) == self.given[self.floats[0]].shape
        ):
            returned = np.asarray(returned)  # the array itself, not a list of gradients
        if not isinstance(returned, tuple | list):
            if returned is not None and (len(self.floats) == 1 or self.pair.first_only):
                return dict.fromkeys(self.floats) | {self.floats[0]: returned}
            if returned is None:
                raise Fault("work", f"{name} returns None: is a return missing?")
            returned = (returned,)
        for names in (list(self.given), self.floats):
            if len(returned) == len(names):
                by_name = dict(zip(names, returned, strict=True))
                return {arg: by_name[arg] for arg in self.floats}
        raise Fault(
            "work",
            f"{name} returns {len(returned)} gradient{'s' * (len(returned) != 1)}, should be {len(self.given)}: "
            f"one for each of {listed(list(self.given))}, in that order, None where none is needed.",
        )


def _is_float(value: np.ndarray) -> bool:
    return value.dtype.kind == "f"
