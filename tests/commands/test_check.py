"""``mlhw check`` without its printing: which experiments it takes, on what rows, in what precision, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlhw.commands import check
from mlhw.commands.point import make_point
from mlhw.commands.settings import Settings
from mlhw.config import load
from mlhw.errors import ConfigError, DataMissing, MlhwError

SMALL = """
name: mine
data: {{kind: digits, normalize: standard}}
model: {{{model}}}
train: {{epochs: 1, batch_size: 10, lr: 0.1}}
"""
MODELS = {
    "numpy-mlp": "kind: numpy-mlp, hidden_sizes: [6], dtype: float32",
    "notebook": "kind: numpy-mlp, hidden_sizes: [5], bias: input, squash_scores: true, init: uniform",
    "tensor-mlp": "kind: tensor-mlp, hidden_sizes: [6, 4], activation: relu",
    "numpy-resnet": "kind: numpy-resnet, layers: [{kind: dense, units: 5}, {kind: residual, units: 7}], dropout: 0.3",
    "digits-cnn": "kind: digits-cnn, channels: [2, 3]",
}


def quiet(what: str, done: int, total: int) -> None: ...


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data", tmp_path / "outputs", tmp_path / "cache")


def experiment(model: str, *overrides: str) -> Any:
    return load.parse(SMALL.format(model=model).encode(), "mine.yaml", overrides)


def run(kind: str, found: Any, settings: Settings, **options: Any) -> dict[str, Any]:
    how = {"rows": None, "seed": 0, "out": None, "progress": quiet} | options
    return getattr(check, kind)(found, settings, **how)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("numpy-mlp", "gradients"),
        ("notebook", "jacobians"),
        *(
            (model, kind)
            for model in ("tensor-mlp", "numpy-resnet", "digits-cnn")
            for kind in ("gradients", "jacobians")
        ),
    ],
)
def test_every_kind_of_model(model: str, kind: str, settings: Settings) -> None:
    record = run(kind, experiment(MODELS[model]), settings)
    assert record["passed"], [found for found in record["checks"] if not found["passed"]]
    tests = {found["test"] for found in record["checks"]}
    by_hand = model != "digits-cnn"
    assert ("differences" in tests) == by_hand
    assert any("nothing here is written by hand" in note for note in record["notes"]) == (not by_hand)
    assert "float64" in record["notes"]
    if kind == "jacobians":
        assert "transpose" in tests
    if by_hand:
        assert {"taylor", "autograd"} <= tests
    if model == "numpy-resnet":
        assert {"gradients": "loss with dropout", "jacobians": "dropout after 1"}[kind] in {
            found["of"] for found in record["checks"]
        }


def test_the_model_is_computed_in_float64_on_its_first_real_rows(settings: Settings) -> None:
    point = make_point(experiment(MODELS["numpy-mlp"]), settings, 5, 0, quiet)
    assert {value.dtype for value in point.learner.model.parameters.values()} == {np.dtype(np.float64)}
    assert len(point.split) == 5
    assert point.notes[0] == "the first 5 training rows of digits"


def test_the_files_hold_the_curves_and_every_entry_s_verdict(settings: Settings, tmp_path: Path) -> None:
    record = run("gradients", experiment(MODELS["numpy-mlp"]), settings, out=tmp_path / "here")
    files = {Path(file).name: Path(file) for file in record["files"]}
    assert sorted(files) == ["check.json", "taylor.png", "taylor.svg"]
    assert all(file.parent == tmp_path / "here" and file.stat().st_size > 1000 for file in files.values())
    stored = json.loads(files["check.json"].read_text(encoding="utf-8"))
    assert stored["passed"]
    assert len(stored["checks"][0]["curve"]["steps"]) == 21
    assert "curve" not in record["checks"][0]
    by_name = {found["name"]: found for found in record["checks"] if found["test"] == "differences"}
    assert by_name["W1"]["shape"] == [64, 6]
    assert by_name["W1"]["got"] == pytest.approx(by_name["W1"]["expected"], rel=1e-4, abs=1e-9)
    assert len(by_name["W1"]["entry"]) == 2


def test_without_out_a_new_folder_is_made_each_time(settings: Settings) -> None:
    found = experiment(MODELS["digits-cnn"])
    folders = {Path(run("gradients", found, settings)["files"][0]).parent for _ in range(2)}
    assert len(folders) == 2
    assert {folder.parent for folder in folders} == {settings.outputs / "checks"}
    assert all(folder.name.startswith("mine-") for folder in folders)


@pytest.mark.parametrize("name", ["mnist-mlp-notebook", "fashion-cnn"])
def test_absent_data_is_replaced_by_random_rows_of_its_shape_and_that_is_said(name: str, settings: Settings) -> None:
    found = load.load(name, ["model.hidden_sizes=[8]"] if "mlp" in name else ())
    record = run("gradients", found, settings, rows=3)
    assert record["passed"]
    assert record["notes"][0].startswith("3 random rows, since the data is not there")


def test_data_of_unknown_shape_must_be_there(settings: Settings) -> None:
    text = SMALL.format(model=MODELS["numpy-mlp"]).replace(
        "{kind: digits, normalize: standard}", "{kind: folder, path: no}"
    )
    with pytest.raises(DataMissing):
        run("gradients", load.parse(text.encode(), "mine.yaml"), settings)


@pytest.mark.parametrize(
    ("name", "text", "kind", "words"),
    [
        ("none.py", None, ConfigError, "is not there"),
        ("mine.ipynb", "{}", ConfigError, "is a notebook"),
        ("mine.py", "x = 1", ConfigError, "nothing to check"),
        ("mine.py", "def forward(x): return x / 0 + y\ndef backward(d, x): return d", MlhwError, "line 1, in forward"),
    ],
)
def test_a_file_that_cannot_be_checked(
    name: str, text: str | None, kind: type[MlhwError], words: str, settings: Settings, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(kind, match=words) as caught:
        check.own_file(
            tmp_path / name,
            settings,
            jacobians=False,
            forward=None,
            backward=None,
            seed=0,
            time_limit_seconds=20,
            out=None,
        )
    assert type(caught.value) is kind
    assert not settings.outputs.exists()
