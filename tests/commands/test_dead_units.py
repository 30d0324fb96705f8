"""Dead ReLU units: those that were planted are found, in every kind of network, and none where units cannot die so."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mlhw.arrays import Batch, Split
from mlhw.cli.runs import show
from mlhw.commands.dead_units import dead_units
from mlhw.learners.autograd import AutogradLearner
from mlhw.learners.explicit import ExplicitLearner
from mlhw.learners.fused import FusedSgd
from mlhw.models import digits_cnn, grocery_cnn, numpy_mlp, numpy_resnet, tensor_mlp
from mlhw.numerics.optimisers import Sgd
from tests import made
from tests.cli.program import mlhw

TRAIN = made.blobs(200)
LAYERS = [{"kind": "dense", "units": 9}, {"kind": "residual", "units": 7}]


def explicit(model: Any, average_decay: float | None = None) -> ExplicitLearner:
    return ExplicitLearner(model, Sgd(), 0.1, made.UNIT, average_decay)


def module(build: Callable[[], nn.Module], average_decay: float | None = None) -> AutogradLearner:
    rule = lambda network: FusedSgd()  # noqa: E731
    return AutogradLearner(build, rule, lr=0.1, scaling=made.UNIT, seed=0, average_decay=average_decay)


def mlp(build: Callable[..., Any], activation: str = "relu", **how: Any) -> ExplicitLearner:
    return explicit(build(**made.SHAPE, seed=0, hidden_sizes=(9, 8), activation=activation, init="he", **how))


def sequence(*activations: nn.Module) -> AutogradLearner:
    parts = [nn.Conv2d(1, 9, 3), nn.Conv2d(9, 8, 3)]
    layers = [part for pair in zip(parts, activations, strict=True) for part in pair]
    return module(lambda: nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, 4)))


# By name: a learner, its layers with ReLU and their widths, and the biases that make units of those layers die.
CASES: dict[str, tuple[Callable[[], Any], dict[str, int], dict[str, str]]] = {
    "numpy-mlp": (
        lambda: mlp(numpy_mlp.build),
        {"layer 1": 9, "layer 2": 8},
        {"layer 1": "b1", "layer 2": "b2"},
    ),
    "numpy-squashed": (
        lambda: mlp(numpy_mlp.build, squash_scores=True),
        {"layer 1": 9, "layer 2": 8, "layer 3": 4},
        {"layer 1": "b1", "layer 3": "b3"},
    ),
    "tensor-mlp": (
        lambda: mlp(tensor_mlp.build),
        {"layer 1": 9, "layer 2": 8},
        {"layer 1": "b1", "layer 2": "b2"},
    ),
    "numpy-resnet": (
        lambda: explicit(numpy_resnet.build(**made.SHAPE, seed=0, layers=LAYERS, activation="relu", dropout=0.3)),
        {"layer 1": 9, "layer 2": 7},
        {"layer 1": "b1", "layer 2": "b2"},
    ),
    "module": (lambda: sequence(nn.ReLU(), nn.ReLU(inplace=True)), {"layer 1": 9, "layer 3": 8}, {"layer 1": "0.bias"}),
    "batch-norm": (
        lambda: module(lambda: grocery_cnn.build(**made.SHAPE, stages=((4, 1, 2, 1),), squeeze_excitation=False)),
        {"layer 2": 16, "layer 3.path.2": 32, "layer 3.path.5": 32},
        {"layer 2": "1.bias", "layer 3.path.5": "3.path.4.bias"},
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Any, dict[str, int], dict[str, str]]:
    make, widths, biases = CASES[request.param]
    return alive(make()), widths, biases


def alive(learner: Any) -> Any:
    """``learner`` with weights above 0 alone: so is every output, since no pixel is below 0."""
    learner.adopt({name: np.abs(value) for name, value in learner.parameters().items()})
    return learner


def plant(learner: Any, bias: str, units: Any, value: float = -1e6) -> None:
    parameters = learner.parameters()
    parameters[bias][units] = value
    learner.adopt(parameters)


def found(learner: Any, train: Split = TRAIN) -> dict[str, list[int]]:
    return {layer["layer"]: layer["indices"] for layer in dead_units(learner, learner.place(train))}


def test_living_units_are_not_called_dead(case: Any) -> None:
    learner, widths, _ = case
    report = dead_units(learner, learner.place(TRAIN))
    assert [(layer["layer"], layer["units"], layer["dead"], layer["indices"]) for layer in report] == [
        (name, width, 0, []) for name, width in widths.items()
    ]


def test_planted_units_are_found_and_no_other(case: Any) -> None:
    learner, widths, biases = case
    for bias in biases.values():
        plant(learner, bias, [1, 3])
    assert found(learner) == {layer: [1, 3] if layer in biases else [] for layer in widths}


def test_one_row_of_all_is_enough_to_live(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlhw.commands.dead_units.score_rows", lambda split: 16)
    learner, _, biases = case
    (layer, bias), *_ = biases.items()
    placed, start = learner.place(TRAIN), learner.parameters()[bias][1]
    reached = np.array([learner.relu_maxima(placed.model_inputs(row, row + 1))[layer][1] for row in range(len(TRAIN))])
    order = np.argsort(reached)
    plant(learner, bias, 1, start - reached[order[-2:]].mean())  # between the first and the second
    assert 1 not in found(learner)[layer]
    rest = np.delete(np.arange(len(TRAIN)), order[-1])
    assert 1 in found(learner, Split(TRAIN.inputs[rest], TRAIN.targets[rest], TRAIN.class_names))[layer]


@pytest.mark.parametrize("activation", ["leaky-relu", "elu", "tanh", "sigmoid"])
@pytest.mark.parametrize("build", [numpy_mlp.build, tensor_mlp.build], ids=["numpy", "tensor"])
def test_other_units_do_not_die_so(build: Callable[..., Any], activation: str) -> None:
    learner = mlp(build, activation)
    plant(learner, "b1", [1, 3])
    assert dead_units(learner, learner.place(TRAIN)) == []
    layers = explicit(numpy_resnet.build(**made.SHAPE, seed=0, layers=LAYERS, activation=activation))
    plant(layers, "b2", [1, 3])
    assert dead_units(layers, layers.place(TRAIN)) == []


def test_other_units_of_modules_do_not_die_so() -> None:
    learner = sequence(nn.LeakyReLU(), nn.ELU())
    plant(learner, "0.bias", [1, 3])
    assert dead_units(learner, learner.place(TRAIN)) == []


def test_the_weights_that_are_reported_decide_not_those_in_training() -> None:
    for learner, bias in (
        (explicit(numpy_mlp.build(**made.SHAPE, seed=0, activation="relu"), 0.9), "b1"),
        (module(lambda: digits_cnn.build(**made.SHAPE), 0.9), "0.bias"),
    ):
        parameters = alive(learner).parameters()
        averages = learner.averages if isinstance(learner, ExplicitLearner) else learner.averaged.state_dict()
        averages[bias][[1, 3]] = -1e3
        assert next(iter(found(learner).values())) == [1, 3]
        assert parameters[bias][1] != -1e3  # what it was, and in training still is


def test_a_channel_is_dead_only_where_it_is_dead_everywhere() -> None:
    learner = sequence(nn.ReLU(), nn.ReLU())
    parameters = learner.parameters()
    parameters["0.weight"][:] = 0.0
    parameters["0.weight"][0, 0, 0, 0] = 1.0  # channel 0 sees one pixel, all others nothing
    parameters["0.bias"][:] = -0.5
    learner.adopt(parameters)
    dark = Split(np.zeros((40, 8, 8, 1), np.uint8), np.zeros(40, np.int64), TRAIN.class_names)
    assert found(learner, dark)["layer 1"] == list(range(9))
    dark.inputs[17, 5, 2, 0] = 255
    assert found(learner, dark)["layer 1"] == list(range(1, 9))


def test_a_relu_that_serves_twice_is_told_apart() -> None:
    relu = nn.ReLU()
    learner = alive(sequence(relu, relu))
    plant(learner, "2.bias", [2])
    assert found(learner) == {"layer 1": [], "layer 1 again": [2]}


def test_at_most_twenty_are_listed_and_all_are_counted() -> None:
    learner = explicit(numpy_mlp.build(**made.SHAPE, seed=0, hidden_sizes=(50,), activation="relu", init="he"))
    plant(learner, "b1", slice(None))
    (layer,) = dead_units(learner, learner.place(TRAIN))
    assert (layer["units"], layer["dead"], layer["indices"]) == (50, 50, list(range(20)))
    json.dumps(layer)


def test_the_pass_ends_once_every_unit_was_seen_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlhw.commands.dead_units.score_rows", lambda split: 16)
    learner, calls = alive(mlp(numpy_mlp.build)), []
    maxima = learner.relu_maxima
    monkeypatch.setattr(learner, "relu_maxima", lambda inputs: calls.append(len(inputs)) or maxima(inputs))
    dead_units(learner, learner.place(TRAIN))
    assert calls == [16]
    plant(learner, "b1", [1])
    calls.clear()
    dead_units(learner, learner.place(TRAIN))
    assert sum(calls) == len(TRAIN)


def test_hooks_are_there_during_the_call_alone_even_when_it_fails() -> None:
    learner = module(lambda: digits_cnn.build(**made.SHAPE))
    before = copy.deepcopy(learner.network.state_dict())
    learner.relu_maxima(learner.place(TRAIN).model_inputs())
    with pytest.raises(RuntimeError):
        learner.relu_maxima(torch.zeros(3, 5, 5, 1, dtype=torch.uint8))
    assert not any(part._forward_hooks for part in learner.network.modules())
    assert all(torch.equal(value, before[name]) for name, value in learner.network.state_dict().items())


def test_a_unit_that_is_dead_gets_no_gradient() -> None:
    """What the report is for: the planted unit's weights do not move any more."""
    learner = mlp(numpy_mlp.build)
    plant(learner, "b1", [4])
    before = learner.parameters()
    placed = learner.place(TRAIN)
    learner.step(Batch(placed.model_inputs(), placed.targets, np.arange(len(TRAIN))), 1.0)
    moved = {name: value != before[name] for name, value in learner.parameters().items()}
    assert not moved["W1"][:, 4].any()
    assert not moved["b1"][4]
    assert moved["W1"].any()


