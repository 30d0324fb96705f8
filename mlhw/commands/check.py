"""``mlhw check gradients | jacobians``: derivatives by hand against differences, Taylor's formula and autograd."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np

from mlhw.checks.maps import Check
from mlhw.commands.point import Point, by_hand, make_point, tensors
from mlhw.commands.settings import Settings
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError, MlhwError, OutputError
from mlhw.files import make_folder, write_json

Progress = Callable[[str, int, int], None]
Record = dict[str, Any]

MOST_PANELS: Final = 24


def gradients(
    experiment: Experiment, settings: Settings, *, rows: int | None, seed: int, out: Path | None, progress: Progress
) -> Record:
    """What the gradient of the experiment's mean loss came to: Taylor, every entry, autograd. Writes the figure and check.json.

    Raises:
        ConfigError, DataError: the experiment's model cannot be built.
        OutputError: the folder cannot be written.
    """
    began = perf_counter()
    checks, parameters, point = gradient_checks(experiment, settings, rows=rows, seed=seed, progress=progress)
    title = f"the mean loss of {experiment.name}, {parameters:,} parameters"
    return _finish(title, checks, point, settings, out, began, "∇f")


def gradient_checks(
    experiment: Experiment, settings: Settings, *, rows: int | None, seed: int, progress: Progress
) -> tuple[list[Check], int, Point]:
    """The checks of the gradient of the experiment's mean loss, the number of its parameters, and where it was checked.

    Raises:
        ConfigError, DataError: the experiment's model cannot be built.
    """
    from mlhw.checks.battery import check_gradient, check_taylor

    point = make_point(experiment, settings, rows, seed, progress)
    rng = np.random.default_rng(seed)
    if point.is_by_hand:
        from mlhw.checks.networks import network_map

        model, inputs, targets = by_hand(point, rng)
        checks = check_gradient(network_map(model, inputs, targets, progress=progress), rng)
        if getattr(experiment.model, "dropout", 0.0):
            checks.append(check_taylor(network_map(model, inputs, targets, "loss with dropout", seed), rng))
        return checks, sum(value.size for value in point.learner.parameters().values()), point
    from mlhw.checks.modules import module_map

    item = module_map(point.learner.network, *tensors(point), rng)
    return [check_taylor(item, rng)], sum(array.size for array in item.at.values()), point


def jacobians(
    experiment: Experiment, settings: Settings, *, rows: int | None, seed: int, out: Path | None, progress: Progress
) -> Record:
    """What the Jacobians of the experiment's layers came to, each at its actual input; raises as :func:`gradients`."""
    began = perf_counter()
    point = make_point(experiment, settings, rows, seed, progress)
    rng = np.random.default_rng(seed)
    if point.is_by_hand:
        checks = _layers_by_hand(*by_hand(point, rng), rng)
    else:
        from mlhw.checks.battery import check_forward_and_back
        from mlhw.checks.modules import scores_map

        checks = check_forward_and_back(scores_map(point.learner.network, tensors(point)[0], rng), rng)
    what = "layers" if point.is_by_hand else "scores by the input"
    return _finish(f"the {what} of {experiment.name}", checks, point, settings, out, began, "J")


def every_layer(settings: Settings, *, seed: int, out: Path | None) -> Record:
    """What the Jacobians of all that ``mlhw.numerics`` has came to."""
    from mlhw.checks.battery import check_jacobian
    from mlhw.checks.catalogue import every_layer as catalogue

    began = perf_counter()
    rng = np.random.default_rng(seed)
    checks = [check for item in catalogue(rng) for check in check_jacobian(item, rng)]
    title = "every layer, activation and loss of mlhw"
    return _finish(title, checks, None, settings, out, began, "J", name="layers")


def own_file(
    path: Path,
    settings: Settings,
    *,
    jacobians: bool,
    forward: str | None,
    backward: str | None,
    seed: int,
    time_limit_seconds: float,
    out: Path | None,
) -> Record:
    """What a learner's own functions came to; they run in a process of their own.

    Raises:
        ConfigError: the file cannot be checked: it is not there, no Python, or lacks the functions.
        MlhwError: its functions raise, crash or take too long.
    """
    from mlhw.checks.apart import check_apart
    from mlhw.checks.calls import Fault

    began = perf_counter()
    _readable(path)
    try:
        records = check_apart(
            path,
            jacobians=jacobians,
            forward=forward,
            backward=backward,
            seed=seed,
            time_limit_seconds=float(time_limit_seconds),
        )
    except Fault as fault:
        raise (ConfigError if fault.kind == "file" else MlhwError)(str(fault)) from None
    stem = (
        "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in path.stem).strip("-") or "file"
    )
    record = {"file": str(path), "title": f"the functions of {path.name}", "notes": ["float64"]}
    return _write(record, records, settings, out, stem, began, "J" if jacobians else "∇f")


