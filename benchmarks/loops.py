"""Training through mlhw's loop, and what the bare arithmetic of the same steps takes."""

from __future__ import annotations

import torch

from benchmarks.bare import Operands
from benchmarks.harness import Work
from mlhw.arrays import Splits
from mlhw.commands import assemble
from mlhw.commands.assemble import Job
from mlhw.commands.settings import Settings
from mlhw.config import load as config
from mlhw.protocols import Learner
from mlhw.runs import checkpoint, store
from mlhw.runs.recorder import Recorder
from mlhw.training.epoch import score_split
from mlhw.training.fit import fit


def training(job: Job, settings: Settings, learner: Learner) -> Work:
    """Training ``job`` with ``learner`` through ``fit`` into a new run folder, with all that ``mlhw train`` times.

    That is every epoch's rows in metrics.csv, the checkpoints at the end and, where the experiment scores test at the end,
    the reported weights read back and scored. The final write of the checkpoints is counted as well, which mlhw does not.
    """

    run = store.create(settings.outputs, job.experiment.name, config.dump(job.experiment))
    return lambda: _train(run, learner, job.placed, job)


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
    inputs, targets = job.placed.train.model_inputs(0, rows), job.placed.train.targets[:rows]
    _, h, out = model.activations(inputs)
    delta2 = model.probabilities(inputs)
    delta2[range(rows), targets] -= 1.0
    delta2 *= out * (1.0 - out) / rows  # this network squashes its scores too
    delta1 = delta2 @ model.parameters["W2"].T * h * (1.0 - h)
    return Operands(model.parameters["W1"], model.parameters["W2"], h, delta1, delta2)


def as_images(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Stored images (rows, height, width, channels) as a network takes them: floats, (rows, channels, height, width)."""
    return inputs.float().permute(0, 3, 1, 2).contiguous(), targets
