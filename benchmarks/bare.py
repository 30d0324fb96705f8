"""The same arithmetic without mlhw: loops as one would write them in a notebook, given tensors that are ready to use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn


def tensor_mlp_epoch(
    parameters: dict[str, torch.Tensor], inputs: torch.Tensor, targets: torch.Tensor, batch_rows: int, lr: float
) -> None:
    """One epoch of a two-layer sigmoid network, in the order of the rows, ``parameters`` changed in place.

    Forward, backward by hand, update: no loss is computed and no hit counted. As in the exercise, no ``torch.nn``, no
    autograd and no built-in activation.

    Args:
        parameters: W1 (features, units), b1, W2 (units, classes), b2.
        inputs: (rows, features), floats, scaled already.
        targets: (rows, classes), one-hot.
        batch_rows: rows a step.
        lr: the rate.
    """
    w1, b1, w2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    for x, y in zip(inputs.split(batch_rows), targets.split(batch_rows), strict=True):
        h = 1.0 / (1.0 + torch.exp(-(x @ w1 + b1)))
        z = h @ w2 + b2
        e = torch.exp(z - z.amax(dim=1, keepdim=True))
        delta2 = (e / e.sum(dim=1, keepdim=True) - y) / len(x)
        delta1 = (delta2 @ w2.T) * h * (1.0 - h)
        w1 -= lr * (x.T @ delta1)
        b1 -= lr * delta1.sum(dim=0)
        w2 -= lr * (h.T @ delta2)
        b2 -= lr * delta2.sum(dim=0)


class Notebook:
    """The course's tensor loop as students write it: each ``epoch()`` is one more.

    A ``DataLoader`` reads every picture of ``data``/MNIST through PIL and ``ToTensor``, 32 a batch, in order: forward, loss and
    accuracy, backward by hand, update. 784-128-10, sigmoid and softmax, N(0, 1) weights. ``choose`` may leave rows out.
    """

    def __init__(self, data: Path, lr: float = 0.1, choose: Callable[[Any], Any] = lambda data: data) -> None:
        from torch.utils.data import DataLoader
        from torchvision import datasets, transforms

        torch.manual_seed(42)
        self.lr = lr
        self.w1, self.b1, self.w2, self.b2 = (
            torch.randn(784, 128),
            torch.zeros(128),
            torch.randn(128, 10),
            torch.zeros(10),
        )
        parts = (datasets.MNIST(str(data), train=part, transform=transforms.ToTensor()) for part in (True, False))
        train, test = parts
        self.train, self.test = DataLoader(choose(train), batch_size=32), DataLoader(test, batch_size=32)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = 1.0 / (1.0 + torch.exp(-(x @ self.w1 + self.b1)))
        z = h @ self.w2 + self.b2
        e = torch.exp(z - z.amax(dim=1, keepdim=True))
        return h, e / e.sum(dim=1, keepdim=True)

    def epoch(self) -> None:
        """Train on every row once."""
        total_loss = correct = 0.0
        for images, labels in self.train:
            x, y = images.view(len(images), -1), nn.functional.one_hot(labels, 10).float()
            h, p = self.forward(x)
            total_loss += -(y * torch.log(p + 1e-12)).sum().item()
            correct += (p.argmax(dim=1) == labels).sum().item()
            delta2 = (p - y) / len(x)
            delta1 = (delta2 @ self.w2.T) * h * (1.0 - h)
            self.w1 -= self.lr * (x.T @ delta1)
            self.b1 -= self.lr * delta1.sum(dim=0)
            self.w2 -= self.lr * (h.T @ delta2)
            self.b2 -= self.lr * delta2.sum(dim=0)

    def test_accuracy(self) -> float:
        """The share of the test rows that are right."""
        hits = 0
        for images, labels in self.test:
            _, p = self.forward(images.view(len(images), -1))
            hits += (p.argmax(dim=1) == labels).sum().item()
        return hits / len(self.test.dataset)  # type: ignore[arg-type]  # a Dataset need not be Sized; MNIST is


class Operands(NamedTuple):
    """What the five matrix products of one step of a two-layer network take, but for the batch itself."""

    w1: np.ndarray  # (features, units)
    w2: np.ndarray  # (units, classes)
    h: np.ndarray  # (batch, units): the hidden layer
    delta1: np.ndarray  # (batch, units): the gradient at the hidden layer's sums
    delta2: np.ndarray  # (batch, classes): the gradient at the scores


def five_products(batches: Sequence[np.ndarray], operands: Operands) -> list[np.ndarray]:
    """The products of one epoch and nothing else, a step for each of ``batches`` (batch, features); the last step's.

    The results go into arrays that are made once, which is the fastest that numpy can be asked for.
    """
    w1, w2, h, delta1, delta2 = operands
    out = [np.empty_like(h), np.empty_like(delta2), np.empty_like(delta1), np.empty_like(w1), np.empty_like(w2)]
    for x in batches:
        np.matmul(x, w1, out=out[0])
        np.matmul(h, w2, out=out[1])
        np.matmul(delta2, w2.T, out=out[2])
        np.matmul(x.T, delta1, out=out[3])
        np.matmul(h.T, delta2, out=out[4])
    return out


def module_epochs(
    network: nn.Module,
    train: tuple[torch.Tensor, torch.Tensor],
    test: tuple[torch.Tensor, torch.Tensor],
    orders: Iterable[torch.Tensor],
    batch_rows: int,
    lr: float,
) -> float:
    """Accuracy on ``test`` after an epoch of Adam on cross-entropy for each of ``orders``; ``network`` is changed in place.

    Args:
        network: any classifier.
        train: inputs as the network takes them, and class indices.
        test: likewise.
        orders: each a permutation of the training rows.
        batch_rows: rows a step.
        lr: the rate.
    """
    inputs, targets = train
    criterion = nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(network.parameters(), lr=lr)
    network.train()
    for order in orders:
        for rows in order.split(batch_rows):
            optimiser.zero_grad()
            criterion(network(inputs[rows]), targets[rows]).backward()
            optimiser.step()
    network.eval()
    with torch.no_grad():
        return (network(test[0]).argmax(dim=1) == test[1]).float().mean().item()
