"""Every command: no colour where NO_COLOR says so, nothing on stderr with -q, colour for errors where it is wanted."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import mlhw as api
from mlhw.cli.app import app

COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
GMM, ONE = "gmm-softmax", ("-s", "train.epochs=1")
LINES = {
    "list": (),
    "train": (GMM, *ONE),
    "resume": ("latest",),
    "sweep-lr": (GMM, "--lrs", "0.1,0.2", *ONE, "--executor", "serial"),
    "sweep": (GMM, "--grid", "train.lr=0.1,0.2", *ONE, "--executor", "serial"),
    "runs": (),
    "show": ("latest",),
    "plot": ("latest",),
    "export": ("latest",),
    "rm": ("latest", "--yes"),
    "compare": ("latest", "first"),
    "evaluate": ("latest", "--split", "val"),
    "predict": ("latest", "rows.csv"),
    "report": ("latest",),
    "grade": (GMM, "--no-train"),
    "reproduce": ("latest",),
    "summary": (GMM,),
    "graph": ("a*b", "a=2", "b=3"),
    "check gradients": (GMM, "--rows", "4"),
    "check jacobians": ("peaks-net", "--rows", "4"),
    "doctor": (),
    "data list": (),
    "data fetch": ("digits",),
    "data verify": ("digits",),
    "data preview": ("digits",),
    "weights list": (),
}
ELSEWHERE = {  # they need the weights of a network, or a server of them: their own tests run them
    *("pretrained classify", "pretrained compare", "pretrained filters", "weights fetch"),
}
MAY_END = {"grade": (0, 1, 4), "doctor": (0, 1)}  # what they find is not the question here


def commands(group: Any = None, name: str = "") -> dict[str, Any]:
    """Every command by its name."""
    group = group or typer.main.get_command(app)
    found = {}
    for word, command in group.commands.items():
        whole = f"{name} {word}".strip()
        found |= commands(command, whole) if hasattr(command, "commands") else {whole: command}
    return found


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two finished runs."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLHW_OUTPUTS", str(folder))
        patch.setenv("MLHW_DATA", str(folder / "data"))  # as the tests below have it: generated rows
        for name in ("first", "second"):
            api.train(GMM, epochs=1, name=name)
    return folder


@pytest.fixture
def _in_a_folder(two_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A copy of those runs, rows to predict, and the process's handlers as they were."""
    import shutil

    shutil.copytree(two_runs, tmp_path / "outputs")
    (tmp_path / "rows.csv").write_text("0.1,0.2,0.3,0.4,0.5\n1,1,1,1,1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_every_command_is_run_here_or_said_to_be_run_elsewhere() -> None:
    assert set(LINES) | ELSEWHERE == set(commands())


@pytest.mark.usefixtures("_in_a_folder")
@pytest.mark.parametrize("name", LINES)
def test_no_colour_and_with_quiet_no_word_beside_the_result(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    quiet = any("--quiet" in parameter.opts for parameter in commands()[name].params)
    done = CliRunner().invoke(app, [*name.split(), *LINES[name], *(["-q"] if quiet else [])])
    assert done.exit_code in MAY_END.get(name, (0,)), done.output
    assert done.stdout
    assert not COLOUR.search(done.stdout + done.stderr)
    if quiet and done.exit_code == 0:
        assert done.stderr == ""


@pytest.mark.usefixtures("_in_a_folder")
def test_the_look_for_colour_finds_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert COLOUR.search(CliRunner().invoke(app, ["train", "nothing"]).stderr)
