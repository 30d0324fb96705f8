"""``mlhw grade --submission FOLDER``: one entry a student, each run and file in a process that may hang or crash."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

from mlhw.commands.grade.handed_in import HandIn, hand_ins
from mlhw.commands.grade.layer_file import AskedFile, grade_file
from mlhw.commands.grade.student_run import Asked, grade_run, unmeasured
from mlhw.commands.settings import Settings
from mlhw.config.load import dump
from mlhw.config.schema import Expect, Experiment
from mlhw.grading.apart import Came, begin, run_apart
from mlhw.grading.lines import Entry, Grade, Line
from mlhw.grading.words import plural

Progress = Callable[[str, int, int], None]

SECONDS: Final = 60.0
MEMORY_MB: Final = 4096


def grade_submission(
    folder: Path,
    against: Experiment | None,
    settings: Settings,
    *,
    seconds: float = SECONDS,
    memory_mb: int = MEMORY_MB,
    workers: int | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Grade:
    """What each student's run folders and Python files in ``folder`` came to, those that fell short first, then by name.

    Args:
        folder: holds a folder, run folder or ``.py`` file for each student.
        against: what runs are held to; None: the experiment that each run names itself.
        settings: where the teacher's data is.
        seconds: each run or file may take.
        memory_mb: each may take.
        workers: processes at a time; None: one a core.
        progress: is told how many of all runs and files are done.

    Raises:
        ConfigError: there is no such folder, or nothing in it.
    """
    began = perf_counter()
    handed, ignored = hand_ins(folder)
    limits = float(seconds), memory_mb
    yaml = None if against is None else dump(against)
    jobs: list[Asked | AskedFile] = [
        Asked(run.absolute(), student.part(run), yaml, settings, *limits) for student in handed for run in student.runs
    ]
    jobs += [AskedFile(file.absolute(), student.part(file), *limits) for student in handed for file in student.files]
    graded: dict[Path, Graded] = {}
    progress("grading", 0, len(jobs))
    many = min(workers or os.cpu_count() or 1, max(1, len(jobs)))
    for came in run_apart(jobs, grade_part, workers=many, seconds=seconds, memory_mb=memory_mb):
        graded[jobs[came.place].path] = _graded(jobs[came.place], came)
        progress("grading", len(graded), len(jobs))
    entries = [_entry(student, graded, against) for student in handed]
    entries.sort(key=lambda entry: (("fail", "not run", "pass").index(entry.outcome), entry.name.casefold()))
    return Grade(f"hand-ins in {folder.name or folder}", entries, ignored, perf_counter() - began)


class Graded(NamedTuple):
    """The lines of a run or file, the experiment that a run was held to, and the seconds that it took."""

    lines: list[Line]
    experiment: str
    seconds: float


def grade_part(job: Asked | AskedFile, tell: Callable[[Any], None]) -> tuple[str, list[Line]]:
    """What a worker does: the experiment that a run was held to, and the lines of the run or file."""
    if isinstance(job, Asked):
        return grade_run(job, tell)
    begin(tell)
    return "", grade_file(job)


def _graded(job: Asked | AskedFile, came: Came) -> Graded:
    if came.reason:
        what = "run" if isinstance(job, Asked) else "functions"
        return Graded([Line(what, "fail", reason=came.reason, part=job.part)], "", came.seconds)
    experiment, lines = came.result
    return Graded([replace(line, part=job.part) for line in lines], experiment, came.seconds)


def _entry(student: HandIn, graded: Mapping[Path, Graded], against: Experiment | None) -> Entry:
    """All of one student's lines. Of several runs of one experiment the best counts: trying more often is no fault."""
    runs, files = ([graded[path.absolute()] for path in paths] for paths in (student.runs, student.files))
    attempts: dict[str, list[Graded]] = {}
    for run in runs:
        attempts.setdefault(run.experiment, []).append(run)
    known = sorted(name for name in attempts if name)
    best = [max(tries, key=_merit) for name, tries in attempts.items() if name or not known]
    of_files = [line for file in files for line in file.lines]
    lines = [line for run in best for line in run.lines] + of_files
    lines += [Line("hand-in", "fail", reason=fault) for fault in student.faults]
    if against is not None:
        lines += _not_handed_in(against.expect, lines)
        lines += _gradients(against.expect, of_files)
    notes = [f"the best of {plural(len(runs), 'run')} counts"] if len(best) < len(runs) else []
    name = ", ".join(known) or (against.name if against else "")
    return Entry(student.name, lines, name, notes, sum(part.seconds for part in (*runs, *files)))


def _merit(run: Graded) -> tuple[float, int, int, float]:
    lines = Entry("", run.lines)
    measured = [line.got for line in run.lines if line.what.endswith("_accuracy") and isinstance(line.got, float)]
    earned = lines.points[0] if lines.points else 0.0
    return earned, lines.count("pass"), -lines.count("fail"), max(measured, default=0.0)


def _not_handed_in(expect: Expect, lines: Sequence[Line]) -> list[Line]:
    """The lines that a run would have, where none was handed in that could be read: points are out of the same for all."""
    known = {line.what for line in lines}
    expected = [line for line in unmeasured(expect, "fail", "not measured") if line.what not in known]
    if not expected or "run" in known:
        return expected
    return [Line("run", "fail", reason="no run folder was handed in"), *expected]


def _gradients(expect: Expect, found: Sequence[Line]) -> list[Line]:
    """The line of the points for gradients: a student shows them in a Python file of functions."""
    worth = (expect.points or {}).get("gradients")
    if worth is None:
        return []
    if not found:
        return [Line("gradients", "fail", points=worth, reason="no .py file was handed in")]
    wrong = [line.what for line in found if line.outcome != "pass"]
    reason = f"wrong: {', '.join(wrong)}" if wrong else ""
    return [Line("gradients", "fail" if wrong else "pass", points=worth, reason=reason)]
