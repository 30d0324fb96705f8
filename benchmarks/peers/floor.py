"""The bare arithmetic of each workload: what no tool can be faster than, or the plainest loop where that is the floor."""

from __future__ import annotations

import itertools
from typing import Any

import torch

from benchmarks.bare import Operands, five_products, module_epochs, tensor_mlp_epoch
from benchmarks.peers.contest import Contest
from benchmarks.peers.tasks import Task


def contest(task: Task) -> Contest:
    """The floor of ``task``, as ``tables.WORKLOADS`` says in words."""
    floors = {
        "mnist-mlp-notebook": _by_hand,
        "numpy-mlp-notebook": _products,
        "digits-cnn-notebook": _module,
        "grocery-cnn": _synthetic,
    }
    return floors[task.experiment](task)


def _by_hand(task: Task) -> Contest:
    train, test = task.load()
    inputs, one_hot = torch.from_numpy(train.inputs), torch.eye(task.classes)[torch.from_numpy(train.targets)]
    found: dict[str, torch.Tensor] = {}

    def fresh() -> Any:
        generator = torch.Generator().manual_seed(0)
        sizes = (train.inputs.shape[1], task.units or 0, task.classes)
        for layer, shape in enumerate(itertools.pairwise(sizes), start=1):
            found[f"W{layer}"] = torch.randn(shape, generator=generator)
            found[f"b{layer}"] = torch.zeros(shape[1])
        return lambda: tensor_mlp_epoch(found, inputs, one_hot, task.batch_rows, task.lr)

    def accuracy() -> float:
        hidden = torch.sigmoid(torch.from_numpy(test.inputs) @ found["W1"] + found["b1"])
        guess = (hidden @ found["W2"] + found["b2"]).argmax(dim=1).numpy()
        return float((guess == test.targets).mean())

    return Contest(fresh, accuracy)


def _products(task: Task) -> Contest:
    import numpy as np

    train, _ = task.load()
    rows, rng = task.batch_rows, np.random.default_rng(0)
    inputs = np.concatenate([train.inputs, np.ones((len(train.inputs), 1))], axis=1)  # the column of ones for the bias
    batches = [inputs[start : start + rows] for start in range(0, len(inputs), rows)]
    units = task.units or 0
    shapes = ((inputs.shape[1], units), (units, task.classes), (rows, units), (rows, units), (rows, task.classes))
    operands = Operands(*(rng.uniform(-1, 1, shape).astype(task.dtype) for shape in shapes))
    return Contest(lambda: lambda: five_products(batches, operands))


def _module(task: Task) -> Contest:
    train, test = (
        (torch.from_numpy(part.inputs).float().permute(0, 3, 1, 2).contiguous(), torch.from_numpy(part.targets))
        for part in task.load()
    )
    reached: list[float] = []

    def fresh() -> Any:
        torch.manual_seed(0)
        network = task.build()
        orders = (torch.randperm(len(train[0])) for _ in range(task.epochs))
        return lambda: reached.append(module_epochs(network, train, test, orders, task.batch_rows, task.lr))

    return Contest(fresh, lambda: reached[-1])


def _synthetic(task: Task) -> Contest:
    """As many batches of random numbers as the epoch has, channels last, with the one-kernel optimiser."""
    train, _ = task.load()
    rows, last = task.batch_rows, torch.channels_last
    generator = torch.Generator().manual_seed(0)
    height = width = task.crop_pixels
    depth = train.inputs.shape[-1]
    images = torch.randn(rows, depth, height, width, generator=generator).contiguous(memory_format=last)
    mixtures = torch.rand(rows, task.classes, generator=generator).softmax(dim=1)
    whole, rest = divmod(len(train.inputs), rows)

    def fresh() -> Any:
        torch.manual_seed(0)
        network = task.build().to(memory_format=last)
        optimiser = torch.optim.AdamW(network.parameters(), task.lr, weight_decay=task.weight_decay, fused=True)
        criterion = torch.nn.CrossEntropyLoss(label_smoothing=task.label_smoothing)

        def work() -> None:
            for count in [rows] * whole + [rest] * (rest > 0):
                optimiser.zero_grad()
                criterion(network(images[:count]), mixtures[:count]).backward()
                optimiser.step()

        return work

    return Contest(fresh)
