"""skorch's ``NeuralNet``, silent, with the training loss that it always keeps and no held-out rows."""

from __future__ import annotations

from typing import Any

from skorch import NeuralNet
from torch import nn

from benchmarks.peers import modules
from benchmarks.peers.contest import Contest
from benchmarks.peers.tasks import Task


def contest(task: Task) -> Contest:
    """``fit`` on tensors in memory; photos as a data set."""
    train, test = task.load()
    rows = modules.dataset(task, train) if task.augmented else modules.tensors(task, train)
    nets: list[NeuralNet] = []
    kind, options = modules.optimiser_class(task)

    def fresh() -> Any:
        net = NeuralNet(
            modules.network(task),
            criterion=nn.CrossEntropyLoss,
            criterion__label_smoothing=task.label_smoothing,
            optimizer=kind,
            lr=task.lr,
            max_epochs=task.epochs,
            batch_size=task.batch_rows,
            train_split=None,
            verbose=0,
            iterator_train__shuffle=task.shuffle,
            **{f"optimizer__{name}": value for name, value in options.items()},
            **({"iterator_train__collate_fn": modules.Mixed(task.classes)} if task.augmented else {}),
        )
        nets[:] = [net]
        return lambda: net.fit(rows, None) if task.augmented else net.fit(*rows)

    return Contest(fresh, lambda: modules.reached(nets[0].module_, task, test))
