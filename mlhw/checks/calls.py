"""Calls of a learner's own functions: on copies, watched, and every mishap turned into one sentence with its line."""

from __future__ import annotations

import contextlib
import inspect
import io
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

_MOST_LETTERS = 300


class Fault(Exception):
    """What stops the checks: a ``file`` that cannot be checked at all, or functions that do not do their ``work``."""

    def __init__(self, kind: Literal["file", "work"], message: str) -> None:
        self.kind = kind
        super().__init__(message)


class Caller:
    """Calls functions of the file ``path`` with numpy arrays; torch tensors where ``tensors`` says that the file takes those.

    ``touched`` collects the arguments that a function changed in place, as (function, argument). What a function prints is
    shown the first time alone: it is called a few hundred times.
    """

    def __init__(self, path: Path, tensors: bool = False, tell: Callable[[str], None] = lambda stage: None) -> None:
        self.path, self.tensors, self.tell = path, tensors, tell
        self.touched: set[tuple[str, str]] = set()
        self._heard: set[str] = set()

    def __call__(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """What ``function`` returns for copies of ``arguments``, in order.

        Raises:
            Fault: it raised, or ended Python.
        """
        called = getattr(function, "__name__", "function")
        self.tell(called)
        given = {name: self._given(value) for name, value in arguments.items()}
        quiet = contextlib.redirect_stdout(io.StringIO()) if called in self._heard else contextlib.nullcontext()
        self._heard.add(called)
        try:
            with quiet:
                result = function(*given.values())
        except BaseException as error:
            raise Fault("work", describe(error, self.path, called, arguments)) from None
        for name, value in arguments.items():
            if isinstance(value, np.ndarray) and not _same(np.asarray(given[name]), value):
                self.touched.add((called, name))
        return result

    def _given(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            copy = value.copy()
            if not self.tensors:
                return copy
            import torch

            return torch.from_numpy(copy)
        return value


def as_array(value: Any, what: str) -> np.ndarray:
    """``value``, an array, tensor, number or list of numbers, as an array.

    Raises:
        Fault: it is none of these; ``what`` says whose it is.
    """
    if value is None:
        raise Fault("work", f"{what} is None: is a return missing?")
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return array
    except (ValueError, TypeError):
        pass
    raise Fault("work", f"{what} is of type {type(value).__name__}, should be an array of numbers")


def required(function: Callable[..., Any]) -> list[str]:
    """The names of the positional arguments without default."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]


def describe(error: BaseException, path: Path, called: str, arguments: Mapping[str, Any] | None = None) -> str:
    """``my_layer.py, line 12, in forward: ValueError: …``, and the line itself; the learner's own frame, no other."""
    from mlhw.checks.guesses import described

    place = _place(error.__traceback__, path)
    where = f"{path.name}, line {place.lineno}, in {place.name}" if place else f"{path.name}, in {called}"
    where = where.replace(", in <module>", "")
    if isinstance(error, SystemExit):
        code = "" if error.code is None else repr(error.code)
        what = f"sys.exit({code}) ends Python; a function must return"
    else:
        text = " ".join(str(error).split())
        what = type(error).__name__ + (f": {text[:_MOST_LETTERS]}" if text else "")
    source = f"\n    {place.line}" if place and place.line else ""
    given = f"\n    called with {described(dict(arguments))}" if arguments else ""
    return f"{where}: {what}{source}{given}"


def _place(found: TracebackType | None, path: Path) -> traceback.FrameSummary | None:
    own = [frame for frame in traceback.extract_tb(found) if frame.filename == str(path)]
    return own[-1] if own else None


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def listed(names: Sequence[str]) -> str:
    """``x, W and b``."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
