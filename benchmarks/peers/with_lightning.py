"""Lightning's ``Trainer``, without logger, checkpoints, bar or summary; loss and accuracy are logged by epoch."""

from __future__ import annotations

import logging
from typing import Any

import lightning
import torch
from torch.nn import functional

from benchmarks.peers import modules
from benchmarks.peers.contest import Contest
from benchmarks.peers.tasks import Task


class Classifier(lightning.LightningModule):
    """The task's network with its loss and optimiser."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task, self.network = task, modules.network(task)

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        inputs, targets = batch
        scores = self.network(inputs)
        loss = functional.cross_entropy(scores, targets, label_smoothing=self.task.label_smoothing)
        classes = targets.argmax(dim=1) if targets.ndim == 2 else targets
        hits = (scores.argmax(dim=1) == classes).float().mean()
        self.log_dict({"loss": loss, "accuracy": hits}, on_step=False, on_epoch=True, batch_size=len(inputs))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return modules.optimiser(self.task, self.network.parameters())


def contest(task: Task) -> Contest:
    """``Trainer.fit`` with a ``DataLoader`` on tensors in memory."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    train, test = task.load()
    batches = modules.loader(task, train)
    found: list[Classifier] = []

    def fresh() -> Any:
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=task.epochs,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        found[:] = [Classifier(task)]
        return lambda: trainer.fit(found[0], batches)

    return Contest(fresh, lambda: modules.reached(found[0].network, task, test))
