"""Files of weights of every kind, good and bad."""

from __future__ import annotations

import os
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mlhw.errors import DataError, DataMissing
from mlhw.models.weights import weights_file
from tests.models.zoo_made import SMALL, assert_same, by_hand, load, saved

EVENTS: list[str] = []


def test_old_files_safetensors_wrappers_prefixes_and_half_precision(small: nn.Module, tmp_path: Path) -> None:
    state, path = small.state_dict(), tmp_path / "w.pth"
    old = saved(small, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(old)
    assert_same(load(SMALL, old), small)

    save_file(state, tmp_path / "w.safetensors")
    assert_same(load(SMALL, tmp_path / "w.safetensors"), small)

    for key in ("state_dict", "model"):
        torch.save({"epoch": 3, key: nn.DataParallel(small).state_dict()}, path)
        network = load(SMALL, path)
        assert network.source == f"{path}, its '{key}', without the prefix 'module.'"
        assert_same(network, small)

    torch.save({key: value.half() for key, value in state.items()}, path)
    network = load(SMALL, path)
    assert network.source == f"{path}, float16 made float32"
    assert {value.dtype for value in network.module.parameters()} == {torch.float32}


@pytest.mark.parametrize("how", ["safetensors", "plain", "parallel"])
def test_what_versions_of_layers_need_is_found_or_made(how: str, tmp_path: Path) -> None:
    """MNASNet will not load without its version, which neither safetensors nor a plain dictionary keeps."""
    module, path = by_hand("mnasnet0_5"), tmp_path / f"w.{how}"
    if how == "safetensors":
        save_file(module.state_dict(), path)
    elif how == "plain":
        torch.save({key: value for key, value in module.state_dict().items() if "num_batches" not in key}, path)
    else:
        saved(nn.DataParallel(module), path)
    assert_same(load("mnasnet0_5", path), module)


def test_the_first_edition_of_mnasnet_is_still_read(tmp_path: Path) -> None:
    """A file of version 1 makes the network exchange its first layers while it loads."""
    module = by_hand("mnasnet0_5")
    state = module.state_dict()
    state._metadata[""]["version"] = 1
    with pytest.warns(UserWarning, match="previous version"), pytest.raises(RuntimeError, match="size mismatch"):
        module.load_state_dict(state)
    assert_same(load("mnasnet0_5", saved(module.eval(), tmp_path / "w.pth")), module)


def test_misfits_are_listed_both_ways(small: nn.Module, tmp_path: Path) -> None:
    state = dict(small.state_dict())
    state["features.0.weight"] = state["features.0.weight"][:, :1]
    state["extra.bias"] = torch.zeros(2)
    del state["classifier.1.bias"], state["features.3.squeeze.weight"]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(DataError) as caught:
        load(SMALL, tmp_path / "w.pth")
    for part in (
        f"{tmp_path / 'w.pth'} does not fit {SMALL}",
        "2 missing: features.3.squeeze.weight, classifier.1.bias",
        "1 not known: extra.bias",
        "1 of another shape: features.0.weight (64, 1, 3, 3) for (64, 3, 3, 3)",
    ):
        assert part in str(caught.value)
    assert caught.value.exit_code == 3


def test_weights_of_another_network_and_odd_values_are_refused(small: nn.Module, file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"102 missing: conv1.weight, .* and 96 more; 52 not known: features.0.weight"):
        load("resnet18", file)
    for key, value, says in (
        ("features.0.bias", "words", "a str for \\(64,\\)"),
        ("features.0.bias", torch.zeros(64, dtype=torch.int64), "should be float32 numbers, are int64"),
        ("features.0.bias", torch.zeros(64).to_sparse(), "are float32 sparse_coo"),
        ("features.0.bias", torch.zeros(64, device="meta"), "shapes without numbers"),
        ("features.0.bias", torch.full((64,), torch.nan), "NaN or infinity in features.0.bias"),
        ("features.3.squeeze.weight", torch.full((16, 64, 1, 1), -torch.inf), "NaN or infinity in features.3.squeeze"),
    ):
        torch.save(small.state_dict() | {key: value}, tmp_path / "w.pth")
        with pytest.raises(DataError, match=says):
            load(SMALL, tmp_path / "w.pth")


def run_code(what: str) -> None:
    EVENTS.append(what)


class Evil:
    """Runs code where a pickle of it is opened."""

    def __reduce__(self) -> Any:
        return run_code, ("opened",)


def test_what_could_run_code_is_refused_and_not_run(small: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    for new in (True, False):
        torch.save({"state_dict": small.state_dict(), "a": Evil()}, path, _use_new_zipfile_serialization=new)
        with pytest.raises(DataError, match="refused, and nothing of it was run"):
            load(SMALL, path)
        torch.save(small, path, _use_new_zipfile_serialization=new)
        with pytest.raises(DataError, match=r"holds torchvision.models.squeezenet.SqueezeNet, not tensors"):
            load(SMALL, path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match="plain Python pickle"):
        load(SMALL, path)
    assert EVENTS == []
    pickle.loads(path.read_bytes())
    assert EVENTS == ["opened"], "the files above would have done nothing"
    EVENTS.clear()


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("part", [0.0, 0.00001, 0.001, 0.5, 0.9999])
def test_a_file_cut_off_anywhere_is_refused(small: nn.Module, tmp_path: Path, new: bool, part: float) -> None:
    path = saved(small, tmp_path / "w.pth", _use_new_zipfile_serialization=new)
    os.truncate(path, int(path.stat().st_size * part))
    with pytest.raises(DataError, match=r"empty file|cut off|not a file of weights"):
        load(SMALL, path)


def test_what_is_no_file_of_weights_is_refused_with_a_reason(small: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    for content, says in (
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not a file of weights"),
        (b"\x00" * 500, "not a file of weights"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=says):
            load(SMALL, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read.me", "no weights")
    with pytest.raises(DataError, match=r"cut off, damaged or not a file of torch\.save"):
        load(SMALL, path)
    for value, says in (
        ([1, 2], "but one list"),
        ({}, "an empty dictionary"),
        ({"epoch": 1, "lr": 0.1}, "epoch, lr"),
    ):
        torch.save(value, path)
        with pytest.raises(DataError, match=says):
            load(SMALL, path)
    save_file(small.state_dict(), tmp_path / "cut.safetensors")
    os.truncate(tmp_path / "cut.safetensors", 100_000)
    with pytest.raises(DataError, match="damaged safetensors"):
        load(SMALL, tmp_path / "cut.safetensors")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        load(SMALL, tmp_path)
    with pytest.raises(DataMissing, match=r"no file of weights .*nowhere"):
        load(SMALL, tmp_path / "nowhere")


def test_torchvision_s_own_weights_are_found_where_torch_keeps_them(small: nn.Module, home: Path) -> None:
    known = weights_file(SMALL)
    with pytest.raises(DataMissing, match=re.escape(f"{known.url} to {known.path}")):
        load(SMALL)
    saved(small, known.path)
    network = load(SMALL)
    assert_same(network, small)
    assert network.source == f"torchvision SqueezeNet1_1_Weights.IMAGENET1K_V1: {known.path}"
    os.truncate(known.path, 1000)
    with pytest.raises(DataError, match=r"cut off.* not the pinned hash .*`mlhw weights fetch squeezenet1_1`"):
        load(SMALL)
