"""A run folder from a stranger, or one that a disk has damaged: every file of it may hold anything.

What reads it says what is wrong or makes do without; nothing runs, nothing outside is touched.
``MLHW_TEST_RUNS`` says how many folders are damaged (120 where it does not).
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from mlhw.commands.display import Silent
from mlhw.commands.settings import from_environment
from mlhw.commands.train import train
from mlhw.config.load import parse
from mlhw.errors import MlhwError, RunError
from mlhw.runs import checkpoint, store
from tests.faults.kinds import CNN, NUMPY, TENSOR
from tests.faults.mutating import cut, double, flip, insert

COUNT = int(os.environ.get("MLHW_TEST_RUNS", "120"))
SEED = int(os.environ.get("MLHW_TEST_SEED", "0"))
CODES = {0, 1, 2, 3, 4, 5}
SHORT = ["train.epochs=3", "train.patience_epochs=null"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished run of each kind, in a folder of outputs of its own."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLHW_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        for name, text in {"numpy": NUMPY, "tensor": TENSOR, "cnn": CNN}.items():
            patch.setenv("MLHW_OUTPUTS", str(tmp_path_factory.mktemp(name)))
            run, _ = train(parse(text.encode(), name, SHORT), from_environment(), Silent(), figures=False)
            found[name] = run.path
    return found


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLHW_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs"


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


# -- damage anywhere --------------------------------------------------------------------------------------------------

STRANGE: list[Any] = [
    None,
    True,
    -1,
    0,
    2**70,
    1e308,
    float("nan"),
    "",
    "x",
    "../..",
    "\x1b[2J",
    [],
    [[]],
    {},
    {"a": {}},
    ["x"],
]


def other_value(value: Any, rng: np.random.Generator) -> Any:
    """``value`` with one thing in it, however deep, replaced by something strange, or gone."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = list(value)[rng.integers(len(value))]
        if rng.random() < 0.15:
            return {name: item for name, item in value.items() if name != key}
        return value | {key: other_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = int(rng.integers(len(value)))
        return [*value[:at], other_value(value[at], rng), *value[at + 1 :]]
    if hasattr(value, "detach") and rng.random() < 0.7:
        return strange_tensor(value, rng)
    return STRANGE[rng.integers(len(STRANGE))]


def strange_tensor(value: Any, rng: np.random.Generator) -> Any:
    """``value`` of another shape, another type, or with a value that is not finite."""
    flat = value.double().flatten()
    if not len(flat):
        return torch.ones(3)
    broken = flat.clone()
    broken[0] = float("nan")
    return [flat[:1], flat, value.double()[None], broken.reshape(value.shape).to(value.dtype), value.to(torch.int8)][
        rng.integers(5)
    ]


def damage(path: Path, rng: np.random.Generator) -> None:
    """Change ``path``: its bytes, or what they say."""
    if path.suffix == ".json" and rng.random() < 0.7:
        path.write_text(json.dumps(other_value(json.loads(path.read_bytes()), rng)), encoding="utf-8")
    elif path.suffix == ".pt" and rng.random() < 0.8:
        torch.save(other_value(checkpoint.load(path), rng), path)
    else:
        data = path.read_bytes()
        path.write_bytes([flip, cut, double, insert][rng.integers(4)](data or b"x", rng))


FILES = (
    *(
        "config.yaml",
        "metrics.csv",
        "environment.json",
        "summary.json",
        "summary.json",
        "test_predictions.csv",
        "holder.json",
    ),
    *(
        "checkpoints/last.pt",
        "checkpoints/last.pt",
        "checkpoints/last.pt",
        "checkpoints/best.pt",
        "error.json",
        "stack.json",
    ),
)
OTHERS = {
    "error.json": {"kind": "TrainingDiverged", "message": "the loss became inf"},
    "stack.json": {"members": ["by-x-20260101-000000-aaaa"], "place": 0, "checkpoint": "sweeps/x/stacks/0.pt"},
}


def test_a_damaged_run_folder_is_read_as_far_as_it_goes(made: dict[str, Path], outputs: Path) -> None:
    rng = np.random.default_rng(SEED)
    for _ in range(COUNT):
        kind = list(made)[rng.integers(len(made))]
        run = copied(made[kind], outputs)
        name = FILES[rng.integers(len(FILES))]
        if name in OTHERS:
            (run / name).write_text(json.dumps(OTHERS[name]), encoding="utf-8")
        if not (run / name).exists():
            (run / name).write_text("{}", encoding="utf-8")
        try:
            damage(run / name, rng)
            unfinished = name != "summary.json" and rng.random() < 0.7
            if unfinished:
                (run / "summary.json").unlink()
            program("runs")
            program("show", run.name)
            program("compare", run.name, run.name)
            if unfinished and not (run / "config.yaml").read_bytes().count(b"0000"):  # not a billion epochs
                resume_without_figures(run.name)
            if rng.random() < 0.1:
                program("plot", run.name)
                program("export", run.name)
        except BaseException:
            logging.getLogger(__name__).warning("%s of %s: %r", name, kind, (run / name).read_bytes()[:2000])
            raise
        assert [path.name for path in outputs.iterdir() if path != run] == []
    assert sorted(path.name for path in outputs.parent.iterdir()) == ["outputs"]


def resume_without_figures(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlhw.commands.draw.draw_run", lambda *_, **__: [])
        program("resume", name, "-q")


# -- checkpoints ------------------------------------------------------------------------------------------------------


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
