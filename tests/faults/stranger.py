"""Run folders of each kind, to be damaged, and the program that is given them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlhw.commands.display import Silent
from mlhw.commands.settings import from_environment
from mlhw.commands.train import train
from mlhw.config.load import parse
from tests.faults.kinds import CNN, NUMPY, TENSOR

CODES = {0, 1, 2, 3, 4, 5}
SHORT = ["train.epochs=3", "train.patience_epochs=null"]


def finished_runs(folders: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished run of each kind, in a folder of outputs of its own."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, text in {"numpy": NUMPY, "tensor": TENSOR, "cnn": CNN}.items():
            patch.setenv("MLHW_OUTPUTS", str(folders.mktemp(name)))
            run, _ = train(parse(text.encode(), name, SHORT), from_environment(), Silent(), figures=False)
            found[name] = run.path
    return found


def copied(run: Path, outputs: Path) -> Path:
    """``run`` in ``outputs``, alone."""
    shutil.rmtree(outputs, ignore_errors=True)
    return Path(shutil.copytree(run, outputs / run.name))


def program(*arguments: str) -> str:
    """What ``mlhw`` says; it ends as it is documented to, whatever it meets."""
    from mlhw.cli.app import app

    done = CliRunner().invoke(app, list(arguments))
    said = f"{done.output}{done.stderr}"
    assert done.exit_code in CODES, (arguments, said, done.exception)
    assert "This is a bug" not in said, (arguments, said)
    assert "Traceback" not in said
    assert "\x1b" not in said
    return said
