"""Numbers that are none, classes that are not there, and generators that others use too."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlhw.commands.display import Silent
from mlhw.commands.settings import from_environment
from mlhw.commands.train import train
from mlhw.config.load import parse
from mlhw.errors import TrainingDiverged, WeightsDiverged
from mlhw.learners.autograd import AutogradLearner
from mlhw.learners.explicit import ExplicitLearner
from mlhw.runs import checkpoint
from mlhw.runs.metrics import read_metrics
from mlhw.runs.store import all_runs
from tests.faults.killing import assert_same_run
from tests.faults.kinds import KINDS

SHORT = ["train.epochs=3", "train.patience_epochs=null"]


class Told(Silent):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def trained(kind: str, *overrides: str, display: Silent | None = None) -> Path:
    experiment = parse(KINDS[kind].encode(), kind, [*SHORT, *overrides])
    return train(experiment, from_environment(), display or Silent(), figures=False)[0].path


def poison(seed: int) -> None:
    """Put every global generator into a state of its own."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (the global generator is the point)
    torch.manual_seed(seed)


def states() -> tuple[Any, ...]:
    """The states of numpy's and torch's, to be compared. Python's own is drawn from by beartype, which checks shapes here:
    that it is left as found is shown in a process without (tests/cli/test_train.py)."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return name, keys.tobytes(), *rest, torch.get_rng_state().numpy().tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_results_do_not_depend_on_global_generators_which_are_left_as_found(kind: str) -> None:
    runs = []
    for seed in (1, 2):
        poison(seed)
        before = states()
        runs.append(trained(kind))
        assert states() == before
    assert_same_run(runs[0], runs[1])


def test_the_poison_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    poison(1)
    one = states()
    poison(2)
    assert states() != one
    assert torch.rand(3).tolist() != (poison(1), torch.rand(3).tolist())[1]


def test_a_class_that_no_training_row_is_of_is_warned_of() -> None:
    told = Told()
    trained("numpy", "data.train_rows=12", "data.val_fraction=0", "train.batch_size=4", display=told)
    (said,) = told.warnings
    assert said.startswith("no training row is of ")
    whole = Told()
    trained("numpy", display=whole)
    assert whole.warnings == []


PLAIN = """
name: plain
data: {kind: pixel-csv, train: rows.csv, normalize: standard}
model: {kind: numpy-mlp, hidden_sizes: [3]}
train: {epochs: 1, batch_size: 4, lr: 0.1}
"""


@pytest.mark.parametrize("broken", [False, True])
def test_a_last_step_that_breaks_the_weights_is_no_end_of_a_run(
    broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without val and test nothing is scored after it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("".join(f"{row % 2},{row},{-row}\n" for row in range(8)), encoding="utf-8")
    read = checkpoint.load_weights

    def load(path: Path, **how: Any) -> dict[str, Any]:
        return {name: np.full_like(value, np.inf) if broken else value for name, value in read(path, **how).items()}

    monkeypatch.setattr("mlhw.commands.finish.checkpoint.load_weights", load)
    experiment = parse(PLAIN.encode(), "plain")
    if broken:
        with pytest.raises(TrainingDiverged, match="epoch 1, step 2"):
            train(experiment, from_environment(), Silent(), figures=False)
    else:
        assert train(experiment, from_environment(), Silent(), figures=False)[1]["status"] == "done"


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("kind", ["numpy", "cnn"])
def test_a_gradient_that_is_not_finite_ends_the_run_before_its_weights_are_written(
    kind: str, hidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the last step of epoch 2, with no split that would tell; or ``hidden`` for good: a bias of -inf before a ReLU."""
    learner = {"numpy": ExplicitLearner, "cnn": AutogradLearner}[kind]
    step, taken = learner.step, []

    def breaks(self: Any, batch: Any, lr_scale: float) -> Any:
        report = step(self, batch, lr_scale)
        taken.append(report.count)
        if sum(taken) == 2 * 60:
            values = self.model.parameters if kind == "numpy" else self.network.state_dict()
            values["b1" if kind == "numpy" else "0.bias"][0] = -np.inf if hidden else np.nan
        return report

    monkeypatch.setattr(learner, "step", breaks)
    monkeypatch.setattr("mlhw.runs.recorder.MIN_SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr("mlhw.runs.recorder.SHARE", 0.0)
    with pytest.raises(WeightsDiverged, match="by epoch 2, step "):
        trained(kind, "data.val_fraction=0", "train.average_decay=null")
    (run,) = all_runs(Path(os.environ["MLHW_OUTPUTS"]))
    assert run.status() == "failed"
    assert checkpoint.load(run.last_checkpoint)["loop"][0]["epoch"] == 1
    checkpoint.load_weights(run.best_checkpoint)
    assert {row.epoch for row in read_metrics(run.metrics_file)} == {1}
