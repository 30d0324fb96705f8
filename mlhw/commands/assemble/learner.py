"""The experiment's model with its update rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mlhw.arrays import Array, Scaling, Split
from mlhw.commands.assemble.tables import MODELS, ModelEntry, resolve, way
from mlhw.config.schema import Experiment
from mlhw.config.training import Train
from mlhw.datasets.coarser import Coarser
from mlhw.datasets.scaling import scaling
from mlhw.errors import ConfigError
from mlhw.numerics.optimisers import UpdateRule
from mlhw.protocols import Learner
from mlhw.training.streams import STATISTICS, stream


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
    from mlhw.commands.devices import torch_device

    return torch_device(wanted)


def build_learner(
    experiment: Experiment, train: Split, device: str, coarser: Coarser | None = None, how: Scaling | None = None
) -> Learner:
    """The model with its update rule, ready to train on ``train``; it reports ``coarser`` classes where they are given.

    ``how`` stored values become inputs: as ``data.normalize`` says for ``train``, where it is not given.

    Raises:
        ConfigError: the model cannot take such inputs, or an option does not fit its kind.
    """
    entry = MODELS[experiment.model.kind]
    arguments = experiment.model.model_dump(exclude={"kind"})
    arguments |= {"input_shape": train.input_shape, "classes": len(train.class_names)}
    how = how or scaling(experiment.data.normalize, train)
    if entry.way == "module":
        return _module_learner(experiment, entry, arguments, how, train, device, coarser)
    if coarser is not None:
        raise ConfigError(f"data.report does not fit model.kind '{experiment.model.kind}': use data.labels coarse.")
    return _explicit_learner(experiment, entry, arguments, how, device)


def build_stack(experiments: Sequence[Experiment], train: Split, device: str) -> Learner:
    """The models of ``experiments``, which differ in rates, decays and seeds alone, as one learner.

    Raises:
        ConfigError: they cannot be one; says why.
    """
    learners: list[Any] = [build_learner(experiment, train, device) for experiment in experiments]
    try:
        if way(experiments[0]) == "module":
            from mlhw.learners.vmapped import VmappedLearner

            return VmappedLearner(learners)
        from mlhw.learners.stacked import StackedLearner

        return StackedLearner(learners)
    except ValueError as error:
        raise ConfigError(f"{error}.") from error


def _explicit_learner(
    experiment: Experiment, entry: ModelEntry, arguments: dict[str, Any], how: Scaling, device: str
) -> Learner:
    from mlhw.learners.explicit import ExplicitLearner
    from mlhw.numerics.optimisers import Adam, Sgd

    train = experiment.train
    for key, default in (
        ("augment", None),
        ("label_smoothing", 0.0),
        ("precision", "float32"),
        ("statistics_rows", None),
    ):
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
    experiment: Experiment,
    entry: ModelEntry,
    arguments: dict[str, Any],
    how: Scaling,
    data: Split,
    device: str,
    coarser: Coarser | None,
) -> Learner:
    from mlhw.learners.autograd import AutogradLearner
    from mlhw.learners.fused import FusedAdam, FusedSgd
    from mlhw.learners.norms import norms

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

    learner = AutogradLearner(
        build,
        make_rule,
        lr=train.lr,
        scaling=how,
        seed=experiment.seed.init,
        device=device,
        precision=train.precision,
        label_smoothing=train.label_smoothing,
        average_decay=train.average_decay,
        statistics_rows=_some_rows(data, train.statistics_rows, experiment.seed.data),
        coarser=None if coarser is None else coarser.of_finer,
    )
    if train.statistics_rows and not norms(learner.network):
        raise ConfigError(
            f"train.statistics_rows does not fit model.kind '{experiment.model.kind}': it has no batch normalisation."
        )
    return learner


def _some_rows(data: Split, rows: int | None, seed: int) -> Array | None:
    """The inputs of ``rows`` of ``data`` by lot (all where there are fewer), in their order; None where none are asked for."""
    if rows is None:
        return None
    drawn = stream(seed, STATISTICS, 0).permutation(len(data))[:rows]
    return data.made_ready(data.inputs[np.sort(drawn)])


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
