"""The only place where names in a config meet objects. Below here nobody sees an ``Experiment``.

The tables hold strings, so that reading them imports nothing. To add a dataset or a model: its file, a line here, a class
in ``config/data.py`` or ``config/models.py``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from mlhw.arrays import Place, Scaling, Split, Splits
from mlhw.commands.settings import Settings
from mlhw.config.expectations import holds
from mlhw.config.schema import Experiment
from mlhw.config.training import Train
from mlhw.datasets.scaling import scaling
from mlhw.errors import ConfigError
from mlhw.numerics.optimisers import UpdateRule
from mlhw.protocols import Learner
from mlhw.training import schedules
from mlhw.training.fit import Recipe

DATASETS = {
    "mnist": "mlhw.datasets.mnist:load",
    "fashion-mnist": "mlhw.datasets.mnist:load_fashion",
    "digits": "mlhw.datasets.digits:load",
    "gmm": "mlhw.datasets.toy:load_gmm",
    "peaks": "mlhw.datasets.toy:load_peaks",
    "swissroll": "mlhw.datasets.toy:load_swissroll",
    "grocery": "mlhw.datasets.grocery:load",
    "folder": "mlhw.datasets.folder:load",
    "image-csv": "mlhw.datasets.tables:load_images",
    "pixel-csv": "mlhw.datasets.tables:load_pixels",
}


class ModelEntry(NamedTuple):
    """Where a model is built, and how it computes: ``numpy`` and ``tensor`` by hand, ``module`` through autograd."""

    build: str
    way: str


MODELS = {
    "numpy-mlp": ModelEntry("mlhw.models.numpy_mlp:build", "numpy"),
    "tensor-mlp": ModelEntry("mlhw.models.tensor_mlp:build", "tensor"),
    "numpy-resnet": ModelEntry("mlhw.models.numpy_resnet:build", "numpy"),
    "torch-ann": ModelEntry("mlhw.models.fashion:build_ann", "module"),
    "fashion-cnn": ModelEntry("mlhw.models.fashion:build_cnn", "module"),
    "digits-cnn": ModelEntry("mlhw.models.digits_cnn:build", "module"),
    "grocery-blocks": ModelEntry("mlhw.models.grocery_cnn:build_blocks", "module"),
    "grocery-cnn": ModelEntry("mlhw.models.grocery_cnn:build", "module"),
}

SCHEDULES: dict[str, Callable[..., schedules.Schedule]] = {
    "constant": schedules.constant,
    "step": schedules.step,
    "cosine": schedules.cosine,
    "one-cycle": schedules.one_cycle,
}

_SHARED_DATA_KEYS = {"kind", "val_fraction", "train_rows", "train_draw", "normalize"}


@dataclass(frozen=True)
class Job:
    """An experiment, assembled: ``splits`` as stored, ``placed`` where the learner computes."""

    experiment: Experiment
    device: str
    splits: Splits
    placed: Splits
    learner: Learner
    recipe: Recipe


def job(experiment: Experiment, settings: Settings, progress: Callable[[str, int, int], None]) -> Job:
    """All that it takes to train ``experiment``.

    Raises:
        ConfigError: something does not fit together, or the parameter budget is broken.
        DataError: the data is missing or bad.
    """
    device = pick_device(experiment)
    splits = load_splits(experiment, settings, progress)
    learner = build_learner(experiment, splits.train, device)
    _check_budget(experiment, learner)
    placed = splits.map(learner.place)
    return Job(experiment, device, splits, placed, learner, build_recipe(experiment, len(splits.train.class_names)))


def count_parameters(learner: Learner) -> int:
    """The number of trained values: weights and biases, without the buffers of batch normalisation."""
    return sum(value.size for name, value in learner.parameters().items() if not is_buffer(name))


def is_buffer(name: str) -> bool:
    """Whether ``name`` is a statistic that batch normalisation keeps, and not trained."""
    return name.endswith(("running_mean", "running_var", "num_batches_tracked"))


def _check_budget(experiment: Experiment, learner: Learner) -> None:
    budget, count = experiment.expect.parameters, count_parameters(learner)
    if budget is not None and not holds(budget, count):
        raise ConfigError(
            f"the model has {count:,} parameters, but expect.parameters says {budget.strip()}. "
            "Make the model smaller, or change the budget."
        )


def way(experiment: Experiment) -> str:
    """How the experiment's model computes; see :class:`ModelEntry`."""
    return MODELS[experiment.model.kind].way


def resolve(address: str) -> Callable[..., Any]:
    """The function at ``module:name``; only ever called with the literals above."""
    module, _, name = address.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def load_splits(experiment: Experiment, settings: Settings, progress: Callable[[str, int, int], None]) -> Splits:
    """The experiment's data: prepared or memory-mapped, cut to ``train_rows``, with val carved where it says so.

    Raises:
        DataError: the data is missing or bad.
        ConfigError: a batch would be larger than the training rows.
    """
    data = experiment.data
    place = Place(settings.data, settings.cache, progress)
    splits: Splits = resolve(DATASETS[data.kind])(place, **data.model_dump(exclude=_SHARED_DATA_KEYS))
    if data.train_rows is not None:
        if data.train_rows > len(splits.train):
            raise ConfigError(
                f"data.train_rows is {data.train_rows:,}, but there are {len(splits.train):,} training rows."
            )
        if data.train_draw == "random":
            from mlhw.datasets.splitting import draw

            splits = replace(splits, train=draw(splits.train, data.train_rows, experiment.seed.data))
        else:
            splits = replace(splits, train=splits.train.first(data.train_rows))
    if data.val_fraction and splits.val is None:
        from mlhw.datasets.splitting import carve

        kept, carved = carve(splits.train, data.val_fraction, experiment.seed.data)
        splits = replace(splits, train=kept, val=carved)
    if splits.val is None and experiment.train.patience_epochs is not None:
        raise ConfigError("train.patience_epochs needs validation rows: set data.val_fraction, for example to 0.1.")
    rows = len(splits.train)
    if experiment.train.batch_size > rows:
        raise ConfigError(
            f"train.batch_size is {experiment.train.batch_size:,}, larger than the {rows:,} training rows. "
            f"Use at most {rows}, for example -s train.batch_size={rows}."
        )
    return splits


