"""The files that a folder of hand-ins is graded into."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from mlhw.commands.settings import Settings
from mlhw.errors import OutputError
from mlhw.files import make_folder, write_json, write_text
from mlhw.grading import page, tables
from mlhw.grading.lines import Grade


def write_files(grade: Grade, submission: Path, out: Path | None, settings: Settings) -> None:
    """Write grades.csv, grades.html and grades.json into ``out``, or a new folder of ``outputs/grades``; notes their paths.

    Raises:
        OutputError: the folder cannot be made or written, or already has grades in it.
    """
    folder = _new_folder(settings.outputs / "grades", submission) if out is None else make_folder(out)
    paths = {kind: folder / f"grades.{kind}" for kind in ("csv", "html", "json")}
    if taken := [path for path in paths.values() if path.exists()]:
        raise OutputError(f"--out {folder}: already has {taken[0].name}. Name another folder.")
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
