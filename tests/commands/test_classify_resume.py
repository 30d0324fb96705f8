"""A classification that was interrupted goes on where it was, wherever its table was torn."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mlhw.commands.display import Silent
from mlhw.commands.pretrained import pipeline
from mlhw.commands.pretrained.asking import resolve
from mlhw.commands.pretrained.work import start
from mlhw.commands.resume import resume
from mlhw.commands.settings import from_environment
from mlhw.errors import Interrupted, MlhwError
from mlhw.runs import classified
from mlhw.runs.store import Run
from tests.commands.classify_made import HEADER, table
from tests.commands.pictures_made import OTHER, SMALL, draw_pictures, run


def test_strict_stops_at_the_first_bad_picture_and_keeps_what_came_before(small_weights: Path, tmp_path: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 4)
    paths[2].write_bytes(b"")
    with pytest.raises(MlhwError, match=r"picture 002\.png: .*empty") as caught:
        run("classify", [tmp_path / "pictures"], [str(small_weights)], models=[SMALL], strict=True, top=1)
    assert caught.value.exit_code == 1
    (folder,) = (tmp_path / "outputs").iterdir()
    assert Run(folder).status() == "failed"
    assert [row["rank"] for row in table(Run(folder))] == ["1", "1"]


class Impatient(Silent):
    """Presses Ctrl+C after so many batches."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def progress(self, what: str, done: int, total: int) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_where_it_was(
    small_weights: Path, other_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = draw_pictures(tmp_path / "pictures", 20)
    paths[9].write_bytes(b"no picture")
    weights = [f"{SMALL}={small_weights}", f"{OTHER}={other_weights}"]
    whole, _ = run("classify", [tmp_path / "pictures"], weights, models=[SMALL, OTHER])
    asked = resolve(
        "classify",
        None,
        paths=[str(tmp_path / "pictures")],
        weights=weights,
        flags={"pretrained.models": [SMALL, OTHER]},
    )
    settings = from_environment(os.environ)
    with pytest.raises(Interrupted, match=r"after 8 of 20 pictures.*mlhw resume"):
        start(asked, [], settings, Impatient(1))
    (part,) = set(settings.outputs.iterdir()) - {whole.path}
    assert Run(part).status() == "interrupted"
    assert len(table(Run(part))) == 8 * 5
    torn = part / f"predictions-{OTHER}.csv"  # killed between two files
    torn.write_bytes(torn.read_bytes()[:-7])
    (tmp_path / "pictures" / "picture 000 of later.png").write_bytes(paths[0].read_bytes())  # not of this run
    monkeypatch.chdir(tmp_path)
    opened: list[Path] = []
    real = pipeline.open_picture
    monkeypatch.setattr(pipeline, "open_picture", lambda path, need: opened.append(path) or real(path, need))
    _, summary, worked = resume(part.name, settings, Silent())
    assert worked
    assert sorted(set(opened)) == paths[7:]
    assert summary["pictures"] == {"found": 20, "classified": 19, "skipped": 1}
    for name in ("predictions.csv", f"predictions-{SMALL}.csv", f"predictions-{OTHER}.csv"):
        assert rounded(table(Run(part), name)) == rounded(table(whole, name))
    assert resume(part.name, settings, Silent())[2] is False


def rounded(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [row | {"probability": row["probability"] and round(float(row["probability"]), 5)} for row in rows]


@pytest.mark.parametrize("left", [0, 3, 55, 56, 60, 180, 181, 400, -40, -1])
def test_wherever_the_table_was_torn_a_resume_makes_it_whole(left: int, small_weights: Path, tmp_path: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 5)
    paths[1].write_bytes(b"no picture")
    found, _ = run("classify", [tmp_path / "pictures"], [str(small_weights)], models=[SMALL], top=3)
    file = found.path / "predictions.csv"
    whole = file.read_bytes()
    file.write_bytes(whole[:left])
    found.summary_file.unlink()
    resume(found.id, from_environment(os.environ), Silent())
    expected, got = whole.decode().splitlines(), file.read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:5] for line in got] == [line.split(",")[:5] for line in expected]


def test_a_table_that_was_tampered_with_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    head = ",".join(HEADER) + "\n"
    for text, line in [
        ("file\n", 1),
        (head + "x,ok,2,1,a,0.5,\n", 2),
        (head + "x,ok,1,1,a,0.5,\ny,ok,2,1,a,0.5,\n", 3),
    ]:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(MlhwError, match=rf"predictions\.csv:{line}: should be"):
            classified.read(path)
