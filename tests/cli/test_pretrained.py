"""pretrained classify and compare as a user types them: streams, exit codes, and a run that is cut off and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlhw.cli.app import app
from mlhw.cli.classified import shared_out
from mlhw.commands.pretrained import finish
from mlhw.config.load import load_pretrained_file
from tests.cli.program import mlhw
from tests.commands.pictures_made import OTHER, SMALL, draw_pictures
from tests.models.zoo_made import by_hand, saved


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """--weights for both networks."""
    folder = tmp_path_factory.mktemp("weights")
    files = [(name, saved(by_hand(name), folder / f"{name}.pth")) for name in (SMALL, OTHER)]
    return [part for name, file in files for part in ("--weights", f"{name}={file}")]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four pictures, of which one is cut off."""
    paths = draw_pictures(tmp_path / "pictures", 4)
    paths[2].write_bytes(paths[2].read_bytes()[:60])
    return tmp_path / "pictures"


def program(*arguments: str) -> Result:
    """``mlhw`` with ``arguments``, in this process."""
    return CliRunner().invoke(app, list(arguments))


def here(*arguments: str) -> Result:
    """``mlhw pretrained`` with ``arguments``, in this process."""
    return program("pretrained", *arguments)


def test_a_table_for_the_user_and_a_message_for_what_was_skipped(pictures: Path, weights: list[str]) -> None:
    done = mlhw("pretrained", "classify", str(pictures), "--model", SMALL, *weights[:2])
    assert done.code == 4
    assert "picture 000.png" in done.out
    assert "█" in done.out or "▏" in done.out
    assert "cut off" in done.out
    last = done.out.splitlines()[-1]
    assert Path(last).is_dir()
    assert last in done.err.splitlines()[0]  # where the run is comes first and last
    assert "error: 3 pictures are classified; 1 of 4 could not be used and was skipped: see the" in done.err
    assert "3 pictures classified, 1 skipped" in program("show", "latest").stdout
    assert Path(last).name in program("runs").stdout
    assert program("resume", "latest").exit_code == 0
    assert json.loads(program("rm", "latest", "--json").stdout) == {"removed": [Path(last).name]}


def test_json_is_alone_on_stdout_and_says_all(pictures: Path, weights: list[str]) -> None:
    done = here("classify", str(pictures), "--model", SMALL, *weights[:2], "--json", "--top", "2")
    assert done.exit_code == 4
    record = json.loads(done.stdout)
    assert record["pictures"] == {"found": 4, "classified": 3, "skipped": 1}
    assert [each["status"] for each in record["predictions"]] == ["ok", "ok", "skipped", "ok"]
    assert len(record["predictions"][0]["predictions"][SMALL]) == 2
    assert {"run_id", "path", "models", "seconds_classifying", "device", "signature"} <= record.keys()


def test_compare_prints_pictures_networks_and_findings(pictures: Path, weights: list[str]) -> None:
    done = here("compare", str(pictures), "--model", f"{SMALL},{OTHER}", *weights, "-q")
    assert done.exit_code == 4
    assert f"Both {SMALL} and {OTHER}" in done.stdout or f"do both {SMALL} and {OTHER}" in done.stdout
    assert "entropy" in done.stdout
    record = json.loads(here("compare", str(pictures), "--model", f"{SMALL},{OTHER}", *weights, "--json").stdout)
    assert record["findings"][0] in done.stdout
    assert record["predictions"][0]["verdict"] in ("agree", "near", "plain")