def pick_device(experiment: Experiment) -> str:
    """Where to compute. ``auto``: hand-written models on the CPU, modules on a CUDA GPU where there is one.

    Raises:
        ConfigError: the device that was asked for is not there, or cannot run this model.
    """
    wanted, computes = experiment.device, way(experiment)
    if computes == "numpy":
        if wanted not in ("auto", "cpu"):
            raise ConfigError(
                f"device '{wanted}': {experiment.model.kind} computes in numpy, on the CPU. Use --device cpu."
            )
        return "cpu"
    if wanted == "cpu" or (wanted == "auto" and computes == "tensor"):
        return "cpu"
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and int(wanted.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"device '{wanted}' is not here ({torch.cuda.device_count()} CUDA devices). Use --device cpu."
        )
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device 'mps' is not here. Use --device cpu.")
    return wanted


def build_learner(experiment: Experiment, train: Split, device: str) -> Learner:
    """The model with its update rule, ready to train on ``train``.

    Raises:
        ConfigError: the model cannot take such inputs, or an option does not fit its kind.
    """
    entry = MODELS[experiment.model.kind]
    arguments = experiment.model.model_dump(exclude={"kind"})
    arguments |= {"input_shape": train.input_shape, "classes": len(train.class_names)}
    how = scaling(experiment.data.normalize, train)
    if entry.way == "module":
        return _module_learner(experiment, entry, arguments, how, train, device)
    return _explicit_learner(experiment, entry, arguments, how, device)


def _explicit_learner(
    experiment: Experiment, entry: ModelEntry, arguments: dict[str, Any], how: Scaling, device: str
) -> Learner:
    from mlhw.learners.explicit import ExplicitLearner
    from mlhw.numerics.optimisers import Adam, Sgd

    train = experiment.train
    for key, default in (("augment", None), ("label_smoothing", 0.0)):
        if getattr(train, key) != default:
            raise ConfigError(
                f"train.{key} does not fit model.kind '{experiment.model.kind}': its steps are written by hand."
            )
    if entry.way == "tensor":
        arguments |= {"device": device}
    model = resolve(entry.build)(**arguments, seed=experiment.seed.init)
    rule = _update_rule(train, [Sgd, Adam], model.parameters, lambda name: model.parameters[name].ndim > 1)
    dropout_seed = experiment.seed.init if getattr(experiment.model, "dropout", 0.0) else None
    return ExplicitLearner(model, rule, train.lr, how, train.average_decay, dropout_seed)


def _module_learner(
    experiment: Experiment, entry: ModelEntry, arguments: dict[str, Any], how: Scaling, data: Split, device: str
) -> Learner:
    from mlhw.learners.autograd import AutogradLearner
    from mlhw.learners.fused import FusedAdam, FusedSgd

    if len(data.input_shape) != 3:
        raise ConfigError(
            f"model.kind '{experiment.model.kind}' takes images, got inputs of shape {data.input_shape}. "
            "For a CSV of pixels set data.image_shape, for example [28, 28, 1]."
        )
    train = experiment.train

    def build() -> Any:
        try:
            return resolve(entry.build)(**arguments)
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            raise ConfigError(
                f"model.kind '{experiment.model.kind}' cannot take images of {data.input_shape}: {error}."
            ) from error

    def make_rule(network: Any) -> UpdateRule:
        trained = dict(network.named_parameters())
        return _update_rule(
            train, [FusedSgd, FusedAdam], trained, lambda name: trained[name].ndim > 1, fused=device != "mps"
        )

    return AutogradLearner(
        build,
        make_rule,
        lr=train.lr,
        scaling=how,
        seed=experiment.seed.init,
        device=device,
        label_smoothing=train.label_smoothing,
        average_decay=train.average_decay,
    )


def _update_rule(
    train: Train,
    rules: Sequence[Callable[..., UpdateRule]],
    names: Iterable[str],
    is_matrix: Callable[[str], bool],
    **how: bool,
) -> UpdateRule:
    """The rule that ``train.optimizer`` names, of the two in ``rules``, with the decay that each of ``names`` gets."""
    decayed = [name for name in names if train.weight_decay_on == "all" or is_matrix(name)]
    decay = dict.fromkeys(decayed, train.weight_decay) if train.weight_decay else {}
    options = train.optimizer.model_dump(exclude={"kind"})
    if train.optimizer.kind == "sgd":
        return rules[0](**options, decay=decay, **how)
    return rules[1](**options, decay=decay, decoupled=train.optimizer.kind == "adamw", **how)


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
