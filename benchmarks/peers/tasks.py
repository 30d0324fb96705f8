"""The workloads as plain arrays and numbers, the same for every system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mlhw.arrays import Place, Split
from mlhw.commands.settings import from_environment
from mlhw.datasets import digits as digits_data
from mlhw.datasets import grocery as grocery_data
from mlhw.datasets import mnist as mnist_data

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class Rows:
    """Inputs, float (rows, features) or uint8 (rows, height, width, channels) as stored, and class indices (rows,)."""

    inputs: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Task:
    """What to train, on what, and how; ``experiment`` with ``overrides`` says the same to mlhw.

    ``units`` is the hidden layer of a perceptron, None for a network that ``build`` makes. ``dtype`` is that of systems that
    leave the choice; torch's tools compute in float32. ``load()`` reads the training and the test rows, on which accuracy is
    told (for groceries those of val).
    """

    experiment: str
    overrides: tuple[str, ...]
    load: Callable[[], tuple[Rows, Rows]]
    classes: int
    epochs: int
    batch_rows: int
    lr: float
    optimiser: str = "sgd"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    shuffle: bool = True
    units: int | None = None
    squash_scores: bool = False
    dtype: str = "float32"
    augmented: bool = False
    crop_pixels: int = 0  # the height of the crops that augmented photos are trained on
    build: Callable[[], Any] = lambda: None


@dataclass(frozen=True)
class PictureTask:
    """A network of torchvision on ``count`` pictures, or on the photos of a folder."""

    network: str
    count: int
    folder: Path | None = None


def place() -> Place:
    """Where data lies and prepared data goes, as the environment says."""
    settings = from_environment()
    return Place(settings.data, settings.cache)


def mnist(quick: bool) -> Task:
    """784-128-10 on all of MNIST, batch 32, in the order of the rows."""
    rows, splits = 6_000 if quick else 60_000, mnist_data.load(place())
    return Task(
        "mnist-mlp-notebook",
        ("train.epochs=1", "train.score_test=end", "train.lr=0.1", f"data.train_rows={rows}"),
        lambda: (_flat(splits.train.first(rows), "float32"), _flat(splits.test, "float32")),
        classes=10,
        epochs=1,
        batch_rows=32,
        lr=0.1,
        shuffle=False,
        units=128,
    )


def numpy_mnist(quick: bool) -> Task:
    """784-16-10 on 20,000 rows, batch 8, in a new order."""
    rows, splits = 4_000 if quick else 20_000, mnist_data.load(place())
    return Task(
        "numpy-mlp-notebook",
        ("train.epochs=1", "train.score_test=end", f"data.train_rows={rows}"),
        lambda: (_flat(splits.train.first(rows), "float64"), _flat(splits.test, "float64")),
        classes=10,
        epochs=1,
        batch_rows=8,
        lr=1.0,
        units=16,
        squash_scores=True,
        dtype="float64",
    )


def digits(quick: bool) -> Task:
    """scikit-learn's digits, 500 to learn from, raw values."""
    from mlhw.models.digits_cnn import build

    epochs = 10 if quick else 100
    splits = digits_data.load(place(), split_rows=500, split_seed=4803)
    return Task(
        "digits-cnn-notebook",
        (f"train.epochs={epochs}",),
        lambda: (_stored(splits.train), _stored(splits.test)),
        classes=10,
        epochs=epochs,
        batch_rows=100,
        lr=1e-3,
        optimiser="adam",
        build=partial(build, input_shape=(8, 8, 1), classes=10),
    )


def grocery(quick: bool) -> Task:
    """Photos of groceries with the network and the recipe of ``grocery-cnn``, as its YAML has them, at the size that it
    ends with, and with the classes that it trains on for all."""
    from mlhw.config import load as config
    from mlhw.models.grocery_cnn import build

    rows = 320 if quick else 2_640
    overrides = (
        "train.epochs=1",
        f"data.train_rows={rows}",
        "data.report=null",
        "train.augment.start_size_pixels=null",
    )
    experiment = config.load("grocery-cnn", overrides)
    side, train = experiment.data.image_size_pixels, experiment.train
    crop = train.augment.size_pixels
    splits = grocery_data.load(place(), labels=experiment.data.labels, image_size_pixels=side)
    classes = len(splits.train.class_names)
    arguments = experiment.model.model_dump(exclude={"kind"})
    return Task(
        "grocery-cnn",
        overrides,
        lambda: (_stored(splits.train.first(rows)), _stored(splits.val)),
        classes=classes,
        epochs=1,
        batch_rows=train.batch_size,
        lr=train.lr,
        optimiser="adamw",
        weight_decay=train.weight_decay,
        label_smoothing=train.label_smoothing,
        augmented=True,
        crop_pixels=crop,
        build=partial(build, input_shape=(crop, crop, 3), classes=classes, **arguments),
    )


def forward_vgg16(quick: bool) -> PictureTask:
    return PictureTask("vgg16", 16)


def forward_resnet18(quick: bool) -> PictureTask:
    return PictureTask("resnet18", 64)


def forward_alexnet(quick: bool) -> PictureTask:
    return PictureTask("alexnet", 64)


def classify(quick: bool) -> PictureTask:
    """Photos of the Grocery data set's test split."""
    folder = grocery_data.find(Path(from_environment().data)) / "test"
    return PictureTask("resnet18", 128 if quick else 512, folder)


def _stored(split: Split) -> Rows:
    return Rows(np.asarray(split.inputs), np.asarray(split.targets))


def _flat(split: Split, dtype: str) -> Rows:
    inputs = split.inputs.reshape(len(split.inputs), -1).astype(dtype)
    inputs /= 255.0
    return Rows(inputs, np.asarray(split.targets))
