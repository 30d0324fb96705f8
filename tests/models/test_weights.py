"""torchvision's table of weights, and their way to this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from mlhw.datasets import download
from mlhw.errors import ConfigError, DataError, DataMissing, OutputError
from mlhw.models import weights
from mlhw.models.weights import WeightsFile
from tests.datasets.server import Server
from tests.models.zoo_made import published, serving

CONTENT = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def _no_mirror(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(weights.MIRROR, raising=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(monkeypatch) as found:
        yield found


@pytest.fixture
def file(server: Server, monkeypatch: pytest.MonkeyPatch) -> WeightsFile:
    return published("resnet18", CONTENT, server, monkeypatch)


def bring(file: WeightsFile, *, offline: bool = False) -> str:
    path, status = weights.fetch(file, offline=offline, wait_seconds=0.0)
    assert path.read_bytes() == CONTENT
    assert not file.part.exists()
    return status


def test_every_classification_network_has_a_file_with_a_pinned_hash() -> None:
    assert {"alexnet", "vgg16", "resnet18", "squeezenet1_0", "vit_h_14"} <= set(weights.names())
    assert not [name for name in weights.names() if "quantized" in name or "rcnn" in name or "deeplab" in name]
    for name in weights.names():
        found, meta = weights.weights_file(name), weights.default_weights(name).meta
        assert re.fullmatch("[0-9a-f]{8,}", found.sha256)
        assert found.url.endswith(f"-{found.sha256}.pth")
        assert len(meta["categories"]) == 1000
        assert 0.5 < found.top1 < found.top5 < 1
        assert found.size_bytes > 3.9 * found.parameters  # EfficientNet's and others' also hold statistics


def test_the_course_s_three_are_the_first_edition_of_their_weights() -> None:
    for name in ("alexnet", "vgg16", "resnet18"):
        chosen = weights.default_weights(name)
        assert chosen is type(chosen).IMAGENET1K_V1


def test_the_table_builds_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr(nn.Module, "__init__", never)
    from mlhw.commands.weights import list_weights

    assert len(list_weights()) == len(weights.names())
    with pytest.raises(AssertionError, match="was built"):
        torchvision.models.squeezenet1_1()


def test_an_unknown_network_is_told_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean resnet18"):
        weights.weights_file("resnet-18")


def test_files_lie_where_torch_looks(home: Path) -> None:
    assert weights.folder() == home == Path(torch.hub.get_dir()) / "checkpoints"


def test_a_file_is_fetched_once(file: WeightsFile, server: Server) -> None:
    told: list[tuple[str, int, int]] = []
    weights.fetch(file, offline=False, progress=lambda *args: told.append(args))
    assert told[-1] == (file.path.name, len(CONTENT), len(CONTENT))
    assert bring(file) == "present"
    assert bring(file, offline=True) == "present"
    assert len(server.seen) == 1


def test_a_download_goes_on_where_it_broke_off(file: WeightsFile, server: Server) -> None:
    server.faults[f"/models/{file.path.name}"] = ["break"] * download.ATTEMPTS
    with pytest.raises(DataMissing, match="broke off"):
        weights.fetch(file, offline=False, wait_seconds=0.0)
    have = file.part.stat().st_size
    assert 0 < have < len(CONTENT)
    assert bring(file) == "fetched"
    assert server.seen[-1] == (f"/models/{file.path.name}", f"bytes={have}-")


def test_wrong_bytes_are_refused_and_not_kept(file: WeightsFile, server: Server) -> None:
    server.faults[f"/models/{file.path.name}"] = ["wrong", "wrong"]
    with pytest.raises(DataError, match=f"expected a sha256 that begins with {file.sha256}, got") as caught:
        weights.fetch(file, offline=False, wait_seconds=0.0)
    assert not isinstance(caught.value, DataMissing)
    assert not file.path.exists()
    assert not file.part.exists()


def test_a_damaged_file_is_replaced_only_by_a_whole_one(file: WeightsFile, server: Server) -> None:
    file.path.write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"got .* \(7 bytes\), and MLHW_OFFLINE=1 forbids"):
        weights.fetch(file, offline=True)
    server.faults[f"/models/{file.path.name}"] = ["html"]
    with pytest.raises(DataMissing, match="web page"):
        weights.fetch(file, offline=False, wait_seconds=0.0)
    assert file.path.read_bytes() == b"damaged"
    assert bring(file) == "fetched"


def test_a_mirror_takes_the_place_of_torchvision_s_address(
    file: WeightsFile, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files[f"/mirror/{file.path.name}"] = CONTENT
    monkeypatch.setenv(weights.MIRROR, f"{server.url}/mirror/")
    assert bring(file) == "fetched"
    assert [path for path, _ in server.seen] == [f"/mirror/{file.path.name}"]


def test_offline_names_every_file_its_address_and_its_place(file: WeightsFile, server: Server, home: Path) -> None:
    other = weights.weights_file("vgg16")
    with pytest.raises(DataMissing, match="MLHW_OFFLINE=1") as caught:
        weights.require([file, other])
    for known in (file, other):
        assert f"{known.url} to {home / known.path.name}" in str(caught.value)
    with pytest.raises(DataMissing, match="MLHW_OFFLINE=1"):
        weights.find(file, offline=True)
    assert (caught.value.exit_code, server.seen) == (3, [])


def test_an_unreachable_server_names_file_address_and_place(file: WeightsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(weights.MIRROR, "http://127.0.0.1:9")
    with pytest.raises(DataMissing, match="no connection") as caught:
        weights.fetch(file, offline=False, wait_seconds=0.0)
    assert f"{file.url} to {file.path}" in str(caught.value)


def test_a_folder_that_cannot_be_written_names_torch_home(
    file: WeightsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    inside = replace(file, path=tmp_path / "file/hub/checkpoints" / file.path.name)
    with pytest.raises(OutputError, match="Set TORCH_HOME to a folder you may write to"):
        weights.fetch(inside, offline=False)
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(OutputError, match=r"\.part: No space left.*set TORCH_HOME to another disk"):
        weights.fetch(file, offline=False)


def test_a_file_far_larger_than_announced_is_refused(file: WeightsFile) -> None:
    with pytest.raises(DataMissing, match=r"more than the .* bytes allowed"):
        weights.fetch(replace(file, size_bytes=-weights.MEBIBYTE), offline=False)


def test_what_is_there_is_taken_without_a_look_at_its_hash(file: WeightsFile, server: Server) -> None:
    file.path.write_bytes(b"put there by hand")
    assert weights.find(file, offline=False) == file.path
    assert server.seen == []
