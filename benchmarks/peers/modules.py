"""What the tools on torch share: the network, the data and its augmentation as their manuals have it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset, default_collate

from benchmarks.peers.contest import accuracy
from benchmarks.peers.tasks import IMAGENET, Rows, Task


def network(task: Task) -> nn.Module:
    """The task's network, as initialised by torch."""
    torch.manual_seed(0)
    if task.units is None:
        return task.build()
    layers = [nn.Linear(784, task.units), nn.Sigmoid(), nn.Linear(task.units, task.classes)]
    return nn.Sequential(*layers, *[nn.Sigmoid()] * task.squash_scores)


def tensors(task: Task, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs float32 as the network takes them, and targets; photos stay bytes, (rows, channels, height, width)."""
    inputs = torch.from_numpy(np.ascontiguousarray(rows.inputs))
    if inputs.ndim == 4:
        inputs = inputs.permute(0, 3, 1, 2).contiguous()
    return (inputs if task.augmented else inputs.float()), torch.from_numpy(np.ascontiguousarray(rows.targets))


def dataset(task: Task, rows: Rows) -> Dataset[Any]:
    """The training rows as a data set; photos are augmented one at a time, by torchvision."""
    inputs, targets = tensors(task, rows)
    return Augmented(inputs, targets, task.crop_pixels) if task.augmented else TensorDataset(inputs, targets)


def loader(task: Task, rows: Rows) -> DataLoader[Any]:
    """Batches of them; photos are mixed in pairs."""
    collate = Mixed(task.classes) if task.augmented else None
    return DataLoader(dataset(task, rows), task.batch_rows, shuffle=task.shuffle, collate_fn=collate)


class Augmented(Dataset[Any]):
    """Photos through torchvision's transforms, with the strengths of ``grocery-cnn``."""

    def __init__(self, images: torch.Tensor, targets: torch.Tensor, crop_pixels: int) -> None:
        from torchvision.transforms import v2

        self.images, self.targets = images, targets
        self.transform = v2.Compose(
            [
                v2.RandomResizedCrop(crop_pixels, scale=(0.15, 1.0), ratio=(1 / 1.5, 1.5)),
                v2.RandomHorizontalFlip(),
                v2.RandomRotation(15),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(*IMAGENET),
                v2.RandomErasing(p=0.5, scale=(0.02, 0.25)),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.transform(self.images[row]), self.targets[row]


class Mixed:
    """Collates a batch and mixes half of them, up or by rectangles; targets become probabilities."""

    def __init__(self, classes: int) -> None:
        from torchvision.transforms import v2

        self.classes = classes
        self.mix = v2.RandomChoice([v2.MixUp(alpha=0.4, num_classes=classes), v2.CutMix(num_classes=classes)])

    def __call__(self, examples: list[Any]) -> Any:
        images, targets = default_collate(examples)
        if torch.rand(()) < 0.5:
            return self.mix(images, targets)
        return images, nn.functional.one_hot(targets, self.classes).float()


def optimiser(task: Task, parameters: Any) -> torch.optim.Optimizer:
    """The task's optimiser with torch's defaults."""
    kind, options = optimiser_class(task)
    return kind(parameters, lr=task.lr, **options)


def optimiser_class(task: Task) -> tuple[Any, dict[str, float]]:
    """The class of the task's optimiser, and its options but the rate."""
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[task.optimiser], {"weight_decay": task.weight_decay} if task.weight_decay else {}


def reached(module: nn.Module, task: Task, test: Rows) -> float:
    """Accuracy of ``module`` on ``test``."""
    inputs, _ = tensors(task, test)
    if task.augmented:
        shift, scale = (torch.tensor(numbers)[:, None, None] for numbers in IMAGENET)
        inputs = (inputs.float() / 255 - shift) / scale
    module.eval()
    with torch.no_grad():
        guess = torch.cat([module(part).argmax(dim=1) for part in inputs.split(500)])
    module.train()
    return accuracy(guess.numpy(), test)
