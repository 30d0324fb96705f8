"""The bare loops do mlhw's arithmetic, and the harness counts rightly. No test here looks at a wall clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import loops
from benchmarks.bare import five_products, module_epochs, tensor_mlp_epoch
from benchmarks.harness import Result, interleaved, repeated, timed
from benchmarks.workplace import Workplace, make_mnist
from mlhw.arrays import Place, Splits
from mlhw.commands import assemble
from mlhw.commands.assemble import Job
from mlhw.commands.display import Silent
from mlhw.commands.settings import Settings
from mlhw.config import load as config
from mlhw.datasets import mnist
from mlhw.datasets.scaling import scaling
from mlhw.training.batches import in_order
from mlhw.training.fit import fit
from mlhw.training.streams import ORDER, stream
from tests.made import blobs

SMALL = ("train.epochs=1", "train.score_test=end")


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """Folders of the test's own, with a small MNIST made by the suite's own stand-in."""
    make_mnist(tmp_path / "data", {"train": 96, "t10k": 20})
    return Workplace(Settings(tmp_path / "data", tmp_path / "outputs", tmp_path / "cache"), repeats=1)


def small_job(name: str, *overrides: str) -> Job:
    """The experiment ``name`` on 67 easy 8×8 images, which leave an odd last batch."""
    experiment = config.load(name, (*SMALL, *overrides))
    splits = Splits(blobs(67, 1), test=blobs(30, 2))
    learner = assemble.build_learner(experiment, splits.train, "cpu")
    recipe = assemble.build_recipe(experiment, classes=4)
    prepared = assemble.preparation(experiment, splits.train, None)
    return Job(experiment, "cpu", splits, splits.map(learner.place), learner, recipe, prepared)


def trained(job: Job) -> dict[str, np.ndarray]:
    """The weights after mlhw's own loop."""
    learner = loops.fresh_learner(job)
    fit(learner, replace(job.placed, test=None), job.recipe, Silent())
    return learner.parameters()


