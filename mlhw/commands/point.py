"""Where an experiment's derivatives are checked: its model in float64, its biases off 0, and some rows of its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from mlhw.arrays import Split
from mlhw.commands import assemble
from mlhw.commands.settings import Settings
from mlhw.commands.threads import use_threads
from mlhw.config.schema import Experiment
from mlhw.errors import DataMissing

Progress = Callable[[str, int, int], None]

ROWS: Final = 8  # every entry costs two losses over the rows; eight show as much as a thousand
MODULE_ROWS: Final = 2  # every row brings its own kinks, and a Taylor test wants a way without
_STAND_INS: Final = {"mnist": ((28, 28, 1), 10), "fashion-mnist": ((28, 28, 1), 10)}
_GROCERY_CLASSES: Final = {"coarse": 43, "fine": 81}


@dataclass(frozen=True, eq=False)
class Point:
    """A model in float64, and the rows that it is checked on; ``notes`` say what was done to get there."""

    experiment: Experiment
    learner: Any
    split: Split
    notes: tuple[str, ...]

    @property
    def is_by_hand(self) -> bool:
        """Whether the model has a backward pass of its own."""
        return assemble.way(self.experiment) != "module"


def make_point(experiment: Experiment, settings: Settings, rows: int | None, seed: int, progress: Progress) -> Point:
    """The experiment's model in float64 on the CPU, and rows of its data, or random ones where that is not there."""
    way = assemble.way(experiment)
    use_threads(experiment.threads or settings.threads, way)
    model = experiment.model
    if hasattr(model, "dtype"):
        model = model.model_copy(update={"dtype": "float64"})
    double = experiment.model_copy(update={"device": "cpu", "model": model})
    count = rows or (MODULE_ROWS if way == "module" else ROWS)
    try:
        train = assemble.load_splits(double, settings, progress).train
        note = f"the first {min(count, len(train))} training rows of {experiment.data.kind}"
    except DataMissing:
        train = _random_rows(experiment, count, seed)
        note = f"{count} random rows, since the data is not there ({experiment.data.kind})"
    learner = assemble.build_learner(double, train, "cpu")
    notes = (note, "float64", "biases moved off 0", *(["dropout off"] if getattr(model, "dropout", 0.0) else []))
    return Point(double, learner, train.first(count), notes)


def _random_rows(experiment: Experiment, rows: int, seed: int) -> Split:
    """Random images of the shape that the absent data has. Raises DataMissing where that shape is not known without it."""
    data: Any = experiment.data
    if data.kind == "grocery":
        shape, classes = (data.image_size_pixels, data.image_size_pixels, 3), _GROCERY_CLASSES[data.labels]
    elif data.kind in _STAND_INS:
        shape, classes = _STAND_INS[data.kind]
    else:
        raise DataMissing(f"data.kind '{data.kind}': the data is not there, and its shape is not known without it.")
    rng = np.random.default_rng([seed, 1])
    images = rng.integers(0, 256, (rows, *shape), dtype=np.uint8)
    return Split(images, rng.integers(0, classes, rows), tuple(f"class {number}" for number in range(classes)))


def by_hand(point: Point, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """The model, its biases moved, and inputs and targets as it takes them."""
    from mlhw.checks.chains import move_biases

    model = point.learner.model
    placed = point.learner.place(replace(point.split, inputs=np.asarray(point.split.inputs)))
    inputs = placed.model_inputs()
    move_biases(model, np.asarray(inputs), rng)
    return model, inputs, placed.targets


def tensors(point: Point) -> tuple[Any, Any]:
    """Images scaled as the learner scales them, but in float64, channels first; and the targets."""
    import torch

    images = torch.from_numpy(np.array(point.split.inputs, dtype=np.float64))
    scaled = (images - point.learner.shift.double()) * point.learner.scale.double()
    return scaled.permute(0, 3, 1, 2).contiguous(), torch.from_numpy(np.array(point.split.targets))
