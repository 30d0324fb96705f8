"""All that is checked of a learner's own file. It runs here, in this process: ``apart`` runs it in one of its own."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from mlhw.checks.battery import check_gradient, check_jacobian, check_transposes
from mlhw.checks.calls import Caller, Fault, describe, listed, required
from mlhw.checks.contract import Contracted, Functions, Pair, arguments, derivative_of, find_pairs, own_functions
from mlhw.checks.differences import central_differences
from mlhw.checks.maps import Check, Map
from mlhw.checks.pairs import check_activation

_LINEAR: Final = 1e-10
_JITTER: Final = 0.1  # of the entries' spread, when the example sits on a kink


def check_file(
    path: Path,
    *,
    jacobians: bool,
    forward: str | None = None,
    backward: str | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = lambda stage: None,
) -> list[Check]:
    """Every check of every pair of functions in the file.

    Args:
        path: a Python file by the contract of :mod:`mlhw.checks.contract`.
        jacobians: test the Jacobian argument by argument, and not the gradient as a whole.
        forward: the function to check, where it is not called by the contract's names.
        backward: its backward pass likewise.
        seed: draws the arguments and directions.
        tell: is told which function is about to be called.

    Raises:
        Fault: the file cannot be checked, or a function raised.
    """
    path = path.resolve()
    module = load(path, tell)
    functions = own_functions(vars(module), path)
    caller = Caller(path, _takes_tensors(vars(module)), tell)
    rows = getattr(module, "rows", None)
    checks: list[Check] = []
    pairs = find_pairs(functions, forward, backward)
    for pair in pairs:
        checks += check_pair(pair, caller, jacobians, seed, rows if isinstance(rows, int) else None)
    if not (forward or backward):
        checks += _activations(functions, caller, seed)
    if not checks:
        raise Fault("file", _nothing(path, functions, vars(module)))
    return checks


def load(path: Path, tell: Callable[[str], None]) -> ModuleType:
    """The file as a module, its folder first on the import path. Raises Fault where it cannot be loaded."""
    tell("the file itself")
    try:
        source = path.read_bytes()
        code = compile(source, str(path), "exec")
    except OSError as error:
        raise Fault("file", f"{path}: cannot be read: {error.strerror or error}.") from None
    except SyntaxError as error:
        line = f"\n    {error.text.strip()}" if error.text else ""
        raise Fault("file", f"{path.name}, line {error.lineno}: {type(error).__name__}: {error.msg}{line}") from None
    except ValueError as error:
        raise Fault("file", f"{path.name}: is not Python source: {error}.") from None
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    linecache.checkcache(str(path))
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.parent))
    try:
        exec(code, vars(module))
    except BaseException as error:
        raise Fault("file", describe(error, path, "the file itself")) from None
    return module


def _takes_tensors(namespace: Mapping[str, Any]) -> bool:
    """Whether the file computes with torch: it says ``arrays = "torch"``, or imports torch and not numpy."""
    said = namespace.get("arrays")
    if said in ("torch", "numpy"):
        return bool(said == "torch")
    modules = {value.__name__ for value in namespace.values() if isinstance(value, ModuleType)}
    return "torch" in modules and "numpy" not in modules


def check_pair(pair: Pair, caller: Caller, jacobians: bool, seed: int, rows: int | None = None) -> list[Check]:
    """The contract's checks of one pair of functions, and then those of its derivative."""
    rng = np.random.default_rng(seed)
    given = arguments(pair, caller, rng)
    try:
        made = Contracted(pair, caller, given, rows)
    except Fault as fault:
        if pair.example is None and fault.kind == "work":
            raise Fault("work", f"{fault}\n    They were guessed by name; define example(rng) for others.") from None
        raise
    out = made.out(made.call_forward({}))
    found = _first_looks(made, out)
    if any(not check.passed for check in found):
        return found
    u = rng.standard_normal(out.shape) if out.ndim else np.ones(())
    gradients = made.backward({}, u)
    found += _steady(made, gradients, u)
    at = {name: made.given[name] for name, gradient in gradients.items() if gradient is not None}
    if not at:
        raise Fault("work", f"{pair.backward.__name__} returns None for every argument: there is nothing to check.")
    item = Map(
        pair.name,
        at,
        made.function,
        lambda arrays, weights: {name: made.backward(arrays, weights)[name] for name in at},  # type: ignore[misc]  # None was ruled out before
        rows=made.rows,
    )
    item, moved = _off_kinks(item, rng)
    checks = (check_jacobian if jacobians else check_gradient)(item, rng)
    if not jacobians and any(check.test == "taylor" for check in checks):  # which stands for arrays of the right shape
        checks += check_transposes(item, rng)
    if moved:
        checks.append(Check("moved", pair.name, "", True, diagnosis=moved))
    return checks + found + _after(made, at, gradients)


def _first_looks(made: Contracted, out: np.ndarray) -> list[Check]:
    """What would make every difference meaningless: an output that is not finite, not float64, or another each time."""
    name, checks = made.pair.name, []
    if not np.isfinite(out).all():
        entry = tuple(int(axis) for axis in np.argwhere(~np.isfinite(out))[0])
        words = f"{name} returns {out[entry]} at {list(entry)}: no derivative of that"
        return [Check("finite", name, "", False, entry=entry, diagnosis=words)]
    again = made.out(made.call_forward({}))
    same = again.shape == out.shape and bool(np.array_equal(again, out))
    words = (
        "" if same else f"{name} returns something else when called again with the same arguments: fix its randomness"
    )
    checks.append(Check("repeatable", name, "", same, diagnosis=words))
    double = out.dtype == np.float64
    words = (
        "" if double else f"{name} returns {out.dtype} for float64 arguments: differences see its rounding, no slopes"
    )
    return [*checks, Check("float64", name, "", double, diagnosis=words)]