def test_a_run_reports_them_and_show_reads_them_from_its_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trained at a rate that throws units far below 0."""
    config = tmp_path / "mine.yaml"
    config.write_text(
        "name: mine\ndata: {kind: digits}\nmodel: {kind: numpy-mlp, hidden_sizes: [30], activation: relu}\n"
        "train: {epochs: 2, batch_size: 50, lr: 1.0}\n",
        encoding="utf-8",
    )
    summary = mlhw("train", str(config), "--json").json
    (layer,) = summary["dead_units"]
    assert (layer["layer"], layer["units"]) == ("layer 1", 30)
    assert layer["dead"] >= len(layer["indices"]) > 0
    show("latest", as_json=True)
    assert json.loads(capsys.readouterr().out)["dead_units"] == summary["dead_units"]
    show("latest")
    line = f"relu layer 1: {layer['dead']} of 30 units dead (never above 0 on any training row)"
    assert line in capsys.readouterr().out
    file = Path(summary["path"]) / "summary.json"
    for stored, said in (([{**layer, "dead": 0}], "no dead ReLU units"), ([], ""), (None, "")):
        record = {key: value for key, value in summary.items() if key != "dead_units"}  # None: of an older version
        file.write_text(json.dumps(record if stored is None else record | {"dead_units": stored}), encoding="utf-8")
        show("latest")
        shown = capsys.readouterr().out
        assert said in shown
        assert ("dead" in shown) is bool(said)
