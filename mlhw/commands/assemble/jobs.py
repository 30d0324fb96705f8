"""All that it takes to train an experiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mlhw.arrays import Split, Splits
from mlhw.commands.assemble.learner import build_learner, pick_device
from mlhw.commands.assemble.reporting import coarser_classes
from mlhw.commands.assemble.splits import load_splits
from mlhw.commands.assemble.tables import SCHEDULES
from mlhw.commands.settings import Settings
from mlhw.config.expectations import holds
from mlhw.config.schema import Experiment
from mlhw.datasets.coarser import Coarser
from mlhw.datasets.scaling import scaling
from mlhw.errors import ConfigError
from mlhw.protocols import Learner
from mlhw.runs.preparation import Preparation
from mlhw.training.state import Recipe


@dataclass(frozen=True)
class Job:
    """An experiment, assembled: ``splits`` as stored, ``placed`` where the learner computes.

    Targets are in the classes that results are told in; those of ``placed.train`` in the classes of training.
    """

    experiment: Experiment
    device: str
    splits: Splits
    placed: Splits
    learner: Learner
    recipe: Recipe
    preparation: Preparation


def job(experiment: Experiment, settings: Settings, progress: Callable[[str, int, int], None]) -> Job:
    """All that it takes to train ``experiment``.

    Raises:
        ConfigError: something does not fit together, or the parameter budget is broken.
        DataError: the data is missing or bad.
    """
    device = pick_device(experiment)
    splits = load_splits(experiment, settings, progress)
    coarser = coarser_classes(experiment, settings)
    prepared = preparation(experiment, splits.train, coarser)
    learner = build_learner(experiment, splits.train, device, coarser, prepared.scaling)
    check_budget(experiment, learner)
    told = splits if coarser is None else splits.map(coarser.relabel)
    placed = replace(told.map(learner.place), train=learner.place(splits.train))
    recipe = build_recipe(experiment, len(splits.train.class_names))
    return Job(experiment, device, told, placed, learner, recipe, prepared)


def preparation(experiment: Experiment, train: Split, coarser: Coarser | None) -> Preparation:
    """What a model that trains on ``train`` must know of its data, to be used without it. Raises ConfigError as ``scaling``."""
    how = scaling(experiment.data.normalize, train)
    return Preparation(train.input_shape, str(train.inputs.dtype), how, train.class_names, coarser)


def count_parameters(learner: Learner) -> int:
    """The number of trained values: weights and biases, without the buffers of batch normalisation."""
    return sum(value.size for name, value in learner.parameters().items() if not is_buffer(name))


def is_buffer(name: str) -> bool:
    """Whether ``name`` is a statistic that batch normalisation keeps, and not trained."""
    return name.endswith(("running_mean", "running_var", "num_batches_tracked"))


def check_budget(experiment: Experiment, learner: Learner) -> None:
    """Raise ConfigError where the model has more parameters than ``expect.parameters`` allows."""
    budget, count = experiment.expect.parameters, count_parameters(learner)
    if budget is not None and not holds(budget, count):
        raise ConfigError(
            f"the model has {count:,} parameters, but expect.parameters says {budget.strip()}. "
            "Make the model smaller, or change the budget."
        )


def build_recipe(experiment: Experiment, classes: int) -> Recipe:
    """How the loop trains, as plain values and functions."""
    train = experiment.train
    options = train.schedule.model_dump(exclude={"kind"})
    if train.schedule.kind == "step":
        options["epochs"] = train.epochs
    augment = None
    if train.augment is not None:
        from mlhw.training import augment as augmentation

        augment = augmentation.build(classes=classes, **train.augment.model_dump())
    return Recipe(
        epochs=train.epochs,
        batch_rows=train.batch_size,
        schedule=SCHEDULES[train.schedule.kind](**options),
        seed=experiment.seed.data,
        shuffle=train.shuffle,
        augment=augment,
        best_by=train.best_by,
        patience_epochs=train.patience_epochs,
        score_test_each_epoch=train.score_test == "epoch",
        time_limit_seconds=train.time_limit_seconds,
    )
