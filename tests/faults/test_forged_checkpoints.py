"""A checkpoint from a stranger: nothing in it runs, and what is torn or of another make is refused with the reason."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlhw.runs import checkpoint
from tests.faults.stranger import copied, program


class Evil:
    """Runs code where a pickle of it is opened."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("ran"),)


def a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Evil()))


def torch_s_own_with_code(path: Path) -> None:
    torch.save({"version": 2, "loop": [], "learner": Evil()}, path)


def the_old_format_with_code(path: Path) -> None:
    torch.save({"learner": Evil()}, path, _use_new_zipfile_serialization=False)


def another_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Evil()))
        archive.writestr("archive/version", "3\n")


def arrays(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, W1=np.ones(3))


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def not_a_number(path: Path) -> None:
    value = checkpoint.load(path)
    for name in ("parameters", "averages", "network", "averaged"):
        for tensor in value["learner"].get(name, {}).values():
            tensor.flatten()[0] = float("nan")
    torch.save(value, path)


def another_shape(path: Path) -> None:
    value = checkpoint.load(path)
    weights = value["learner"]["parameters" if "parameters" in value["learner"] else "network"]
    weights[next(iter(weights))] = torch.ones(1)
    torch.save(value, path)


def no_loop(path: Path) -> None:
    value = checkpoint.load(path)
    del value["loop"]
    torch.save(value, path)


FORGED: list[Callable[[Path], None]] = [
    *(a_pickle, torch_s_own_with_code, the_old_format_with_code, another_zip, arrays, cut_short, not_a_number),
    *(another_shape, no_loop),
]


@pytest.mark.parametrize("kind", ["numpy", "tensor", "cnn"])
@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_a_forged_checkpoint_is_refused_with_a_reason_and_nothing_runs(
    forge: Callable[[Path], None], kind: str, made: dict[str, Path], outputs: Path, tmp_path: Path
) -> None:
    run = copied(made[kind], outputs)
    (run / "summary.json").unlink()
    before = (run / "metrics.csv").read_bytes()
    forge(run / "checkpoints" / "last.pt")
    said = program("resume", run.name, "-q")
    assert "last.pt" in said
    assert "error" in said
    assert (run / "metrics.csv").read_bytes() == before
    assert not (tmp_path / "ran").exists()


def test_the_forged_pickle_would_have_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Evil()))
    assert (tmp_path / "ran").exists()