def test_many_pictures_do_not_flood_the_terminal(tmp_path: Path, weights: list[str]) -> None:
    draw_pictures(tmp_path / "pictures", 60)
    done = here("classify", str(tmp_path / "pictures"), "--model", SMALL, *weights[:2], "-q")
    assert done.exit_code == 0
    assert "… and 20 more pictures" in done.stdout
    assert "most often" in done.stdout
    assert len(done.stdout.splitlines()) < 65


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_run_that_is_stopped_says_how_to_go_on_and_loses_nothing(
    tmp_path: Path, weights: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "_draw_grids", lambda *_: None)  # a hundred pictures take seconds to draw
    draw_pictures(tmp_path / "pictures", 250)
    command = [sys.executable, "-m", "mlhw", "pretrained", "classify", str(tmp_path / "pictures"), "--model", SMALL]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, *weights[:2], "--json"], **pipes)
    rows = wait_for_rows(tmp_path / "outputs", process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    run_id = rows.parent.name
    assert f"Go on with: mlhw resume {run_id}" in err
    before = rows.read_bytes()
    assert before.count(b"\n") < 250 * 5
    done = CliRunner().invoke(app, ["resume", run_id, "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["pictures"] == {"found": 250, "classified": 250, "skipped": 0}
    assert rows.read_bytes().startswith(before)
    assert rows.read_bytes().count(b"\n") == 1 + 250 * 5


def wait_for_rows(outputs: Path, process: subprocess.Popen[Any]) -> Path:
    """The predictions.csv of the only run in ``outputs``, as soon as it has rows."""
    for _ in range(6000):
        for path in outputs.glob("*/predictions.csv"):
            if path.read_bytes().count(b"\n") > 5:
                return path
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise AssertionError("no rows within a minute")


def test_architecture_needs_no_pictures_and_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLHW_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    done = here("classify", "--architecture", "--model", "alexnet,swin_t")
    assert done.exit_code == 0
    assert "features.0" in done.stdout
    assert "61,100,840 parameters" in done.stdout
    assert "SwinTransformer(" in done.stdout  # as torch prints it
    record = json.loads(here("classify", "--architecture", "--model", SMALL, "--json").stdout)
    assert sum(layer["parameters"] for layer in record["layers"]) == record["parameters"] == 1_235_496


def test_the_config_that_is_printed_is_an_experiment(tmp_path: Path) -> None:
    done = here(
        "classify", str(tmp_path), "--experiment", "pretrained-vgg16", "-s", "pretrained.top=3", "--print-config"
    )
    (tmp_path / "mine.yaml").write_text(done.stdout, encoding="utf-8")
    experiment = load_pretrained_file(tmp_path / "mine.yaml")
    assert experiment.name == "pretrained-vgg16"
    assert experiment.pretrained.top == 3  # type: ignore[union-attr]
    again = here("classify", "--experiment", str(tmp_path / "mine.yaml"), "--print-config")
    assert again.stdout == done.stdout


def test_bad_requests_have_their_exit_codes_and_say_what_to_do(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLHW_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    three = ["compare", str(pictures)]
    for code, words, arguments in (
        (2, "Did you mean resnet18", ["classify", str(pictures), "--model", "resnt18"]),
        (2, "no picture is named", ["classify", "--model", SMALL]),
        (
            2,
            "--top 0: 'pretrained.top' should be greater than or equal to 1",
            ["classify", str(pictures), "--top", "0"],
        ),
        (2, "`mlhw weights list` has all", ["classify", str(pictures), "--model", "qqq"]),
        (2, "needs two models or more, got resnet18", ["compare", str(pictures), "--model", "resnet18"]),
        (2, "b\\xff.pth: a name that is not UTF-8", ["classify", str(pictures), "--weights", "b\udcff.pth"]),
        (2, "b\\xff.pth: a name that is not UTF-8", ["filters", "--weights", "b\udcff.pth"]),
        (2, 'b\\xff.txt": a name that is not UTF-8', ["filters", "--labels", "b\udcff.txt"]),
        (3, "there is no", ["classify", str(tmp_path / "nosuch")]),
        (3, "alexnet, vgg16, resnet18: the weights are not in", ["compare", str(pictures)]),
        (3, "there is no labels file", ["classify", str(pictures), "--labels", "nosuch.txt"]),
        (3, "there is no file of true labels", [*three, "--truth", "nosuch.csv"]),
        (3, "there is no file of weights", [*three, "--weights", "vgg16=nosuch.pth"]),
        (3, "no file of weights", ["classify", str(pictures), "--weights", "nosuch.pth"]),
    ):
        done = here(*arguments)
        assert done.exit_code == code, done.stderr
        assert words in done.stderr.replace("\n", " ")
        assert done.stdout == ""
    assert not (tmp_path / "outputs").exists()


def test_strict_is_exit_1_and_names_the_file(pictures: Path, weights: list[str]) -> None:
    done = here("classify", str(pictures), "--model", SMALL, *weights[:2], "--strict")
    assert done.exit_code == 1
    assert "picture 002.png: cut off" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="file names as bytes")
def test_a_name_on_the_command_line_that_is_not_utf_8_does_no_harm(
    tmp_path: Path, weights: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = draw_pictures(tmp_path / "pictures", 1)
    name = os.fsdecode(os.fsencode(path) + b"\xff.png")
    path.rename(name)
    monkeypatch.setattr(sys, "argv", ["mlhw", "pretrained", "classify", name])
    for arguments in (("classify", name), ("filters", "--image", name)):
        done = here(*arguments, "--model", SMALL, "--weights", weights[1].partition("=")[2], "--json")
        assert done.exit_code == 0, done.stderr
        folder = Path(json.loads(done.stdout)["path"])
        recorded = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
        assert recorded["command"][-1].endswith("\\xff.png")


def test_a_table_has_room_for_names_before_it_gives_up_its_bars() -> None:
    for room, files, names in ((43, [20, 3], [16]), (43, [60], [100]), (43, [10], [100]), (43, [100], [10])):
        longest = max(files), max(names)
        file, name = shared_out(room, ["f" * length for length in files], ["n" * length for length in names])
        assert file + name <= room
        assert (file, name) == longest if sum(longest) <= room else file + name == room
        assert min(file, longest[0], 21) == min(longest[0], 21)  # neither takes the other's half
        assert min(name, longest[1], 21) == min(longest[1], 21)
