"""Checkpoints come back bit for bit, run no code, and say what is wrong with a file that is none."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from mlhw.errors import OutputError, RunError
from mlhw.runs import checkpoint


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("ran"),))  # type: ignore[return-value]


def test_values_come_back(tmp_path: Path) -> None:
    value = {
        "a": np.arange(6, dtype=np.float64).reshape(2, 3),
        "b": torch.ones(2),
        "c": [1, 2.5, "x", None, True, 2**100],
        "d": {},
    }
    checkpoint.save(tmp_path / "c.pt", value)
    back = checkpoint.load(tmp_path / "c.pt")
    assert torch.equal(back["a"], torch.from_numpy(value["a"]))
    assert back["c"] == value["c"]
    assert checkpoint.to_arrays(back)["a"].dtype == np.float64


def test_scalars_keep_their_shape(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "c.pt", {"n": np.array(3)})
    assert checkpoint.load(tmp_path / "c.pt")["n"].shape == ()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"\x80\x02.", pickle.dumps(Evil())])
def test_what_is_no_checkpoint_is_refused_and_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.pt").write_bytes(content)
    with pytest.raises(RunError, match=r"c\.pt"):
        checkpoint.load(tmp_path / "c.pt")
    assert not (tmp_path / "ran").exists()


def test_a_failed_write_leaves_the_old_checkpoint_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.pt"
    checkpoint.save(path, {"n": 1})

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"c\.pt.*No space left.*takes [0-9,]{5} bytes, and [0-9,]+ are free"):
        checkpoint.save(path, {"n": 2})
    monkeypatch.undo()
    assert checkpoint.load(path) == {"n": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.pt"]