def _steady(made: Contracted, gradients: Mapping[str, np.ndarray | None], u: np.ndarray) -> list[Check]:
    """Whether backward gives the same again, and is linear in d_out."""
    name = made.pair.backward.__name__
    again = made.backward({}, u)
    same = all(_alike(gradients[key], again[key], 0.0) for key in gradients)
    words = "" if same else f"{name} returns something else when called again with the same arguments"
    checks = [Check("repeatable", made.pair.name, name, same, diagnosis=words)]
    finite = all(found is None or np.isfinite(found).all() for found in gradients.values())
    if made.way == "arguments" or not (same and finite):
        return checks
    other = np.random.default_rng(1).standard_normal(u.shape) if u.ndim else np.asarray(-0.7)
    second, both = made.backward({}, other), made.backward({}, np.asarray(2.0 * u - 0.5 * other))
    bent = [
        key
        for key, found in gradients.items()
        if found is not None and not _alike(both[key], 2.0 * found - 0.5 * np.asarray(second[key]), _LINEAR)
    ]
    words = ""
    if bent:
        idle = all(_alike(gradients[key], second[key], 0.0) for key in bent)
        what = ", ".join(f"d{key}" for key in bent)
        words = f"{name} does not use d_out in {what}" if idle else f"{name} is not linear in d_out in {what}"
    return [*checks, Check("linear", made.pair.name, name, not bent, diagnosis=words)]


def _after(made: Contracted, at: Mapping[str, Any], gradients: Mapping[str, np.ndarray | None]) -> list[Check]:
    """What the calls left behind: arguments changed in place, gradients of another type, and those not given."""
    mine = {made.pair.forward.__name__, made.pair.backward.__name__}
    touched = sorted(pair for pair in made.caller.touched if pair[0] in mine)
    words = "; ".join(f"{function} changes its argument {name} in place" for function, name in touched)
    checks = [Check("untouched", made.pair.name, "", not touched, diagnosis=words)]
    single = [
        f"d{name} is {array.dtype}" for name, array in gradients.items() if array is not None and _is_short(array)
    ]
    if single:
        checks.append(Check("float64", made.pair.name, "", False, diagnosis=f"{listed(single)}, should be float64"))
    left_out = [name for name in made.floats if name not in at]
    if left_out:
        words = f"not checked, since backward returns None: {listed([f'd{name}' for name in left_out])}"
        checks.append(Check("left out", made.pair.name, "", True, diagnosis=words))
    return checks


def _is_short(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and array.dtype != np.float64


def _alike(one: Any, other: Any, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    one, other = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if one.shape != other.shape:
        return False
    if not tolerance or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return bool(np.array_equal(one, other, equal_nan=True))
    size = max(float(np.abs(one).max(initial=0.0)), float(np.abs(other).max(initial=0.0)))
    return bool(np.all(np.abs(one - other) <= tolerance * size))


def _off_kinks(item: Map, rng: np.random.Generator) -> tuple[Map, str]:
    """``item`` at a point without kinks: where its own has some, every array is moved by a tenth of its spread."""
    u = np.asarray(rng.standard_normal(np.asarray(item.function(item.at)).shape))
    for attempt in range(3):
        if not any(_kinks(item, name, u) for name in item.at):
            return item, "the example sits on a kink; its arrays were moved a little" if attempt else ""
        moved = {
            name: array + _JITTER * (float(array.std()) or 1.0) * rng.standard_normal(array.shape)
            for name, array in item.at.items()
        }
        item = Map(item.title, moved, item.function, item.pullback, rows=item.rows)
    return item, ""


def _kinks(item: Map, name: str, u: np.ndarray) -> int:
    f = item.of(name)
    return central_differences(lambda array: float(np.vdot(u, f(array))), item.at[name]).kinks


def _activations(functions: Functions, caller: Caller, seed: int) -> list[Check]:
    """The checks of every NAME with its d_NAME that takes one argument."""
    checks = []
    for name, function in functions.items():
        derivative = derivative_of(name, functions)
        if derivative and len(required(function)) == 1:
            checks += check_activation(name, function, derivative, caller, np.random.default_rng(seed))
            mine = {function.__name__, derivative.__name__}
            touched = sorted(who for who, _ in caller.touched if who in mine)
            words = f"{listed(touched)} changes its argument in place" if touched else ""
            checks.append(Check("untouched", name, "", not touched, diagnosis=words))
    return checks


def _nothing(path: Path, functions: Functions, namespace: Mapping[str, Any]) -> str:
    classes = [name for name, value in namespace.items() if isinstance(value, type) and value.__module__ == path.stem]
    has = f"It defines: {listed(sorted(functions))}." if functions else "It defines no function."
    if classes:
        has += f" {listed(classes)} is a class; functions are what is checked."
    return (
        f"{path.name}: nothing to check. It needs forward and backward, or a NAME with d_NAME "
        f"(docs/check.md has examples). {has}"
    )
