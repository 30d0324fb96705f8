"""Pretrained networks on pictures: in memory, and from files to a CSV as `mlhw pretrained classify` does it."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torchvision
from PIL import Image
from torchvision import transforms

from benchmarks.peers.contest import Contest
from benchmarks.peers.tasks import PictureTask
from mlhw.commands.display import Silent
from mlhw.commands.pretrained.prepare import Job
from mlhw.commands.pretrained.tables import Tables
from mlhw.commands.pretrained.work import classify
from mlhw.commands.settings import from_environment
from mlhw.config.pretrained import Classify, PretrainedExperiment
from mlhw.datasets.pictures import Found, find, open_picture
from mlhw.models import zoo
from mlhw.models.zoo import Network
from mlhw.runs.store import Run

BATCH, READY_BATCH = 32, 16


def ours(task: PictureTask) -> Contest:
    """mlhw's network on ready batches, or all that `mlhw pretrained classify` does with networks loaded, pictures found."""
    network = load(task)
    if task.folder is None:
        return Contest(partial(_through_zoo, network, ready(task, READY_BATCH, torch.channels_last)))
    pictures = chosen(task)
    asked = Classify(kind="classify", models=(task.network,), batch_size=BATCH)
    experiment = PretrainedExperiment(name="benchmark", pretrained=asked)
    job = Job(experiment, (network,), pictures, [None] * len(pictures), "cpu", os.cpu_count() or 1)
    folder = Path(from_environment().outputs) / "classified"

    def fresh() -> Any:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tables = Tables(Run(folder), job.networks, job.depth, pictures, with_entropies=False)

        def work() -> None:
            classify(job, tables, Silent())
            tables.close()

        return work

    return Contest(fresh)


def _through_zoo(network: Network, batches: list[torch.Tensor]) -> Any:
    def work() -> None:
        for batch in batches:
            zoo.scores(network, batch)

    return work


def forward_alone(task: PictureTask) -> Contest:
    """The network alone, on batches that lie in memory ready and channels last."""
    return Contest(partial(_through_zoo, load(task), ready(task, BATCH, torch.channels_last)))


def decoding_alone(task: PictureTask) -> Contest:
    """Every picture opened and resized, one after the other in one thread."""
    network, pictures = load(task), chosen(task)

    def work() -> None:
        for picture in pictures:
            network.course.picture(open_picture(picture.path))

    return Contest(lambda: work)


def notebook(task: PictureTask) -> Contest:
    """torchvision's network in ``eval`` and ``no_grad``, channels first; from files, the loop of every tutorial."""
    module = torchvision.models.get_model(task.network, weights=None).eval()
    if task.folder is None:
        batches = ready(task, READY_BATCH, torch.contiguous_format)

        def forward() -> None:
            with torch.no_grad():
                for batch in batches:
                    module(batch)

        return Contest(lambda: forward)
    pictures = chosen(task)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    prepare = transforms.Compose(
        [transforms.Resize((224, 224)), transforms.ToTensor(), transforms.Normalize(mean, std)]
    )

    def work() -> None:
        with torch.no_grad():
            for start in range(0, len(pictures), BATCH):
                images = [Image.open(picture.path).convert("RGB") for picture in pictures[start : start + BATCH]]
                module(torch.stack([prepare(image) for image in images])).softmax(dim=1).topk(5)

    return Contest(lambda: work)


def ready(task: PictureTask, rows: int, layout: torch.memory_format) -> list[torch.Tensor]:
    """As many random pictures as the task has, ``rows`` a batch."""
    generator = torch.Generator().manual_seed(0)
    counts = [rows] * (task.count // rows)
    return [torch.randn(n, 3, 224, 224, generator=generator).contiguous(memory_format=layout) for n in counts]


def chosen(task: PictureTask) -> list[Found]:
    """``count`` pictures from all over the folder."""
    found = find([str(task.folder)], recursive=True)
    return [found[index * len(found) // task.count] for index in range(task.count)]


def load(task: PictureTask) -> Network:
    """mlhw's network with seeded weights: as quick as trained ones."""
    with tempfile.TemporaryDirectory() as scratch:
        return zoo.load(task.network, weights=seeded_weights(task.network, Path(scratch) / "weights.pth"))


def seeded_weights(network: str, path: Path) -> Path:
    """A state dict of ``network`` as it is initialised by seed 0, at ``path``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(torchvision.models.get_model(network, weights=None).state_dict(), path)
    return path
