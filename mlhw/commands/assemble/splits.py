"""The experiment's rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mlhw.arrays import Place, Split, Splits
from mlhw.commands.assemble.tables import DATASETS, resolve
from mlhw.commands.settings import Settings
from mlhw.config.schema import Experiment
from mlhw.datasets.splitting import carved_rows, drawn_rows
from mlhw.datasets.subset import joined, subset
from mlhw.errors import ConfigError

_SHARED_DATA_KEYS = {"kind", "train_on", "val_fraction", "train_rows", "train_draw", "normalize", "report"}


def load_splits(experiment: Experiment, settings: Settings, progress: Callable[[str, int, int], None]) -> Splits:
    """The experiment's data: prepared or memory-mapped, cut to ``train_rows``, with val carved where it says so.

    Raises:
        DataError: the data is missing or bad.
        ConfigError: a batch would be larger than the training rows.
    """
    whole = load_whole(experiment, settings, progress)
    train_rows, val_rows = chosen_rows(experiment, whole)
    place = Place(settings.data, settings.cache, progress)

    def of_train(rows: np.ndarray) -> Split:
        return whole.train.first(len(rows)) if _leads(rows) else subset(place, whole.train, rows, whole.origin)

    return replace(whole, train=of_train(train_rows), val=whole.val if val_rows is None else of_train(val_rows))


def load_whole(experiment: Experiment, settings: Settings, progress: Callable[[str, int, int], None]) -> Splits:
    """The experiment's data set before any row is drawn or carved, val among the training rows where it says so.

    Raises:
        DataError: the data is missing or bad.
        ConfigError: val shall be trained on, and the data brings none.
    """
    data = experiment.data
    place = Place(settings.data, settings.cache, progress)
    splits: Splits = resolve(DATASETS[data.kind])(place, **data.model_dump(exclude=_SHARED_DATA_KEYS))
    if data.train_on == "train":
        return splits
    if splits.val is None:
        raise ConfigError(
            "data.train_on is train+val, but this data brings no val rows. Leave it out: with data.val_fraction: 0 "
            "all rows are trained on."
        )
    return joined(place, splits)


def chosen_rows(experiment: Experiment, whole: Splits) -> tuple[np.ndarray, np.ndarray | None]:
    """The positions in ``whole.train`` of the rows to train on, and of those carved out for val (None: none were).

    Raises:
        ConfigError: there are fewer rows than are asked for, or a batch would be larger than the training rows.
    """
    data, targets = experiment.data, np.asarray(whole.train.targets)
    rows, carved = np.arange(len(targets)), None
    if data.train_rows is not None and data.train_rows > len(rows):
        raise ConfigError(f"data.train_rows is {data.train_rows:,}, but there are {len(rows):,} training rows.")
    if data.train_rows is not None and data.train_rows < len(rows):
        drawn = data.train_draw == "random"
        rows = drawn_rows(targets, data.train_rows, experiment.seed.data) if drawn else rows[: data.train_rows]
    if data.val_fraction and whole.val is None:
        kept, held_out = carved_rows(targets[rows], data.val_fraction, experiment.seed.data)
        rows, carved = rows[kept], rows[held_out]
    if whole.val is None and carved is None and experiment.train.patience_epochs is not None:
        raise ConfigError("train.patience_epochs needs validation rows: set data.val_fraction, for example to 0.1.")
    if experiment.train.batch_size > len(rows):
        raise ConfigError(
            f"train.batch_size is {experiment.train.batch_size:,}, larger than the {len(rows):,} training rows. "
            f"Use at most {len(rows)}, for example -s train.batch_size={len(rows)}."
        )
    return rows, carved


def _leads(rows: np.ndarray) -> bool:
    """Whether ``rows``, which rise, are the first ones without a gap: those are a view, not a copy."""
    return bool(len(rows) == 0 or rows[-1] == len(rows) - 1)
