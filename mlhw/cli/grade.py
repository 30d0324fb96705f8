"""grade."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlhw.cli.options import Json, Quiet, Set, complete_experiments
from mlhw.errors import ConfigError, MlhwError, PartialResult

if TYPE_CHECKING:
    from mlhw.grading.lines import Grade

EPILOG = "\n\n".join(
    [
        "Without names every experiment that expects something is looked at and nothing is trained; with names, those "
        "without a finished run are trained first. A line passes, fails, or is not run.",
        "Exit code 0: all passed; 1: something fell short; 4: nothing did, but some lines were not run, or nothing is "
        "expected of an experiment.",
        "Python files that are handed in are run with your own rights, in processes of their own with limits of time and "
        "memory: that guards against accidents, not against malice. Grade strangers' code in a container.",
    ]
)


def grade(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPERIMENT…",
            help="Names of experiments (see `mlhw list`) or paths of YAML files.",
            autocompletion=complete_experiments,
            show_default=False,
        ),
    ] = None,
    submission: Annotated[
        Path | None,
        typer.Option(
            "--submission", metavar="FOLDER", help="Grade hand-ins: a folder or .py file a student.", show_default=False
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="EXPERIMENT",
            help="With --submission: what runs are held to.",
            autocompletion=complete_experiments,
            show_default="the one that a run names",
        ),
    ] = None,
    overrides: Set = None,
    train: Annotated[
        bool | None,
        typer.Option(
            "--train/--no-train",
            help="Train what has no finished run.",
            show_default="for the experiments that are named",
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            min=0.1,
            max=1e6,
            help="What each training, run or file may take.",
            show_default="60 for a hand-in, else none",
        ),
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            "--memory", metavar="MB", min=64, max=10**7, help="What each hand-in may take (Linux).", show_default="4096"
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, max=1024, help="Hand-ins at a time.", show_default="one a core"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Where a hand-in's CSV and page go.",
            show_default="outputs/grades/NAME-TIME-XXXX",
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit XML.", show_default=False)
    ] = None,
    as_markdown: Annotated[bool, typer.Option("--md", help="Print the lines as Markdown.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hold results to what their YAML's `expect:` says, line by line; or a folder of students' runs and layers."""
    if as_json and as_markdown:
        raise ConfigError("--json and --md exclude each other. Give one of them.")
    if junit is not None and junit.is_dir():
        raise ConfigError(f"--junit {junit}: is a folder. Name a file, for example grade.xml.")
    if submission is not None:
        _refuse({"EXPERIMENT": experiments, "--train": train is not None}, "does not go with --submission")
        found = _submission(submission, against, overrides, timeout, memory, jobs, out, quiet)
    else:
        _refuse({"--against": against, "--memory": memory, "--jobs": jobs, "--out": out}, "needs --submission FOLDER")
        if overrides and not experiments:
            raise ConfigError("-s needs an experiment: name those that it is for.")
        found = _experiments(experiments or [], overrides, train, timeout, quiet)
    _tell(found, junit, as_json, as_markdown, of_students=submission is not None)


def _experiments(
    names: list[str], overrides: list[str] | None, train: bool | None, timeout: float | None, quiet: bool
) -> Grade:
    from mlhw.cli.live import Live
    from mlhw.commands.grade.experiments import grade_experiments
    from mlhw.commands.settings import from_environment

    display = Live(quiet=quiet)
    try:
        return grade_experiments(
            names,
            overrides or (),
            from_environment(),
            display,
            train=bool(names) if train is None else train,
            seconds=timeout,
        )
    finally:
        display.end()


def _submission(
    folder: Path,
    against: str | None,
    overrides: list[str] | None,
    timeout: float | None,
    memory: int | None,
    jobs: int | None,
    out: Path | None,
    quiet: bool,
) -> Grade:
    from mlhw.cli.live import Live
    from mlhw.commands.grade.files import grades_folder, write_files
    from mlhw.commands.grade.handed_in import hand_ins
    from mlhw.commands.grade.submission import MEMORY_MB, SECONDS, grade_submission
    from mlhw.commands.settings import from_environment
    from mlhw.config.load import load

    if overrides and against is None:
        raise ConfigError("-s needs --against: name the experiment that it is for.")
    settings, display = from_environment(), Live(quiet=quiet)
    held_to = None if against is None else load(against, overrides or ())
    hand_ins(folder)  # what is not there leaves no folder behind
    target = grades_folder(folder, out, settings)
    try:
        found = grade_submission(
            folder,
            held_to,
            settings,
            seconds=timeout or SECONDS,
            memory_mb=memory or MEMORY_MB,
            workers=jobs,
            progress=display.progress,
        )
    finally:
        display.end()
    write_files(found, target)
    return found


def _tell(found: Grade, junit: Path | None, as_json: bool, as_markdown: bool, *, of_students: bool) -> None:
    """Print what came of it; raise where something fell short."""
    from mlhw.cli import graded
    from mlhw.cli.screen import print_json
    from mlhw.grading import tables

    if junit is not None:
        from mlhw.files import make_folder, write_text

        make_folder(junit.parent)
        write_text(junit, tables.as_junit(found))
    if as_json:
        print_json(found.record())
    elif as_markdown:
        typer.echo(tables.as_markdown(found), nl=False)
    elif of_students:
        graded.print_students(found)
    else:
        graded.print_experiments(found)
    outcomes = [line.outcome for line in found.lines]
    if failed := outcomes.count("fail"):
        who = [entry.name for entry in found.entries if entry.outcome == "fail"]
        names = ", ".join(who[:5]) + (", …" if len(who) > 5 else "")
        raise MlhwError(f"{failed} of {len(outcomes)} lines fell short, of {names}.")
    if missing := outcomes.count("not run"):
        raise PartialResult(f"{missing} of {len(outcomes)} lines were not run.")
    if empty := [entry.name for entry in found.without_lines]:
        names = ", ".join(empty[:5]) + (", …" if len(empty) > 5 else "")
        raise PartialResult(f"not graded, since nothing is expected of it: {names}. Add `expect:` to its YAML.")


def _refuse(given: dict[str, object], why: str) -> None:
    for flag, value in given.items():
        if value:
            raise ConfigError(f"{flag} {why}.")


grade.__doc__ = f"{grade.__doc__}\n\n{EPILOG}"
COMMANDS: dict[str, Callable[..., None]] = {"grade": grade}
