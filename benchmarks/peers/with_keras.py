"""Keras on torch: ``compile`` and ``fit`` with accuracy; the photos' network is torch's own, in Keras's wrapper."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from typing import Any

import keras
import numpy as np

from benchmarks.peers.contest import Contest, accuracy
from benchmarks.peers.tasks import PictureTask, Rows, Task


def contest(task: Task | PictureTask) -> Contest:
    """``fit`` on arrays in memory; photos from the ``DataLoader`` that the others have."""
    if isinstance(task, PictureTask):
        return _forward(task)
    train, test = task.load()
    found: list[Any] = []

    def fresh() -> Any:
        keras.utils.set_random_seed(0)
        model, losses = _model(task, train), keras.losses
        if task.augmented:
            loss = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=task.label_smoothing)
        else:
            loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(_optimiser(task), loss, metrics=["accuracy"])
        found[:] = [model]
        return lambda: model.fit(*_rows(task, train), epochs=task.epochs, verbose=0, **_batches(task))

    def reached() -> float:
        if task.augmented:
            from benchmarks.peers import modules

            return modules.reached(found[0].layers[-1].module, task, test)
        return accuracy(found[0].predict(_inputs(test), batch_size=500, verbose=0).argmax(axis=1), test)

    return Contest(fresh, reached)


def _model(task: Task, train: Rows) -> Any:
    layers = keras.layers
    if task.augmented:
        from benchmarks.peers import modules

        return keras.Sequential([keras.layers.TorchModuleWrapper(modules.network(task))])
    if task.units is not None:
        sigmoid = "sigmoid" if task.squash_scores else None
        hidden = layers.Dense(task.units, activation="sigmoid")
        return keras.Sequential(
            [keras.Input(train.inputs.shape[1:]), hidden, layers.Dense(task.classes, activation=sigmoid)]
        )
    convolutions = [layers.Conv2D(count, 3, padding="same", activation="relu") for count in (16, 32)]
    last = [layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(task.classes)]
    return keras.Sequential([keras.Input(train.inputs.shape[1:]), *convolutions, *last])


def _optimiser(task: Task) -> Any:
    kinds = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
    return kinds[task.optimiser](task.lr, **({"weight_decay": task.weight_decay} if task.weight_decay else {}))


def _rows(task: Task, train: Rows) -> tuple[Any, ...]:
    if task.augmented:
        from benchmarks.peers import modules

        return (modules.loader(task, train),)
    return _inputs(train), train.targets


def _inputs(rows: Rows) -> np.ndarray:
    return rows.inputs.astype("float32", copy=False)


def _batches(task: Task) -> dict[str, Any]:
    return {} if task.augmented else {"batch_size": task.batch_rows, "shuffle": task.shuffle}


def _forward(task: PictureTask) -> Contest:
    """VGG16 of ``keras.applications`` with random weights: ``predict_on_batch``, 16 pictures at a time."""
    keras.utils.set_random_seed(0)
    model = keras.applications.VGG16(weights=None)
    batches = [np.random.default_rng(0).random((16, 224, 224, 3), dtype="float32")] * (task.count // 16)

    def work() -> None:
        for batch in batches:
            model.predict_on_batch(batch)

    return Contest(lambda: work)
