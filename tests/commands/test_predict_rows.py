"""`predict` of rows of numbers: the same from a CSV and a .npy, bad ones left out with their reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mlhw.commands import assemble, trained
from mlhw.commands.finish import predict as probabilities_of
from mlhw.commands.predict.rows import read_rows
from mlhw.commands.settings import from_environment
from mlhw.errors import ConfigError, DataError, DataMissing
from mlhw.runs.store import Run
from tests.commands.predict_made import described, say, trained_on


@pytest.fixture
def gmm() -> Run:
    return trained_on(described("{kind: gmm, source: generated, train_rows: 200}", "{kind: numpy-resnet}"))


def test_rows_of_a_csv_and_of_a_npy_are_the_same(gmm: Run, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(7, 5))
    np.save(tmp_path / "rows.npy", rows)
    text = "\n".join(",".join(map(repr, row)) for row in rows.tolist())
    (tmp_path / "rows.csv").write_text(f"a,b,c,d,e\n{text}\n", encoding="utf-8")
    one, other = say(gmm, [tmp_path / "rows.npy"]), say(gmm, [tmp_path / "rows.csv"])
    assert [said["predictions"] for said in one["predictions"]] == [
        said["predictions"] for said in other["predictions"]
    ]
    assert one["predictions"][2]["file"].endswith("rows.npy[2]")
    assert other["predictions"][2]["file"].endswith("rows.csv:4")
    assert "grid.png" not in one["files"]
    both = say(gmm, [tmp_path / "rows.npy", tmp_path / "rows.csv"])
    assert both["inputs"]["classified"] == 14


def test_validation_rows_get_the_run_s_own_probabilities(gmm: Run, tmp_path: Path) -> None:
    experiment = described("{kind: gmm, source: generated, train_rows: 200}", "{kind: numpy-resnet}")
    job = assemble.job(experiment, from_environment(), lambda *_: None)
    assert job.splits.val is not None
    np.save(tmp_path / "val.npy", job.splits.val.inputs)
    learner = trained.reported(gmm, experiment, job.preparation, "cpu")
    wanted = probabilities_of(learner, learner.place(job.splits.val))
    said = say(gmm, [tmp_path / "val.npy"], top=1)["predictions"]
    assert [each["predictions"][0]["probability"] for each in said] == wanted.max(axis=1).tolist()


def test_a_bad_row_has_its_reason(tmp_path: Path) -> None:
    lines = ["1,2,3", "1,2", "1,x,3", "1,nan,3", "", "4,5,1e999", "7,8,9"]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    found = [(item.name[-7:], example) for item, example in read_rows(str(tmp_path / "a.csv"), 3, "float64")]
    assert [name for name, _ in found] == [f"a.csv:{line}" for line in (1, 2, 3, 4, 6, 7)]
    assert [example for _, example in found[1:5]] == [
        "2 fields, not 3",
        "'x' is no finite number",
        "'nan' is no finite number",
        "'1e999' is no finite number",
    ]
    assert np.asarray(found[0][1]).tolist() == [1, 2, 3]
    np.save(tmp_path / "a.npy", np.array([[1.0, np.inf], [3.0, 4.0]]))
    assert [isinstance(example, str) for _, example in read_rows(str(tmp_path / "a.npy"), 2, "float64")] == [
        True,
        False,
    ]
    np.save(tmp_path / "b.npy", np.array([[1.0, 255.0], [1.5, 0.0], [0.0, 256.0]]))
    assert [isinstance(example, str) for _, example in read_rows(str(tmp_path / "b.npy"), 2, "uint8")] == [
        False,
        True,
        True,
    ]


Damage = Callable[[Path], object]


@pytest.mark.parametrize(
    ("name", "damage", "kind", "words"),
    [
        (
            "a.npy",
            lambda path: np.save(path, np.zeros((3, 4))),
            DataError,
            r"should be numbers \(rows, 5\), got \(3, 4\)",
        ),
        ("a.npy", lambda path: np.save(path, np.zeros(5)), DataError, r"got \(5,\)"),
        ("a.npy", lambda path: np.save(path, np.array([["a"] * 5])), DataError, "got"),
        ("a.npy", lambda path: np.save(path, np.array([[{}] * 5]), allow_pickle=True), DataError, "cannot be read"),
        ("a.npy", lambda path: path.write_bytes(b"\x93NUMPY"), DataError, "cannot be read"),
        ("a.npy", lambda path: path.write_bytes(b""), DataError, "cannot be read"),
        ("a.csv", lambda path: path.write_bytes(b"\xff\xfe\x00"), DataError, "not a CSV in UTF-8"),
        ("a.jpg", lambda path: path.write_bytes(b"x"), ConfigError, "rows of 5 numbers"),
        ("a.csv", lambda path: path.mkdir(), ConfigError, "rows of 5 numbers"),
        ("a.csv", lambda path: None, DataMissing, "there is no"),
    ],
)
def test_what_holds_no_rows_is_named(
    gmm: Run, tmp_path: Path, name: str, damage: Damage, kind: type[Exception], words: str
) -> None:
    damage(tmp_path / name)
    with pytest.raises(kind, match=words):
        say(gmm, [tmp_path / name])