def assert_same(bare: dict[str, Any], ours: dict[str, np.ndarray], tolerance: float) -> None:
    assert bare.keys() == ours.keys()
    for name, value in ours.items():
        np.testing.assert_allclose(np.asarray(bare[name].detach()), value, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
def test_bare_tensor_loop_ends_at_our_weights(dtype: str, tolerance: float) -> None:
    job = small_job("mnist-mlp-notebook", f"model.dtype={dtype}", "train.lr=0.5")
    parameters = loops.fresh_learner(job).model.parameters
    before = {name: value.clone() for name, value in parameters.items()}
    one_hot = torch.eye(4, dtype=parameters["W1"].dtype)[job.placed.train.targets]
    tensor_mlp_epoch(parameters, job.placed.train.inputs, one_hot, batch_rows=32, lr=0.5)
    assert_same(parameters, trained(job), tolerance)
    assert all((parameters[name] - before[name]).abs().max() > 1e-3 for name in before)  # it did learn


def test_five_products_are_those_of_our_step() -> None:
    job = small_job("numpy-mlp-notebook")
    operands, inputs, targets = (
        loops.step_operands(job),
        job.placed.train.model_inputs(0, 8),
        job.placed.train.targets[:8],
    )
    model = loops.fresh_learner(job).model
    _, gradients = model.loss_and_grads(inputs, targets)
    z1, z2, back, grad1, grad2 = five_products([inputs], operands)
    np.testing.assert_allclose(model.activation.function(z1), operands.h, atol=1e-10)
    np.testing.assert_allclose(model.activation.function(z2), model.activations(inputs)[-1], atol=1e-10)
    np.testing.assert_allclose(back * operands.h * (1 - operands.h), operands.delta1, atol=1e-10)
    np.testing.assert_allclose(grad1, gradients["W1"], atol=1e-10)
    np.testing.assert_allclose(grad2, gradients["W2"], atol=1e-10)


def test_five_products_are_measured_on_what_the_readme_states() -> None:
    job = small_job("numpy-mlp-notebook")
    for array in (*loops.step_operands(job), job.placed.train.model_inputs()):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous


def test_bare_module_loop_ends_at_our_weights_and_accuracy() -> None:
    job = small_job("digits-cnn-notebook", "train.batch_size=16", "train.epochs=2", "data.normalize=standard")
    shift, scale = (torch.tensor(numbers) for numbers in _standard(job))
    images = [((split.inputs - shift) * scale, split.targets) for split in (job.placed.train, job.placed.test)]
    train, test = (loops.as_images(inputs, targets) for inputs, targets in images)
    orders = [torch.from_numpy(stream(job.recipe.seed, ORDER, epoch).permutation(67)) for epoch in (1, 2)]
    network = loops.fresh_learner(job).network
    accuracy = module_epochs(network, train, test, orders, batch_rows=16, lr=1e-3)
    assert_same(dict(network.state_dict()), trained(job), 1e-5)
    learner = loops.fresh_learner(job)
    learner.adopt(trained(job))
    report = learner.score(next(in_order(job.placed.test, 30)))
    assert accuracy == pytest.approx(float(report.correct) / 30)


def _standard(job: Job) -> tuple[tuple[float, ...], tuple[float, ...]]:
    how = scaling("standard", job.splits.train)
    return how.shift, how.scale


def test_ours_leaves_a_run_with_its_rows_and_checkpoints(tmp_path: Path) -> None:
    job = small_job("digits-cnn-notebook", "train.batch_size=16", "train.epochs=2")
    settings = Settings(tmp_path, tmp_path / "outputs", tmp_path)
    loops.training(job, settings, loops.fresh_learner(job))()
    (run,) = (tmp_path / "outputs").iterdir()
    rows = (run / "metrics.csv").read_text().splitlines()[1:]
    assert [tuple(row.split(",")[:2]) for row in rows] == [("1", "train"), ("2", "train"), ("2", "test")]
    assert {file.name for file in (run / "checkpoints").iterdir()} == {"best.pt", "last.pt"}


def test_made_mnist_loads_as_mnist(place: Workplace) -> None:
    splits = mnist.load(Place(place.settings.data, place.settings.cache))
    assert splits.train.inputs.shape == (96, 28, 28, 1)
    assert splits.train.inputs.dtype == np.uint8
    assert len(splits.test) == 20


class ScriptedClock:
    """A clock that shows, one after another, the given durations: each pair of looks at it is one of them apart."""

    def __init__(self, durations: list[float]) -> None:
        self.looks = self._looks(durations)

    def __call__(self) -> float:
        return next(self.looks)

    @staticmethod
    def _looks(durations: list[float]) -> Iterator[float]:
        now = 100.0
        for duration in durations:
            yield now
            now += duration
            yield now
            now += 7.0  # preparation, which must not count


@pytest.fixture
def _no_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collecting all of pytest's and torch's objects takes a fifth of a second, a dozen times over."""
    monkeypatch.setattr("benchmarks.harness.gc.collect", lambda: 0)


@pytest.mark.usefixtures("_no_garbage")
def test_timed_leaves_the_preparation_out() -> None:
    events: list[str] = []

    def side() -> Any:
        events.append("prepare")
        return lambda: events.append("work")

    clock = ScriptedClock([3.0])

    def looked() -> float:
        events.append("look")
        return clock()

    assert timed(side, looked) == 3.0
    assert events == ["prepare", "look", "work", "look"]


@pytest.mark.usefixtures("_no_garbage")
def test_interleaved_takes_turns_and_pairs_neighbours() -> None:
    order: list[str] = []

    def side(name: str) -> Any:
        return lambda: lambda: order.append(name)

    # As measured: ours 2, reference 1; reference 4, ours 6; ours 5, reference 2.
    clock = ScriptedClock([2.0, 1.0, 4.0, 6.0, 5.0, 2.0])
    ours, reference = interleaved(side("ours"), side("reference"), 3, clock)
    assert order == ["ours", "reference", "ours", "reference", "reference", "ours", "ours", "reference"]
    assert ours == (2.0, 6.0, 5.0)
    assert reference == (1.0, 4.0, 2.0)
    assert Result("x", ours, reference).ratios == (2.0, 1.5, 2.5)


@pytest.mark.usefixtures("_no_garbage")
def test_repeated_warms_up_once() -> None:
    calls: list[int] = []
    assert repeated(lambda: lambda: calls.append(1), 2, ScriptedClock([1.0, 3.0])) == (1.0, 3.0)
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        # The median of the pairwise ratios 2, 1.5, 9 is 2; that of the medians would be 5/2.
        (Result("x", (2.0, 6.0, 18.0), (1.0, 4.0, 2.0), limit=2.0), "held"),
        (Result("x", (2.0, 6.0, 18.0), (1.0, 4.0, 2.0), limit=1.9), "missed"),
        (Result("x", (0.5, 3.0, 0.6), limit=0.6), "held"),
        (Result("x", (0.7,), limit=0.6), "missed"),
        (Result("x", (0.7,)), "-"),
        (Result("x", limit=1.0, note="skipped: no data"), "-"),
    ],
)
def test_verdict_is_on_the_median(result: Result, verdict: str) -> None:
    assert result.verdict == verdict
