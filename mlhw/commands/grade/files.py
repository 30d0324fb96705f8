"""The files that a folder of hand-ins is graded into."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mlhw.commands.settings import Settings
from mlhw.errors import OutputError
from mlhw.files import make_folder, write_json, write_text
from mlhw.grading import page, tables
from mlhw.grading.lines import Grade

KINDS: Final = ("csv", "html", "json")


def grades_folder(submission: Path, out: Path | None, settings: Settings) -> Path:
    """Where the files go: ``out``, or a new folder of ``outputs/grades``; made, so that a fault shows before the work.

    Raises:
        OutputError: it cannot be made, or already has grades in it.
    """
    if out is None:
        return _new_folder(settings.outputs / "grades", submission)
    for kind in KINDS:
        if (out / f"grades.{kind}").exists():
            raise OutputError(f"--out {out}: already has grades.{kind}. Name another folder.")
    return make_folder(out)


def write_files(grade: Grade, folder: Path) -> None:
    """Write grades.csv, grades.html and grades.json into ``folder``, and note their paths in ``grade``.

    Raises:
        OutputError: it cannot be written.
    """
    paths = {kind: folder / f"grades.{kind}" for kind in KINDS}
    grade.files = {kind: str(path) for kind, path in paths.items()}
    # A spreadsheet takes a CSV for the local encoding unless it begins with this mark.
    write_text(paths["csv"], "\ufeff" + tables.as_csv(grade))
    write_text(paths["html"], page.as_html(grade, datetime.now(UTC)))
    write_json(paths["json"], grade.record())


def _new_folder(parent: Path, submission: Path) -> Path:
    stem = re.sub("[^A-Za-z0-9]+", "-", submission.resolve().name).strip("-")[:60] or "hand-ins"
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    make_folder(parent)
    while True:
        path = parent / f"{stem}-{stamp}-{secrets.token_hex(2)}"
        try:
            path.mkdir()
            return path
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {path}: {error.strerror or error}. Name one with --out."
            ) from error
