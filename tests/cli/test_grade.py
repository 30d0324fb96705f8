"""grade, through the program itself."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.program import Result, mlhw

YAML = """\
name: {name}
data: {{kind: digits}}
model: {{kind: digits-cnn, channels: [2, 2]}}
train: {{epochs: {epochs}, batch_size: 100, lr: {lr}}}
threads: 1
expect:
  parameters: "< 2000"
  test_accuracy: "{accuracy}"
  files: [plots/curves.png, log.txt]
  points: {{test_accuracy: 2, parameters: 1}}
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with experiments: one that is easy, one that asks too much, one that never ends, one that is none."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "experiments").mkdir()
    made = {
        "easy": YAML.format(name="easy", epochs=1, lr=0.1, accuracy=">= 0.01"),
        "hard": YAML.format(name="hard", epochs=1, lr=0.1, accuracy=">= 0.9999"),  # the same run as easy
        "endless": YAML.format(name="endless", epochs=1_000_000, lr=0.1, accuracy=">= 0.9"),
        "large": YAML.format(name="large", epochs=1, lr=0.1, accuracy=">= 0.9").replace("[2, 2]", "[64, 64]"),
        "broken": "name: [",
        "free": YAML.format(name="free", epochs=1, lr=0.1, accuracy=">= 0.9").partition("expect:")[0],
    }
    for name, text in made.items():
        (folder / "experiments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def grade(course: Path, *arguments: str) -> Result:
    return mlhw("grade", *arguments, cwd=course, MLHW_OUTPUTS=str(course / "outputs"))


@pytest.fixture(scope="module")
def trained(course: Path) -> Result:
    """Four experiments of which one cannot be and one takes too long."""
    return grade(course, "large", "easy", "hard", "endless", "--timeout", "8", "--json", "--junit", "out/grade.xml")


def test_one_that_fails_and_one_that_takes_too_long_do_not_hide_the_others(course: Path, trained: Result) -> None:
    assert trained.code == 1
    entries = {entry["name"]: entry for entry in trained.json["entries"]}
    assert {name: entry["outcome"] for name, entry in entries.items()} == {
        "large": "fail",
        "endless": "fail",
        "easy": "pass",
        "hard": "fail",
    }
    reasons = {name: entry["lines"][0]["reason"] for name, entry in entries.items()}
    assert "expect.parameters says < 2000" in reasons["large"]
    assert "not finished after 8 s" in reasons["endless"]
    assert "mlhw resume endless-" in reasons["endless"]
    assert [line["outcome"] for line in entries["hard"]["lines"]] == ["pass", "pass", "fail", "pass"]
    assert [line["outcome"] for line in entries["large"]["lines"]] == ["fail", "not run", "not run", "not run"]
    assert (trained.json["points"], trained.json["points_of"]) == (4, 12)
    assert sorted(path.name.partition("-")[0] for path in (course / "outputs").iterdir()) == ["easy", "endless"]
    suites = ElementTree.fromstring((course / "out" / "grade.xml").read_text(encoding="utf-8")).findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["large", "easy", "hard", "endless"]


def test_what_is_finished_is_not_trained_again(course: Path, trained: Result) -> None:
    before = sorted((course / "outputs").iterdir())
    again = grade(course, "easy", "hard", "--md")
    assert again.code == 1
    assert sorted((course / "outputs").iterdir()) == before
    assert "| easy | run |  | easy-2" in again.out
    assert "| test_accuracy | >= 0.9999 |" in again.out
    assert "training" not in again.err
    easy = grade(course, "easy")
    assert easy.code == 0
    assert "4 passed; 3 of 3 points" in easy.out
    assert len([line for line in easy.out.splitlines() if line.startswith("  pass ")]) == 4


def test_what_expects_nothing_is_neither_trained_nor_passed(course: Path, trained: Result) -> None:
    before = sorted((course / "outputs").iterdir())
    done = grade(course, "free", "--junit", "out/free.xml")
    assert done.code == 4
    assert "nothing to hold it to" in done.out
    assert "pass" not in done.out
    assert "nothing is expected of it: free. Add `expect:`" in done.err
    assert sorted((course / "outputs").iterdir()) == before
    assert '<testsuite name="free" tests="0"' in (course / "out" / "free.xml").read_text(encoding="utf-8")
    both = grade(course, "easy", "free", "--md")
    assert both.code == 4
    assert "4 passed; 3 of 3 points; 1 of 2 with nothing to hold to" in both.out
    assert "| free | | | | not run | | nothing to hold it to: its YAML has no \\`expect:\\` |" in both.out
    record = grade(course, "easy", "free", "--json").json
    assert [(entry["outcome"], len(entry["lines"])) for entry in record["entries"]] == [("pass", 4), ("not run", 0)]
    assert record["passed"] == 4


def test_without_names_everything_is_looked_at_and_nothing_trained(course: Path, trained: Result) -> None:
    before = sorted((course / "outputs").iterdir())
    done = grade(course, "--json")
    assert done.code == 1
    entries = {entry["name"]: entry for entry in done.json["entries"]}
    assert "not valid YAML" in entries["broken"]["lines"][0]["reason"]
    assert entries["easy"]["outcome"] == "pass"
    assert entries["mnist-mlp"]["outcome"] == "not run"
    assert "gmm-networks" not in entries  # expects nothing
    assert sorted((course / "outputs").iterdir()) == before


def test_no_train_says_not_run_and_exits_4(course: Path) -> None:
    done = grade(course, "--no-train", "mnist-mlp")
    assert done.code == 4
    assert "not run  test_accuracy (expected >= 0.975): there is no finished run" in done.out
    other = grade(course, "--no-train", "easy", "-s", "seed.init=7")  # another signature
    assert other.code == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "no experiment named 'nothing'"),
        (["easy", "--json", "--md"], "exclude each other"),
        (["--against", "easy"], "--against needs --submission"),
        (["easy", "--submission", "."], "does not go with --submission"),
        (["--submission", "nowhere"], "there is no such folder"),
        (["-s", "train.lr=1"], "name those that it is for"),
        (["--submission", ".", "-s", "train.lr=1"], "-s needs --against"),
        (["easy", "--junit", "."], "is a folder"),
        (["broken"], "not valid YAML"),
    ],
)
def test_usage_is_faulted_before_any_work(course: Path, arguments: list[str], words: str) -> None:
    done = grade(course, *arguments)
    assert done.code == 2
    assert words in " ".join(done.err.split())
    assert not done.out


