"""A word that begins several runs: every command that takes a run lists the newest and says what would do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlhw.cli.app import app

IDS = [f"digits-cnn-2026010{day}-000000-aaaa" for day in range(1, 8)]
COMMANDS = (
    ("show",),
    ("plot",),
    ("plot", "gmm-net"),
    ("compare", "gmm-net"),
    ("compare",),
    ("report",),
    ("resume",),
    ("rm",),
    ("export",),
    ("predict", "picture.png"),
    ("evaluate",),
    ("reproduce",),
)


@pytest.fixture(autouse=True)
def outputs() -> Path:
    folder = Path(os.environ["MLHW_OUTPUTS"])
    for run_id in (*IDS, "gmm-net-20260109-000000-bbbb"):
        (folder / run_id).mkdir(parents=True)
        (folder / run_id / "config.yaml").write_text("name: x\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_newest_are_listed_with_what_would_do(outputs: Path, command: tuple[str, ...]) -> None:
    verb, *others = command
    done = CliRunner().invoke(app, [verb, "digits-cnn", *others], env={"COLUMNS": "80"})
    assert (done.exit_code, done.stdout) == (5, "")
    first, *rest = done.stderr.splitlines()
    assert first == "error: 'digits-cnn' is the beginning of 7 runs, the newest first:"
    assert [line.strip() for line in rest[:5]] == IDS[:1:-1]
    assert "2 more" in rest[5]
    assert rest[6:] == [
        "Give the whole id, a longer beginning, as digits-cnn-20260107, or `latest`, which is gmm-net-20260109-000000-bbbb."
    ]
    assert len(list(outputs.iterdir())) == 8
