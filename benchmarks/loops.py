"""Training through mlhw's loop beside the bare arithmetic of the same steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from benchmarks.bare import Operands, five_products, module_epochs, tensor_mlp_epoch
from benchmarks.harness import Result, Side, Work, interleaved
from benchmarks.workplace import Workplace
from mlhw.arrays import Splits
from mlhw.commands import assemble
from mlhw.commands.assemble import Job
from mlhw.commands.display import Silent
from mlhw.commands.settings import Settings
from mlhw.config import load as config
from mlhw.protocols import Learner
from mlhw.runs import checkpoint, store
from mlhw.runs.recorder import Recorder
from mlhw.training.epoch import score_split
from mlhw.training.fit import fit

ONE_EPOCH = ("train.epochs=1", "train.score_test=end")  # no test rows: the bare loops have none either


def mnist_mlp(place: Workplace) -> Iterator[Result]:
    """One epoch of 1,875 steps on torch tensors, beside the same steps without loss, accuracy and files."""
    job = _job("mnist-mlp-notebook", place.settings, ONE_EPOCH)
    one_hot = torch.eye(10)[job.placed.train.targets]

    def reference() -> Work:
        parameters = fresh_learner(job).model.parameters
        train = job.experiment.train
        return lambda: tensor_mlp_epoch(parameters, job.placed.train.inputs, one_hot, train.batch_size, train.lr)

    yield _compared("mnist-mlp-notebook", ours(job, place.settings), reference, 1.3, place)


def numpy_mlp(place: Workplace) -> Iterator[Result]:
    """One epoch of 2,500 steps in float64, beside the five matrix products of each step alone."""
    job = _job("numpy-mlp-notebook", place.settings, ONE_EPOCH)
    operands, inputs, rows = step_operands(job), job.placed.train.inputs, job.experiment.train.batch_size
    parts = [inputs[start : start + rows] for start in range(0, len(inputs), rows)]
    yield _compared(
        "numpy-mlp-notebook", ours(job, place.settings), lambda: lambda: five_products(parts, operands), 3.0, place
    )


def digits_cnn(place: Workplace) -> Iterator[Result]:
    """All 100 epochs of five steps, the test split scored at the end, beside a plain torch loop that does the same."""
    job = _job("digits-cnn-notebook", place.settings)
    train, test = (as_images(split.inputs, split.targets) for split in (job.placed.train, job.placed.test))
    epochs, train_keys = job.experiment.train.epochs, job.experiment.train

    def reference() -> Work:
        network = fresh_learner(job).network.to(memory_format=torch.contiguous_format)  # torch's own default
        generator = torch.Generator().manual_seed(job.experiment.seed.data)
        orders = (torch.randperm(len(train[0]), generator=generator) for _ in range(epochs))
        return lambda: module_epochs(network, train, test, orders, train_keys.batch_size, train_keys.lr)

    result = _compared("digits-cnn-notebook", ours(job, place.settings), reference, 1.2, place)
    yield replace(result, note="")  # the digits come with scikit-learn


def ours(job: Job, settings: Settings) -> Side:
    """Training ``job`` from fresh weights through ``fit`` into a new run folder, with all that ``mlhw train`` times.

    That is every epoch's rows in metrics.csv, the checkpoints at the end and, where the experiment scores test at the end,
    the reported weights read back and scored. The final write of the checkpoints is counted as well, which mlhw does not.
    """

    def prepare() -> Work:
        learner = fresh_learner(job)
        splits = replace(job.placed, test=None) if job.recipe.epochs == 1 else job.placed
        run = store.create(settings.outputs, job.experiment.name, config.dump(job.experiment))
        return lambda: _train(run, learner, splits, job)

    return prepare


def _train(run: store.Run, learner: Learner, splits: Splits, job: Job) -> None:
    has_val = splits.val is not None
    recorder = Recorder([run], learner, run.last_checkpoint, [], has_val=has_val, keep=lambda row, state: False)
    (state,) = fit(learner, splits, job.recipe, recorder)
    recorder.write()
    if splits.test is not None:
        learner.adopt(checkpoint.to_arrays(checkpoint.load(run.best_checkpoint)))
        recorder.metrics[0].append(score_split(learner, splits.test, "test", state.best_epoch, [learner.lr]))
        recorder.metrics[0].sync()
    recorder.close()


def fresh_learner(job: Job) -> Learner:
    """The experiment's learner before its first step; equal seeds give equal weights."""
    return assemble.build_learner(job.experiment, job.splits.train, job.device)


def step_operands(job: Job) -> Operands:
    """What the five products of the first step (the rows in order) take, C-contiguous, of the model's dtype."""
    model, rows = fresh_learner(job).model, job.experiment.train.batch_size
    inputs, targets = job.placed.train.inputs[:rows], job.placed.train.targets[:rows]
    _, h, out = model.activations(inputs)
    delta2 = model.probabilities(inputs)
    delta2[range(rows), targets] -= 1.0
    delta2 *= out * (1.0 - out) / rows  # this network squashes its scores too
    delta1 = delta2 @ model.parameters["W2"].T * h * (1.0 - h)
    return Operands(model.parameters["W1"], model.parameters["W2"], h, delta1, delta2)


def as_images(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Stored images (rows, height, width, channels) as a network takes them: floats, (rows, channels, height, width)."""
    return inputs.float().permute(0, 3, 1, 2).contiguous(), targets


def _job(name: str, settings: Settings, overrides: tuple[str, ...] = ()) -> Job:
    return assemble.job(config.load(name, overrides), settings, Silent().progress)


def _compared(name: str, side: Side, reference: Side, limit: float, place: Workplace) -> Result:
    return Result(name, *interleaved(side, reference, place.repeats), limit, note=place.mnist_note)
