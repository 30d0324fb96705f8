"""mlhw weights list, fetch: as a process with torchvision's own table, and in this one with a small file in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mlhw.cli.app import app
from mlhw.models import weights
from tests.cli.program import mlhw
from tests.datasets.server import Server
from tests.models.zoo_made import published, serving

CONTENT = b"weights" * 30_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv(weights.MIRROR, raising=False)
    folder = tmp_path / "torch/hub/checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(monkeypatch) as found:
        yield found


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_the_list_says_what_is_here_and_what_is_not(home: Path) -> None:
    known = weights.weights_file("resnet18")
    known.path.write_bytes(b"here")
    weights.weights_file("vgg16").part.write_bytes(b"in part")
    lines = [json.loads(line) for line in run("weights", "list", "--json").stdout.splitlines()]
    found = {line["model"]: line for line in lines}
    assert list(found) == list(weights.names())
    assert {name: line["status"] for name, line in found.items() if line["status"] != "missing"} == {
        "resnet18": "cached",
        "vgg16": "partial",
    }
    assert found["resnet18"] == {
        "model": "resnet18",
        "weights": "ResNet18_Weights.IMAGENET1K_V1",
        "status": "cached",
        "parameters": 11_689_512,
        "size_bytes": known.size_bytes,
        "top1": 0.69758,
        "top5": 0.89078,
        "url": known.url,
        "path": str(known.path),
    }
    table = run("weights", "list")
    assert str(home) in table.stderr
    assert str(home) not in table.stdout
    (row,) = [line.split() for line in table.stdout.splitlines() if line.startswith("resnet18 ")]
    assert row[:6] == ["resnet18", "cached", "11.7", "M", "46.8", "MB"]


def test_fetch_brings_each_once_goes_on_where_it_broke_off_and_prints_json(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = published("resnet18", CONTENT, server, monkeypatch)
    known.part.write_bytes(CONTENT[:1000])
    first = run("weights", "fetch", "resnet18", "resnet18", "--json")
    assert first.exit_code == 0
    assert json.loads(first.stdout) == {"files": [{"model": "resnet18", "path": str(known.path), "status": "fetched"}]}
    assert server.seen == [(f"/models/{known.path.name}", "bytes=1000-")]
    assert known.path.read_bytes() == CONTENT
    again = run("weights", "fetch", "resnet18")
    assert again.stdout == f"present  {known.path}\n"
    assert len(server.seen) == 1


def test_an_unknown_name_exits_2_before_anything_is_fetched(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    published("resnet18", CONTENT, server, monkeypatch)
    failed = run("weights", "fetch", "resnet18", "resent50")
    assert (failed.exit_code, failed.stdout, server.seen) == (2, "", [])
    assert "Did you mean resnet50" in failed.stderr


def test_wrong_bytes_and_offline_exit_3_and_say_what_to_do(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = weights.weights_file("squeezenet1_1")
    server.files[f"/files/{known.path.name}"] = CONTENT
    monkeypatch.setenv(weights.MIRROR, f"{server.url}/files")
    failed = run("weights", "fetch", "squeezenet1_1")
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert f"expected a sha256 that begins with {known.sha256}" in failed.stderr
    assert f"{known.url} to {known.path}" in failed.stderr
    assert [path.name for path in home.iterdir() if not path.name.endswith(".lock")] == []

    offline = mlhw("weights", "fetch", "squeezenet1_1", "vgg16", "--json", MLHW_OFFLINE="1")
    assert (offline.code, offline.out) == (3, "")
    assert "MLHW_OFFLINE=1" in offline.err
    for name in ("squeezenet1_1", "vgg16"):
        assert f"{weights.weights_file(name).url} to {weights.weights_file(name).path}" in offline.err
    assert "Traceback" not in failed.stderr + offline.err


def test_a_folder_that_cannot_be_written_exits_1_and_names_torch_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "file"))
    failed = run("weights", "fetch", "resnet18")
    assert failed.exit_code == 1
    assert "Set TORCH_HOME to a folder you may write to" in failed.stderr