def _readable(path: Path) -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise ConfigError(f"--file {path}: {what}. Name a Python file, for example my_layer.py.")
    if path.suffix == ".ipynb":
        raise ConfigError(f"--file {path}: is a notebook. Copy its functions into a .py file and name that.")


def _layers_by_hand(model: Any, inputs: Any, targets: Any, rng: np.random.Generator) -> list[Check]:
    """Each layer at its actual input, then its activation, softmax and the loss at the actual scores."""
    from mlhw.checks.battery import check_jacobian
    from mlhw.checks.catalogue import loss_map, model_activation, softmax_map
    from mlhw.checks.chains import layer_inputs
    from mlhw.checks.networks import layer_map

    layers = layer_inputs(model, np.asarray(inputs))
    items = [layer_map(link.title, placed, given) for link, placed, given in layers]
    _, last, given = layers[-1]
    scores = last.layer.forward(given, last.own, None)[0]
    activation = model_activation(model, layers)
    items += [activation] if activation else []
    items += [
        softmax_map(scores),
        loss_map(getattr(model, "loss_name", "cross-entropy"), scores, np.asarray(targets)),
    ]
    return [check for item in items for check in check_jacobian(item, rng)]


def _finish(
    title: str,
    checks: Iterable[Check],
    point: Point | None,
    settings: Settings,
    out: Path | None,
    began: float,
    formula: str,
    name: str | None = None,
) -> Record:
    records = [check.record() | {"curve": check.curve()} for check in checks]
    record: Record = {"experiment": point.experiment.name if point else None, "title": title}
    record["notes"] = list(point.notes) if point else ["random inputs, away from kinks", "float64"]
    if point and not point.is_by_hand:
        what = "gradient" if formula == "∇f" else "forward and reverse mode"
        record["notes"].append(f"nothing here is written by hand: autograd's own {what}")
    return _write(record, records, settings, out, name or record["experiment"], began, formula)


def _write(
    record: Record, checks: list[Record], settings: Settings, out: Path | None, name: str, began: float, formula: str
) -> Record:
    """The whole record, written to its folder as check.json beside the figure; its ``checks`` without their curves."""
    from mlhw.plots.style import save
    from mlhw.plots.taylor import draw_taylor

    folder = make_folder(out) if out else _new_folder(settings.outputs / "checks", name)
    passed = all(check["passed"] for check in checks)
    record |= {"passed": passed, "seconds": round(perf_counter() - began, 2)}
    write_json(folder / "check.json", record | {"checks": checks})
    curves, more = _worth_drawing([check["curve"] for check in checks if check.get("curve")])
    files = [folder / "check.json"]
    if curves:
        files = [
            *save(
                draw_taylor(curves, f"Taylor test{'s' * (len(curves) > 1)} of {record['title']}{more}", formula),
                folder / "taylor",
            ),
            *files,
        ]
    plain = [{key: value for key, value in check.items() if key != "curve"} for check in checks]
    return record | {"checks": plain, "files": [str(path) for path in files]}


def _worth_drawing(curves: list[Record]) -> tuple[list[Record], str]:
    """The Taylor tests to draw, and words for those that are not: of many, the ones that are flat on rounding."""
    told = [curve for curve in curves if not curve["passed"] or curve["slopes"][1] is not None]
    if len(curves) <= MOST_PANELS or not told:
        return curves, ""
    return told, f" ({len(curves) - len(told)} more are exact to rounding)"


def _new_folder(parent: Path, name: str) -> Path:
    """A new folder ``<name>-<UTC time>-<4 hex>`` in ``parent``. Raises OutputError where it cannot be made."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    make_folder(parent)
    for _ in range(100):
        path = parent / f"{name}-{stamp}-{secrets.token_hex(2)}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {path}: {error.strerror or error}. Name one with --out."
            ) from error
        return path
    raise OutputError(f"cannot find a free name in {parent}. Name a folder with --out.")
