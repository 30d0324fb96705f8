"""One run folder that a student handed in, graded in a worker process: nothing in it is believed, nothing executed."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlhw.commands import assemble
from mlhw.commands.grade.handed_in import plain_file
from mlhw.commands.grade.same import comparable
from mlhw.commands.grade.scoring import Score, Scores, score_checkpoint, warm
from mlhw.commands.settings import Settings
from mlhw.config import load as config
from mlhw.config.expectations import MEASURED, holds
from mlhw.config.find import available
from mlhw.config.schema import Expect, Experiment
from mlhw.errors import ConfigError, DataMissing, MlhwError
from mlhw.grading.apart import begin
from mlhw.grading.limits import wants_memory, within
from mlhw.grading.lines import Line, Outcome

CONFIG_BYTES: Final = 1_000_000
SUMMARY_BYTES: Final = 10_000_000
WEIGHTS_BYTES: Final = 2_000_000_000
ROWS_OFF: Final = 2  # that another processor's rounding may turn, or a thousandth of all
FILES: Final = ("config.yaml", "metrics.csv", "summary.json", "checkpoints/best.pt")


@dataclass(frozen=True)
class Asked:
    """A run folder to grade, against the experiment ``against`` (whole, as YAML) or, where None, the one that it names."""

    path: Path
    part: str
    against: str | None
    settings: Settings
    seconds: float
    memory_mb: int


def grade_run(asked: Asked, tell: Callable[[Any], None]) -> tuple[str, list[Line]]:
    """The name of the experiment that the run was held to, and its lines."""
    warm()
    try:
        begin(tell)
        with within(asked.seconds, memory_mb=asked.memory_mb):
            claims = _claims(asked.path)
            student = config.parse(plain_file(asked.path, "config.yaml", CONFIG_BYTES).read_bytes(), "config.yaml")
            teacher = _teacher(asked, student)
            merged, faults = comparable(student, teacher)
            files = _missing(asked.path, teacher.expect)
    except (ConfigError, OSError, RecursionError) as error:
        return "", [Line("run", "fail", reason=str(error) or type(error).__name__)]
    lines = [Line("run", "fail" if files else "pass", got=_status(asked.path), reason=files)]
    lines.append(Line("rules", "fail" if faults else "pass", reason="; ".join(faults)))
    if faults:
        return teacher.name, [*lines, *unmeasured(teacher.expect, "fail", "not measured: other rules")]
    own_pictures = _prepared_as(merged) != _prepared_as(teacher)
    found = _measured(asked, merged, tell, own_pictures=own_pictures)
    if isinstance(found, Line):
        return teacher.name, [*lines, found, *unmeasured(teacher.expect, found.outcome, "not measured")]
    lines += [line for key in MEASURED if (line := _held(teacher.expect, key, found, claims))]
    return teacher.name, [*lines, _as_claimed(found, claims), *_elsewhere(teacher.expect)]


def _teacher(asked: Asked, student: Experiment) -> Experiment:
    if asked.against is not None:
        return config.parse(asked.against.encode(), "--against")
    if student.name not in available():
        raise ConfigError(f"config.yaml: there is no experiment named '{student.name}' here. Name one with --against.")
    return config.load(student.name)


def _claims(folder: Path) -> dict[str, float]:
    """The finite numbers of summary.json; empty where it is missing or damaged."""
    try:
        value = json.loads(plain_file(folder, "summary.json", SUMMARY_BYTES).read_bytes())
    except (ConfigError, ValueError, OSError, RecursionError):
        return {}
    found = value if isinstance(value, Mapping) else {}
    return {
        key: number
        for key in MEASURED
        if isinstance(number := found.get(key), int | float) and not isinstance(number, bool) and _is_finite(number)
    }


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # JSON bounds no integer
        return False


def _status(folder: Path) -> str:
    return "finished" if (folder / "summary.json").is_file() else "not finished"


def _missing(folder: Path, expect: Expect) -> str:
    """What is missing of the files that a run has, in words."""
    faults = []
    for name in dict.fromkeys((*FILES, *(expect.files or ()))):
        try:
            plain_file(folder, name, WEIGHTS_BYTES)
        except ConfigError as error:
            faults.append(str(error))
    return "; ".join(faults)


def _measured(
    asked: Asked, experiment: Experiment, tell: Callable[[Any], None], *, own_pictures: bool
) -> Scores | Line:
    """The scores of the checkpoint; a line that says why there are none.

    Loading the teacher's data is not the student's time; preparing its pictures in a size of their own is.
    """
    try:
        with within(asked.seconds, memory_mb=asked.memory_mb) if own_pictures else contextlib.nullcontext():
            splits = assemble.load_splits(experiment, asked.settings, lambda what, done, total: None)
        weights = plain_file(asked.path, "checkpoints/best.pt", WEIGHTS_BYTES)
        begin(tell)
        with within(asked.seconds, memory_mb=asked.memory_mb):
            return score_checkpoint(experiment, splits, asked.settings, weights)
    except DataMissing as error:
        return Line("weights", "not run", reason=f"the data to measure on is not here: {error}")
    except (MlhwError, MemoryError, RuntimeError) as error:
        if wants_memory(error):
            return Line("weights", "fail", reason=f"needs more than {asked.memory_mb:,} MB of memory")
        if not isinstance(error, MlhwError):
            raise
        return Line("weights", "fail", reason=str(error).replace(f"{asked.path}{os.sep}", ""))


def _prepared_as(experiment: Experiment) -> Any:
    data: Any = experiment.data
    return getattr(data, "image_size_pixels", None), getattr(data, "resize", None), getattr(data, "labels", None)


def unmeasured(expect: Expect, outcome: Outcome, reason: str) -> list[Line]:
    """The lines of a run of which nothing could be measured."""
    points = expect.points or {}
    return [
        Line(key, outcome, str(getattr(expect, key)).strip(), points=points.get(key), reason=reason)
        for key in MEASURED
        if getattr(expect, key) is not None
    ] + _elsewhere(expect)


def _held(expect: Expect, key: str, found: Scores, claims: Mapping[str, float]) -> Line | None:
    """What is expected of ``key`` held against what was measured, whatever is claimed."""
    threshold, worth = getattr(expect, key), (expect.points or {}).get(key)
    if threshold is None:
        return None
    got = _value(found, key)
    if got is None:
        return Line(key, "fail", threshold.strip(), points=worth, reason="there are no such rows to measure on")
    outcome = "pass" if holds(threshold, got) else "fail"
    reason = "its loss is not finite" if key != "parameters" and not math.isfinite(_split(found, key).loss) else ""
    return Line(key, outcome, threshold.strip(), got, claims.get(key), worth, reason)  # type: ignore[arg-type]  # one of two


def _split(found: Scores, key: str) -> Score:
    return found.splits[key.removesuffix("_accuracy")]


def _value(found: Scores, key: str) -> float | None:
    if key == "parameters":
        return found.parameters
    split = found.splits.get(key.removesuffix("_accuracy"))
    return None if split is None else split.accuracy


def _as_claimed(found: Scores, claims: Mapping[str, float]) -> Line:
    """Whether the summary's numbers are those of the checkpoint."""
    faults, checked = [], False
    for key in MEASURED:
        got, claimed = _value(found, key), claims.get(key)
        if got is None or claimed is None:
            continue
        checked = True
        if abs(got - claimed) > _tolerance(found, key):
            faults.append(f"{key}: claimed {_told(key, claimed)}, measured {_told(key, got)}")
    if not checked:
        return Line("claims", "not run", reason="summary.json has no numbers to compare")
    return Line("claims", "fail" if faults else "pass", reason="; ".join(faults))


def _tolerance(found: Scores, key: str) -> float:
    if key == "parameters":
        return 0.0
    rows = _split(found, key).rows
    return (max(ROWS_OFF, rows / 1000) + 0.5) / rows


def _told(key: str, value: float) -> str:
    return f"{value:,.0f}" if key == "parameters" else f"{value:.4f}"


def _elsewhere(expect: Expect) -> list[Line]:
    """What a run that was made on another machine cannot show."""
    if expect.seconds_ratio is None:
        return []
    worth, limit = (expect.points or {}).get("seconds_ratio"), expect.seconds_ratio.limit.strip()
    return [Line("seconds_ratio", "not run", limit, points=worth, reason="it was trained on another machine")]
