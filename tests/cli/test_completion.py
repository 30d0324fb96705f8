"""Completion: in real shells, by the scripts that the program installs; at once, however many runs there are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlhw.models import network_names, weights
from tests.cli.program import mlhw
from tests.cli.shells import home, run_in, typing_into

SHELLS = [
    pytest.param(shell, marks=pytest.mark.skipif(not shutil.which(shell), reason=f"{shell} is not installed"))
    for shell in ("bash", "zsh", "fish")
]
RUN = "digits-cnn-20260101-000000-00aa"
OTHER = "gmm-net-20260102-000000-00bb"
SWEEP = "gmm-net-20260103-000000-00cc"


def folders(*names: str) -> Path:
    outputs = Path(os.environ["MLHW_OUTPUTS"])
    for name in names:
        (outputs / name).mkdir(parents=True)
    return outputs


def offered(line: str) -> list[str]:
    """What is offered for the last word of ``line``, as bash asks for it."""
    words = line.split(" ")
    asked = {"_MLHW_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = mlhw(**asked)  # type: ignore[arg-type]
    assert not done.err
    return done.out.split()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
@pytest.mark.parametrize("shell", SHELLS)
def test_a_key_completes_in_a_real_shell_once_completion_is_installed(shell: str, tmp_path: Path) -> None:
    folders(RUN, OTHER, f"sweeps/{SWEEP}")
    environment = home(tmp_path, shell)
    run_in(shell, "mlhw --install-completion", environment)
    with typing_into(shell, environment) as typing:
        if (
            shell == "zsh"
        ):  # Typer's script for it defines the completion at the first key, and completes from the second on
            typing.type("mlhw \t\x15")
        typing.type("mlhw train digits-cnn-n\t")  # one experiment begins so
        typing.wait_for("digits-cnn-notebook")
        typing.type("\x15mlhw show dig\t")
        typing.wait_for(RUN)
        typing.type("\x15mlhw resume lat\t")
        typing.wait_for("resume latest")
        typing.type("\x15mlhw report gmm-net-20260103\t")
        typing.wait_for(SWEEP)
        typing.type("\x15mlhw sweep numpy-mlp-n\t")
        typing.wait_for("numpy-mlp-notebook")
        typing.type("\x15mlhw pretrained classify --model squeezenet1_0\t")
        typing.wait_for("squeezenet1_0 ")
        typing.type("\x15mlhw reprod\t")
        typing.wait_for("mlhw reproduce")


def test_commands_are_offered_by_their_first_letters() -> None:
    assert offered("mlhw reprod") == ["reproduce"]
    assert {"train", "sweep", "runs", "grade", "data"} <= set(offered("mlhw "))
    assert offered("mlhw weights ") == ["list", "fetch"]


@pytest.mark.parametrize(
    "command", ["train", "sweep", "sweep-lr", "summary", "grade", "check gradients", "graph --experiment"]
)
def test_experiments_are_offered_where_one_is_asked_for(command: str) -> None:
    listed = [json.loads(line)["name"] for line in mlhw("list", "--json").out.splitlines()]
    assert offered(f"mlhw {command} ") == listed
    assert offered(f"mlhw {command} digits") == ["digits-cnn", "digits-cnn-notebook"]


@pytest.mark.parametrize("command", ["resume", "show", "plot", "export", "rm", "evaluate", "predict", "reproduce"])
def test_runs_are_offered_newest_first_where_one_is_asked_for(command: str) -> None:
    folders(RUN, OTHER, f"sweeps/{SWEEP}", "notes")
    assert offered(f"mlhw {command} ") == ["latest", OTHER, RUN]
    assert offered(f"mlhw {command} digits-cnn-2") == [RUN]


@pytest.mark.parametrize("command", ["compare", "report"])
def test_sweeps_are_offered_beside_runs(command: str) -> None:
    folders(RUN, OTHER, f"sweeps/{SWEEP}")
    assert offered(f"mlhw {command} ") == ["latest-sweep", SWEEP, "latest", OTHER, RUN]
    assert offered(f"mlhw {command} {RUN} gmm") == [SWEEP, OTHER]


def test_networks_splits_and_executors_are_offered() -> None:
    for line in ("pretrained classify --model", "pretrained filters --model", "weights fetch"):
        assert offered(f"mlhw {line} resnet1") == ["resnet101", "resnet152", "resnet18"]
    assert offered("mlhw pretrained compare --model alexnet,vgg16_") == ["alexnet,vgg16_bn"]
    assert offered("mlhw evaluate latest --split t") == ["train", "test"]
    assert offered("mlhw sweep x --executor s") == ["stack", "serial"]


def test_the_names_of_networks_read_from_files_are_those_that_torchvision_gives() -> None:
    assert network_names.names() == list(weights.names())


@pytest.mark.parametrize(
    "line", ["train dig", "show dig", "compare dig", "train digits-cnn --se", "pretrained classify --model res"]
)
def test_completion_loads_nothing_heavy_and_opens_no_file_of_a_run(line: str) -> None:
    """It has 0.3 s. What takes long is named here: the libraries, and a thousand runs' files."""
    outputs = folders(*(f"digits-cnn-20260101-{place // 60:04}{place % 60:02}-{place:04x}" for place in range(1000)))
    code = (
        "import os, sys\ntouched = []\n"
        "def hook(event, arguments):\n"
        "    if event in ('open', 'os.scandir', 'os.listdir') and str(arguments[0]).startswith(os.environ['MLHW_OUTPUTS']):\n"
        "        touched.append(event)\n"
        "sys.addaudithook(hook)\nfrom mlhw.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = ('torch', 'torchvision', 'numpy', 'pandas', 'matplotlib', 'sklearn', 'rich', 'pydantic', 'mlhw.config.schema')"
        "\n"
        "print([name for name in heavy if name in sys.modules], len(touched), file=sys.stderr)\n"
    )
    words = f"mlhw {line}"
    asked = {"_MLHW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **asked}
    )
    heavy, _, touched = done.stderr.strip().rpartition(" ")
    assert heavy == "[]"
    assert int(touched) <= 2  # the folder of runs, and that of sweeps
    assert ("digits-cnn-20260101-001639-03e7" in done.stdout.split()) is line.startswith(("show", "compare"))
    assert len(list(outputs.iterdir())) == 1000
