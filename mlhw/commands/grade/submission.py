"""``mlhw grade --submission FOLDER``: one entry a student, each run and file in a process that may hang or crash."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Final

from mlhw.commands.grade.handed_in import HandIn, hand_ins
from mlhw.commands.grade.layer_file import grade_file
from mlhw.commands.grade.student_run import Asked, grade_run
from mlhw.commands.settings import Settings
from mlhw.config.load import dump
from mlhw.config.schema import Experiment
from mlhw.grading.apart import Came, run_apart
from mlhw.grading.lines import Entry, Grade, Line
from mlhw.grading.words import plural

Progress = Callable[[str, int, int], None]
Part = tuple[HandIn, Path]

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
    grader = _Grader(against, settings, seconds, memory_mb, workers or os.cpu_count() or 1, progress)
    runs, files = grader.work(handed)
    entries = [_entry(student, runs, files, against) for student in handed]
    entries.sort(key=lambda entry: (("fail", "not run", "pass").index(entry.outcome), entry.name.casefold()))
    return Grade(f"hand-ins in {folder.name or folder}", entries, ignored, perf_counter() - began)


class _Grader:
    """Runs in worker processes that import torch once, Python files in a process each; results by path."""

    def __init__(
        self,
        against: Experiment | None,
        settings: Settings,
        seconds: float,
        memory_mb: int,
        workers: int,
        progress: Progress,
    ) -> None:
        self.against, self.settings, self.progress = None if against is None else dump(against), settings, progress
        self.seconds, self.memory_mb, self.workers = seconds, memory_mb, workers
        self.done = self.total = 0

    def work(
        self, handed: Sequence[HandIn]
    ) -> tuple[dict[Path, tuple[str, list[Line], float]], dict[Path, list[Line]]]:
        """Of each run folder the experiment, its lines and the seconds; of each file its lines."""
        runs = [run for student in handed for run in student.runs]
        files = [(student, file) for student in handed for file in student.files]
        self.total = len(runs) + len(files)
        self._tell(0)
        found = {runs[came.place]: self._of_run(came) for came in self._came(runs)} if runs else {}
        return found, self._files(files)

    def _came(self, runs: Sequence[Path]) -> list[Came]:
        settings = replace(self.settings, threads=None)
        jobs = [Asked(run.absolute(), self.against, settings, self.seconds, self.memory_mb) for run in runs]
        workers = min(self.workers, len(jobs))
        came = []
        for one in run_apart(jobs, grade_run, workers=workers, seconds=self.seconds, memory_mb=self.memory_mb):
            came.append(one)
            self._tell(1)
        return came

    def _of_run(self, came: Came) -> tuple[str, list[Line], float]:
        if came.reason:
            return "", [Line("run", "fail", reason=came.reason)], came.seconds
        experiment, lines = came.result
        return experiment, lines, came.seconds

    def _files(self, files: Sequence[Part]) -> dict[Path, list[Line]]:
        found: dict[Path, list[Line]] = {}
        with ThreadPoolExecutor(self.workers) as pool:
            limits = {"seconds": self.seconds, "memory_mb": self.memory_mb}
            futures = {
                pool.submit(grade_file, path.absolute(), part=student.part(path), **limits): path  # type: ignore[arg-type]
                for student, path in files
            }
            try:
                for future in as_completed(futures):
                    found[futures[future]] = future.result()
                    self._tell(1)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return found

    def _tell(self, more: int) -> None:
        self.done += more
        self.progress("grading", self.done, self.total)


def _entry(
    student: HandIn,
    runs: dict[Path, tuple[str, list[Line], float]],
    files: dict[Path, list[Line]],
    against: Experiment | None,
) -> Entry:
    """All of one student's lines. Of several runs of one experiment the best counts: trying more often is no fault."""
    attempts: dict[str, list[Entry]] = {}
    for path in student.runs:
        experiment, lines, seconds = runs[path]
        of_run = [replace(line, part=student.part(path)) for line in lines]
        attempts.setdefault(experiment, []).append(Entry(student.part(path), of_run, experiment, [], seconds))
    known = {name for name in attempts if name}
    best = [max(tries, key=_merit) for name, tries in attempts.items() if name or not known]
    lines = [line for entry in best for line in entry.lines]
    lines += [line for path in student.files for line in files[path]]
    lines += [Line("hand-in", "fail", reason=fault) for fault in student.faults]
    lines += _gradients(against, [line for path in student.files for line in files[path]])
    dropped = len(student.runs) - len(best)
    notes = [f"the best of {plural(len(student.runs), 'run')} counts"] if dropped else []
    name = ", ".join(sorted(known)) or (against.name if against else "")
    return Entry(student.name, lines, name, notes, sum(runs[path][2] for path in student.runs))


def _merit(entry: Entry) -> tuple[float, int, int, float]:
    measured = [line.got for line in entry.lines if line.what.endswith("_accuracy") and isinstance(line.got, float)]
    points = entry.points
    return points[0] if points else 0.0, entry.count("pass"), -entry.count("fail"), max(measured, default=0.0)


def _gradients(against: Experiment | None, found: Sequence[Line]) -> list[Line]:
    """The line of an experiment that expects gradients: a student shows them in a Python file of functions."""
    if against is None or against.expect.gradients is None:
        return []
    worth = (against.expect.points or {}).get("gradients")
    if not found:
        return [Line("gradients", "not run", "right", points=worth, reason="no .py file was handed in")]
    wrong = [line.what for line in found if line.outcome != "pass"]
    reason = f"wrong: {', '.join(wrong)}" if wrong else ""
    return [Line("gradients", "fail" if wrong else "pass", "right", points=worth, reason=reason)]
