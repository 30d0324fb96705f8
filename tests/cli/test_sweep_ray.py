"""`mlhw sweep --ray` on real clusters of this machine."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import mlhw
from tests.sweeps.clusters import head_with_one_core

YAML = """
name: tiny
data: {kind: digits, split_rows: 100, val_fraction: 0.2}
model: {kind: numpy-resnet}
train: {epochs: 6000, batch_size: 20, lr: 0.01}
"""
GRID = ("--grid", "train.lr=0.001,0.003,0.01,0.03", "--grid", "train.batch_size=20,40")
UNEQUAL = ("run_id", "seconds_training")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with head_with_one_core() as made:
        yield made


def table(sweep: Path) -> list[dict[str, str]]:
    """sweep.csv without what no two sweeps share."""
    with (sweep / "sweep.csv").open(encoding="utf-8", newline="") as file:
        return [{key: cell for key, cell in row.items() if key not in UNEQUAL} for row in csv.DictReader(file)]


def wait_until(true: Callable[[], bool], program: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert program.poll() is None, program.communicate()
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def started(address: str, folder: Path, *flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mlhw", "sweep", "tiny.yaml", *GRID, "--ray", address, "--json", *flags],
        cwd=folder,
        env=os.environ | {"MLHW_OUTPUTS": str(folder / "away")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_node_that_dies_in_the_middle_loses_no_trial_and_doubles_none(cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML)
    there = tmp_path / "second node"
    there.mkdir()
    node = cluster.add_node(num_cpus=1, object_store_memory=10**8, env_vars={"TMPDIR": str(there)})
    cluster.wait_for_nodes()
    program = started(cluster.address, tmp_path)
    wait_until(lambda: bool([*there.glob("mlhw-*/outputs/tiny-*/checkpoints/last.pt")]), program)
    cluster.remove_node(node, allow_graceful=False)
    out, err = program.communicate(timeout=300)
    assert program.returncode == 0, err
    assert [*there.glob("mlhw-*")], "the node's trial had ended: nothing was cut off"
    found = json.loads(out)
    runs = [trial["run_id"] for trial in found["trials"]]
    assert len(set(runs)) == 8
    assert {path.name for path in (tmp_path / "away").glob("tiny-*")} == set(runs)
    for run in runs:
        assert json.loads((tmp_path / "away" / run / "summary.json").read_text())["status"] == "done"
        shown = mlhw("show", run, "--json", MLHW_OUTPUTS=str(tmp_path / "away")).json
        assert shown["path"] == str(tmp_path / "away" / run)

    alone = mlhw("sweep", "tiny.yaml", *GRID, "--executor", "serial", "--json", cwd=tmp_path).json
    assert table(Path(found["path"])) == table(Path(alone["path"]))


@pytest.mark.skipif(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, reason="this shell ignores Ctrl+C")
def test_ctrl_c_brings_the_checkpoints_home_and_the_same_command_goes_on(cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML)
    program = started(cluster.address, tmp_path, "-q")

    def second_is_under_way() -> bool:
        done = {path.parent.name for path in tmp_path.glob("away/tiny-*/summary.json")}
        trained = cluster.temporary.glob("mlhw-*/outputs/tiny-*/checkpoints/last.pt")
        return bool(done and {path.parents[1].name for path in trained} - done)

    wait_until(second_is_under_way, program)
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=120)
    assert program.returncode == 130, err
    begun = {path.parents[1].name for path in tmp_path.glob("away/tiny-*/checkpoints/last.pt")}
    assert len(begun) >= 2, "the checkpoint of what was under way did not come home"
    out, err = started(cluster.address, tmp_path, "-q").communicate(timeout=300)
    found = json.loads(out)
    assert begun <= {trial["run_id"] for trial in found["trials"]}
    alone = mlhw("sweep", "tiny.yaml", *GRID, "--executor", "serial", "--json", cwd=tmp_path).json
    assert table(Path(found["path"])) == table(Path(alone["path"]))
    logs = [(tmp_path / "away" / run / "log.txt").read_text() for run in begun]
    assert any("start after epoch" in log and "start after epoch 0" not in log.splitlines()[-2] for log in logs)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--cpus-per-trial", "2"), "add --ray"),
        (("--ray", "auto", "--executor", "serial"), "leave one of them out"),
        (("--ray", "somewhere"), "HOST:PORT"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(flags: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(YAML)
    result = mlhw("sweep", "tiny.yaml", *GRID, *flags, cwd=tmp_path)
    assert result.code == 2
    assert said in result.err
    assert not (tmp_path / "outputs").exists()
