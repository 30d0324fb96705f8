"""`mlhw report` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import mlhw
from tests.reports import made


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    made.five(tmp_path / "outputs")
    return tmp_path / "outputs"


def test_a_sweep_is_one_file_whose_path_is_all_that_stdout_has(outputs: Path) -> None:
    done = mlhw("report", "latest-sweep")
    path = outputs / "sweeps" / "digits-cnn-20260102-000000-abcd" / "report.html"
    assert (done.code, done.out) == (0, f"{path}\n")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "without pictures" in done.err
    quiet = mlhw("report", "latest-sweep", "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, f"{path}\n", "")


def test_json_says_where_it_is_and_what_it_has(outputs: Path) -> None:
    found = mlhw("report", made.ids(1)[0], "--json").json
    assert set(found) == {"path", "pdf", "bytes", "runs", "sections", "left_out"}
    assert found["pdf"] is None
    assert found["runs"] == made.ids(1)
    assert Path(found["path"]).stat().st_size == found["bytes"]


def test_several_runs_and_a_folder_of_ones_own(outputs: Path, tmp_path: Path) -> None:
    done = mlhw("report", *made.ids(2), "--out", str(tmp_path / "mine"))
    assert (done.code, done.out) == (0, f"{tmp_path / 'mine' / 'report.html'}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "name a run or a sweep"),
        (("nonesuch",), 5, "no run and no sweep 'nonesuch'"),
        (("../..",), 5, "letters, digits and dashes alone"),
        (("digits",), 5, "is the beginning of 5 runs"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(outputs: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = mlhw("report", *arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_browser_that_is_none_is_a_mistake_in_the_settings(outputs: Path) -> None:
    done = mlhw("report", "latest-sweep", "--pdf", MLHW_BROWSER="nonesuch")
    assert done.code == 2
    assert "MLHW_BROWSER should name a Chromium, got 'nonesuch'" in done.err
