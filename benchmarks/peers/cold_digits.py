"""``python -m benchmarks.peers.cold_digits``: the recipe of ``digits-cnn`` as one plain program, imports included.

The same network, data, batches, epochs, augmentation, averaging and choice of epoch as the experiment, without files, figures
or a bar. Prints the accuracy on test.
"""

from __future__ import annotations

import copy
import math

import sklearn.datasets
import sklearn.model_selection
import torch
from torch import nn
from torch.nn import functional

EPOCHS, BATCH, LR, WARMUP = 150, 50, 3e-3, 0.05


def main() -> None:
    """Train, choose the epoch by the loss on 50 validation rows, and print the accuracy on test."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    (x, y), (val_x, val_y), (test_x, test_y) = _data()
    network = _network()
    averaged, best, best_loss = copy.deepcopy(network).eval(), {}, math.inf
    matrices = [p for p in network.parameters() if p.ndim > 1]
    groups = [{"params": matrices, "weight_decay": 1e-2}, {"params": [p for p in network.parameters() if p.ndim == 1]}]
    optimiser = torch.optim.AdamW(groups, lr=LR, weight_decay=0.0, fused=True)
    steps, total = 0, EPOCHS * math.ceil(len(x) / BATCH)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH):
            for group in optimiser.param_groups:
                group["lr"] = LR * _rate(steps / total)
            optimiser.zero_grad()
            functional.cross_entropy(network(_moved(x[rows])), y[rows]).backward()
            optimiser.step()
            steps += 1
            with torch.no_grad():
                share = 1.0 - min(0.98, (1 + steps) / (10 + steps))
                torch._foreach_lerp_(list(averaged.parameters()), list(network.parameters()), share)
        with torch.no_grad():
            loss = functional.cross_entropy(averaged(val_x), val_y).item()
        if loss < best_loss:
            best, best_loss = copy.deepcopy(averaged.state_dict()), loss
    averaged.load_state_dict(best)
    with torch.no_grad():
        print((averaged(test_x).argmax(dim=1) == test_y).float().mean().item())


def _data() -> list[tuple[torch.Tensor, torch.Tensor]]:
    pixels, labels = sklearn.datasets.load_digits(return_X_y=True)
    split = sklearn.model_selection.train_test_split
    train_x, test_x, train_y, test_y = split(pixels, labels, train_size=500, random_state=4803)
    train_x, val_x, train_y, val_y = split(train_x, train_y, test_size=50, random_state=0, stratify=train_y)
    shift, scale = train_x.mean(), train_x.std()
    return [
        (torch.tensor((inputs - shift) / scale, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(targets))
        for inputs, targets in ((train_x, train_y), (val_x, val_y), (test_x, test_y))
    ]


def _network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(512, 10),
    )


def _rate(progress: float) -> float:
    if progress < WARMUP:
        return max(progress, 1e-3 * WARMUP) / WARMUP
    return 0.5 * (1.0 + math.cos(math.pi * (progress - WARMUP) / (1.0 - WARMUP)))


def _moved(images: torch.Tensor) -> torch.Tensor:
    """Each image turned by up to 10 degrees, scaled and shifted by up to 8 %, in one resampling."""
    count = len(images)
    angle = (torch.rand(count) * 2 - 1) * math.radians(10)
    size = torch.exp((torch.rand(count) * 2 - 1) * math.log1p(0.08))
    shift = (torch.rand(count, 2) * 4 - 2) * 0.08
    cosine, sine = torch.cos(angle) / size, torch.sin(angle) / size
    across = torch.stack([cosine, -sine, shift[:, 0]], dim=1)
    down = torch.stack([sine, cosine, shift[:, 1]], dim=1)
    grid = functional.affine_grid(torch.stack([across, down], dim=1), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


if __name__ == "__main__":
    main()
