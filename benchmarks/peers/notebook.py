"""The courses' way: a loop written out, a ``DataLoader`` where torch is used, numbers fetched at every step."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.contest import Contest, accuracy
from benchmarks.peers.tasks import PictureTask, Rows, Task
from mlhw.commands.settings import from_environment


def contest(task: Task | PictureTask) -> Contest:
    """The workload as a notebook does it."""
    if isinstance(task, PictureTask):
        from benchmarks.peers import pictures

        return pictures.notebook(task)
    if task.experiment == "mnist-mlp-notebook":
        return _tensors(task)
    return _numpy(task) if task.experiment == "numpy-mlp-notebook" else _module(task)


def _tensors(task: Task) -> Contest:
    """Forward, loss and accuracy, backward by hand, update; each picture goes through PIL and ``ToTensor``."""
    from torch.utils.data import Subset

    from benchmarks.bare import Notebook

    notebooks: list[Notebook] = []
    rows = next(int(text.split("=")[1]) for text in task.overrides if text.startswith("data.train_rows"))

    def fresh() -> Any:
        notebooks[:] = [Notebook(from_environment().data, task.lr, lambda data: Subset(data, range(rows)))]
        return notebooks[0].epoch

    return Contest(fresh, lambda: notebooks[0].test_accuracy())


def _numpy(task: Task) -> Contest:
    """One hidden layer as the course writes it: a column of ones, sigmoid on the scores too, one-hot labels."""
    train, test = task.load()
    inputs, test_inputs = (np.concatenate([part.inputs, np.ones((len(part.inputs), 1))], 1) for part in (train, test))
    one_hot, weights = np.eye(task.classes)[train.targets], []  # type: list[Any]

    def fresh() -> Any:
        rng = np.random.default_rng(0)
        weights[:] = [rng.uniform(-1, 1, shape) for shape in ((785, task.units), (task.units, task.classes))]
        return lambda: _numpy_epoch(weights, inputs, one_hot, task, rng)

    def reached() -> float:
        hidden = 1 / (1 + np.exp(-(test_inputs @ weights[0])))
        return accuracy((hidden @ weights[1]).argmax(axis=1), test)

    return Contest(fresh, reached)


def _numpy_epoch(weights: list[Any], inputs: Any, one_hot: Any, task: Task, rng: np.random.Generator) -> None:
    order = rng.permutation(len(inputs))
    x_all, y_all = inputs[order], one_hot[order]
    loss = hits = 0.0
    for start in range(0, len(inputs), task.batch_rows):
        x, y = x_all[start : start + task.batch_rows], y_all[start : start + task.batch_rows]
        hidden = 1 / (1 + np.exp(-(x @ weights[0])))
        out = 1 / (1 + np.exp(-(hidden @ weights[1])))
        shifted = np.exp(out - out.max(axis=1, keepdims=True))
        p = shifted / shifted.sum(axis=1, keepdims=True)
        loss -= (y * np.log(p)).sum()
        hits += (p.argmax(axis=1) == y.argmax(axis=1)).sum()
        delta2 = (p - y) / len(x) * out * (1 - out)
        delta1 = delta2 @ weights[1].T * hidden * (1 - hidden)
        weights[1] -= task.lr * hidden.T @ delta2
        weights[0] -= task.lr * x.T @ delta1


def _module(task: Task) -> Contest:
    import torch

    from benchmarks.peers import modules

    train, test = task.load()
    batches = modules.loader(task, train)
    networks: list[Any] = []

    def fresh() -> Any:
        networks[:] = [modules.network(task)]
        criterion = torch.nn.CrossEntropyLoss(label_smoothing=task.label_smoothing)
        return lambda: _module_epochs(networks[0], batches, criterion, task, test)

    return Contest(fresh, lambda: modules.reached(networks[0], task, test))


def _module_epochs(network: Any, batches: Any, criterion: Any, task: Task, test: Rows) -> None:
    from benchmarks.peers import modules

    optimiser = modules.optimiser(task, network.parameters())
    for _ in range(task.epochs):
        loss = hits = 0.0
        for inputs, targets in batches:
            optimiser.zero_grad()
            scores = network(inputs)
            mean = criterion(scores, targets)
            mean.backward()
            optimiser.step()
            loss += mean.item() * len(inputs)
            classes = targets.argmax(dim=1) if targets.ndim == 2 else targets
            hits += (scores.argmax(dim=1) == classes).sum().item()
    modules.reached(network, task, test)