def test_hand_ins_become_one_csv_and_one_page(course: Path, trained: Result, tmp_path: Path) -> None:
    runs = {path.name.partition("-")[0]: path for path in (course / "outputs").iterdir()}
    folder = tmp_path / "hand-ins"
    for name, run in (("anna", "easy"), ("=bertil", "easy")):
        (folder / name).mkdir(parents=True)
        for file in (
            "config.yaml",
            "metrics.csv",
            "summary.json",
            "checkpoints/best.pt",
            "plots/curves.png",
            "log.txt",
        ):
            target = folder / name / "run" / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((runs[run] / file).read_bytes())
    config = folder / "=bertil" / "run" / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("name: easy", "name: hard"), encoding="utf-8")
    out = tmp_path / "grades"
    done = grade(course, "--submission", str(folder), "--out", str(out), "--jobs", "1")
    assert done.code == 1
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[1][:4] == ["=bertil", "fail", "4/5", "1/3"]
    assert ["anna", "pass", "5/5", "3/3"] in lines
    assert "1 of 2 passed every line; 2 of 3 points on average" in done.out
    rows = list(csv.DictReader(io.StringIO((out / "grades.csv").read_text(encoding="utf-8-sig"))))
    assert [(row["name"], row["outcome"]) for row in rows] == [("'=bertil", "fail"), ("anna", "pass")]
    assert rows[1]["test_accuracy"] == "pass"
    record = json.loads((out / "grades.json").read_text(encoding="utf-8"))
    assert record["files"] == {kind: str(out / f"grades.{kind}") for kind in ("csv", "html", "json")}
    assert "=bertil" in (out / "grades.html").read_text(encoding="utf-8")
    taken = grade(course, "--submission", str(folder), "--out", str(out))
    assert taken.code == 1
    assert "already has grades.csv" in taken.err


def test_looking_loads_nothing_heavy(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys\nfrom mlhw.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([n for n in ('torch', 'pandas', 'matplotlib', 'sklearn') if n in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "grade", "--no-train", "mnist-mlp"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"
