"""All the tests of one :class:`~mlhw.checks.maps.Map`: of its gradient as a whole, or of its Jacobian argument by argument."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from mlhw.checks import transpose
from mlhw.checks.diagnose import diagnose
from mlhw.checks.differences import TOLERANCE, Differences, against_differences, central_differences, worst_entry
from mlhw.checks.maps import Check, Map
from mlhw.checks.taylor import Taylor, jacobian_test, most_bent, random_direction, taylor_test
from mlhw.numerics.layers import Named

AUTOGRAD_TOLERANCE: Final = 1e-10  # both compute in float64; sums in another order differ by 1e-12 at most
DRAWS: Final = 4  # of a direction: the one in which the function bends most is taken
TRIES: Final = 3  # directions
_SMALL: Final = 1e-3  # of the largest entry: below, a difference of large numbers may have lost digits on either side


def check_gradient(item: Map, rng: np.random.Generator) -> list[Check]:
    """Taylor, every entry, and autograd where there is an oracle; for an output of many values, of <u, f> with a random u."""
    u = _weights(np.asarray(item.function(item.at)), rng)
    found = item.pullback(item.at, u)
    broken = _broken(item, found, u)
    if broken:
        return broken
    gradient = {name: np.asarray(found[name], dtype=np.float64) for name in item.at}
    checks = [_taylor_of_all(item, gradient, u, rng)]
    checks += [_entries(item, name, gradient[name], u) for name in item.at]
    return checks + _autograd(item, gradient, u)


def check_jacobian(item: Map, rng: np.random.Generator) -> list[Check]:
    """For each argument the Jacobian test, every entry, the transpose test, and autograd where there is an oracle."""
    out = np.asarray(item.function(item.at))
    u = _weights(out, rng)
    found = item.pullback(item.at, u)
    broken = _broken(item, found, u)
    if broken:
        return broken
    jtu = {name: np.asarray(found[name], dtype=np.float64) for name in item.at}
    columns = None if item.pushforward else implied_jacobian(item, out)
    checks = []
    for name in item.at:
        checks += [
            _taylor_of_one(item, name, columns, rng),
            _entries(item, name, jtu[name], u),
            _transpose(item, name, jtu[name], u, rng),
        ]
    return checks + _autograd(item, jtu, u)


def check_forward_and_back(item: Map, rng: np.random.Generator) -> list[Check]:
    """The Jacobian test and the transpose test of each argument, for a map too large for every entry."""
    checks = [_taylor_of_one(item, name, None, rng) for name in item.at]
    return checks + check_transposes(item, rng)


def check_transposes(item: Map, rng: np.random.Generator) -> list[Check]:
    """The transpose test of each argument."""
    u = _weights(np.asarray(item.function(item.at)), rng)
    jtu = item.pullback(item.at, u)
    return [_transpose(item, name, np.asarray(jtu[name], dtype=np.float64), u, rng) for name in item.at]


def _weights(out: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """u, by which an output of many values becomes one number <u, f>; 1 for a loss."""
    return rng.standard_normal(out.shape) if out.ndim else np.ones(())


def _broken(item: Map, found: Mapping[str, Any], u: np.ndarray) -> list[Check]:
    """Checks that failed before anything could be compared: gradients of the wrong shape, or not finite."""
    broken = []
    for name, array in item.at.items():
        got = np.asarray(found[name], dtype=np.float64)
        if got.shape == array.shape and np.isfinite(got).all():
            continue
        expected = _differences(item, name, u).nearest(np.full(array.shape, np.nan))
        test = "differences" if got.shape == array.shape else "shape"
        words = diagnose(f"d{name}", got, expected, item.rows)
        broken.append(Check(test, item.title, name, False, diagnosis=words))
    return broken


def check_taylor(item: Map, rng: np.random.Generator) -> Check:
    """The gradient test of a scalar function alone: some sixty evaluations, whatever the number of parameters."""
    u = np.ones(())
    gradient = {name: np.asarray(found, dtype=np.float64) for name, found in item.pullback(item.at, u).items()}
    return _taylor_of_all(item, gradient, u, rng)


def _taylor_of_all(item: Map, gradient: Named, u: np.ndarray, rng: np.random.Generator) -> Check:
    """The gradient test along one direction that moves every argument, or along up to three.

    A network of many ReLUs has kinks on most ways, and slope 2 only between them. A right gradient shows it along nearly
    every direction; a wrong one along none, since each has its own random half.
    """
    names, shapes = list(item.at), {name: array.shape for name, array in item.at.items()}
    sizes = [array.size for array in item.at.values()]
    w, slope = flat(item.at, names), flat(gradient, names)

    def f(vector: np.ndarray) -> float:
        parts = np.split(vector, np.cumsum(sizes)[:-1])
        arrays = {name: part.reshape(shapes[name]) for name, part in zip(names, parts, strict=True)}
        return float(np.vdot(u, item.function(arrays)))

    def attempt() -> Check:
        draws = [flat(random_direction(item.at, rng, gradient), names) for _ in range(DRAWS)]
        return _taylor_check(item, "", taylor_test(f, slope, w, most_bent(f, w, draws)))

    return _tried(attempt)


def _tried(attempt: Callable[[], Check]) -> Check:
    """The first of up to three Taylor tests, each along a direction of its own, that passes; else the last."""
    check = attempt()
    for number in range(2, TRIES + 1):
        if check.passed:
            break
        check = attempt()
        if check.passed:
            return replace(check, diagnosis=f"along direction {number} of {TRIES}: a kink lay on the way before")
    return check


def flat(arrays: Mapping[str, np.ndarray], names: Iterable[str]) -> np.ndarray:
    """The arrays, in the order of ``names``, as one vector."""
    return np.concatenate([arrays[name].reshape(-1) for name in names])


def _taylor_of_one(item: Map, name: str, columns: Any, rng: np.random.Generator) -> Check:
    """The Jacobian test along a direction in one argument."""
    f, w = item.of(name), item.at[name]

    def jvp(v: np.ndarray) -> np.ndarray:
        if item.pushforward:
            return item.pushforward(item.at, {name: v})
        return np.asarray(columns[name] @ v.reshape(-1))

    def outputs(array: np.ndarray) -> np.ndarray:
        out = np.asarray(f(array))
        return out if item.pushforward else out.reshape(-1)

    def attempt() -> Check:
        draws = [random_direction({name: w}, rng)[name].reshape(-1) for _ in range(DRAWS)]
        direction = most_bent(lambda vector: f(vector.reshape(w.shape)), w.reshape(-1), draws).reshape(w.shape)
        return _taylor_check(item, name, jacobian_test(outputs, jvp, w, direction))

    return _tried(attempt)


def _taylor_check(item: Map, name: str, found: Taylor) -> Check:
    words = ""
    if found.exact:
        words = "exact to rounding"
    elif not found.passed:
        slope = found.slopes[1]
        words = "the remainder is not finite" if slope is None else f"the remainder falls with slope {slope:.2f}, not 2"
    return Check("taylor", item.title, name, found.passed, diagnosis=words, taylor=found)


def _differences(item: Map, name: str, u: np.ndarray) -> Differences:
    if item.differences:
        return item.differences(name, u)
    f = item.of(name)
    return central_differences(lambda array: float(np.vdot(u, f(array))), item.at[name])


def _entries(item: Map, name: str, got: np.ndarray, u: np.ndarray) -> Check:
    found = _differences(item, name, u)
    worst = against_differences(got, found)
    passed = worst.error <= TOLERANCE
    words = f"{found.kinks} entries on a kink" if found.kinks else ""
    if not passed:
        expected = found.nearest(got)
        largest = float(np.max(np.abs(expected), initial=0.0)) or 1.0
        known = {"d_out": u}
        tolerance = min(1e-4, max(TOLERANCE, 10 * found.noise / largest))
        words = diagnose(f"d{name}", got, expected, item.rows, known, tolerance) or (
            f"d{name}{list(worst.entry or ())} is {worst.got:.9g}, should be {worst.expected:.9g} "
            f"(relative error {worst.error:.2g})."
        )
    shape = item.at[name].shape
    return Check("differences", item.title, name, passed, worst.error, TOLERANCE, *_where(worst), words, shape=shape)


def _where(worst: Any) -> tuple[Any, Any, Any]:
    return worst.entry, worst.got, worst.expected


def _transpose(item: Map, name: str, jtu: np.ndarray, u: np.ndarray, rng: np.random.Generator) -> Check:
    v = rng.standard_normal(item.at[name].shape)
    if item.pushforward:
        jv, tolerance = item.pushforward(item.at, {name: v}), transpose.TOLERANCE
    else:
        jv, tolerance = (
            transpose.derivative_along(item.of(name), item.at[name], v),
            transpose.TOLERANCE_OF_DIFFERENCES,
        )
    error, left, right = transpose.transpose_error(jv, u, {name: v}, {name: jtu})
    passed = error <= tolerance
    words = (
        "" if passed else f"<Jv, u> is {left:.6g}, <v, Jᵀu> is {right:.6g}: backward is not the transpose of forward"
    )
    return Check("transpose", item.title, name, passed, error, tolerance, None, right, left, words)


def implied_jacobian(item: Map, out: np.ndarray) -> dict[str, np.ndarray]:
    """The Jacobian (outputs, entries) by each argument that the pullback implies: one call for each output."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in item.at}
    for place in np.ndindex(out.shape):
        unit = np.zeros(out.shape)
        unit[place] = 1.0
        for name, gradient in item.pullback(item.at, unit).items():
            if name in rows:
                rows[name].append(np.asarray(gradient, dtype=np.float64).reshape(-1))
    return {name: np.array(found) for name, found in rows.items()}


def _autograd(item: Map, got: Named, u: np.ndarray) -> list[Check]:
    """Each gradient against torch's autograd on the same function by torch's own means."""
    if item.oracle is None:
        return []
    from mlhw.checks.oracles import oracle_pullback

    out, expected = oracle_pullback(item.oracle, item.at, u)
    here = np.asarray(item.function(item.at))
    value = worst_entry(here, out, float(np.max(np.abs(out), initial=0.0)))
    checks = []
    if value.error > AUTOGRAD_TOLERANCE:
        words = f"the value itself differs from torch's: {value.got:.9g}, should be {value.expected:.9g}"
        checks.append(Check("autograd", item.title, "", False, value.error, AUTOGRAD_TOLERANCE, *_where(value), words))
    for name, gradient in expected.items():
        worst = worst_entry(got[name], gradient, _SMALL * float(np.max(np.abs(gradient), initial=0.0)))
        passed = worst.error <= AUTOGRAD_TOLERANCE
        words = "" if passed else diagnose(f"d{name}", got[name], gradient, item.rows, {"d_out": u}, 1e-9)
        checks.append(
            Check("autograd", item.title, name, passed, worst.error, AUTOGRAD_TOLERANCE, *_where(worst), words)
        )
    return checks
