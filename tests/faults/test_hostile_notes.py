"""What a run folder from a stranger says of itself leads nowhere else, and is not taken over where it is no number."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from mlhw.commands.display import Silent
from mlhw.commands.settings import from_environment
from mlhw.commands.train import train
from mlhw.config.load import parse
from mlhw.errors import MlhwError, RunError
from mlhw.runs import checkpoint, store
from tests.faults.kinds import NUMPY
from tests.faults.stranger import SHORT, copied, program


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_neither_exported_nor_begun_with(
    value: float, made: dict[str, Path], outputs: Path
) -> None:
    run = copied(made["numpy"], outputs)
    weights = checkpoint.load(run / "checkpoints" / "best.pt")
    weights["W1"][0, 0] = value
    torch.save(weights, run / "checkpoints" / "best.pt")
    assert "'W1' holds values that are not finite" in program("export", run.name)
    experiment = parse(NUMPY.encode(), "f", [*SHORT, f"train.init_from={run.name}"])
    with pytest.raises(RunError, match="not finite"):
        train(experiment, from_environment(), Silent())
    assert [path.name for path in outputs.iterdir()] == [run.name]


# -- ways out of the folder ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "note",
    [
        {"members": ["../../victim"], "place": 0, "checkpoint": "sweeps/x/stacks/0.pt"},
        {"members": ["SELF"], "place": 0, "checkpoint": "../victim/0.pt"},
        {"members": ["SELF"], "place": 0, "checkpoint": "/tmp/0.pt"},
        {"members": ["SELF"], "place": 0, "checkpoint": "sweeps/../../stacks/0.pt"},
        {"members": ["SELF", "/etc"], "place": 0, "checkpoint": "sweeps/x/stacks/0.pt"},
        {"members": ["SELF"], "place": -1, "checkpoint": "sweeps/x/stacks/0.pt"},
        {"members": "SELF", "place": 0, "checkpoint": "sweeps/x/stacks/0.pt"},
        {"members": [], "place": 0, "checkpoint": "sweeps/x/stacks/0.pt"},
    ],
)
def test_the_note_of_a_stack_leads_nowhere_else(note: dict[str, Any], made: dict[str, Path], outputs: Path) -> None:
    run = copied(made["numpy"], outputs)
    (run / "summary.json").unlink()
    shutil.copytree(run, outputs.parent / "victim")
    text = json.dumps(note).replace("SELF", run.name)
    (run / "stack.json").write_text(text, encoding="utf-8")
    before = {path: path.read_bytes() for path in (outputs.parent / "victim").rglob("*") if path.is_file()}
    assert "stack.json" in program("resume", run.name)
    assert {path: path.read_bytes() for path in (outputs.parent / "victim").rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in outputs.parent.iterdir()) == ["outputs", "victim"]


@pytest.mark.skipif(os.name == "nt", reason="links need privileges on Windows")
def test_rm_follows_no_link(made: dict[str, Path], outputs: Path, tmp_path: Path) -> None:
    outputs.mkdir()
    victim = Path(shutil.copytree(made["numpy"], tmp_path / "victim"))
    link = outputs / made["numpy"].name
    link.symlink_to(victim)
    before = sorted(path.name for path in victim.rglob("*"))
    assert "is a link to" in program("rm", "--yes", link.name)
    assert link.is_symlink()
    assert sorted(path.name for path in victim.rglob("*")) == before
    link.unlink()
    run = copied(made["numpy"], outputs)
    (run / "away").symlink_to(victim)
    program("rm", "--yes", run.name)
    assert sorted(path.name for path in victim.rglob("*")) == before
    assert not run.exists()


def test_init_from_names_a_run_and_no_path(outputs: Path) -> None:
    with pytest.raises(MlhwError, match="not a run id"):
        store.find(outputs, "../victim")
    experiment = parse(NUMPY.encode(), "f", [*SHORT, "train.init_from=../victim"])
    with pytest.raises(RunError, match="not a run id"):
        train(experiment, from_environment(), Silent())
