"""Pictures through ResNet18 as `mlhw pretrained classify` does it, beside the ideal and beside a plain loop."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
import torchvision
from PIL import Image
from torchvision import transforms

from benchmarks.harness import Result, Side, timed
from benchmarks.workplace import Workplace
from mlhw.commands.display import Silent
from mlhw.commands.pretrained.prepare import Job
from mlhw.commands.pretrained.tables import Tables
from mlhw.commands.pretrained.work import classify
from mlhw.config.pretrained import Classify, PretrainedExperiment
from mlhw.datasets.pictures import Found, find, open_picture
from mlhw.models import zoo
from mlhw.models.zoo import Network
from mlhw.runs.store import Run

PICTURES, BATCH = 512, 32
GROCERY = Path("GroceryStoreDataset") / "dataset" / "test"


def pretrained(place: Workplace) -> Iterator[Result]:
    """Milliseconds a picture, 512 photos, all sides in turn within each round; ResNet18 with seeded weights."""
    folder = place.settings.data / GROCERY
    if not folder.is_dir():
        yield Result("pretrained", note=f"skipped: no {folder}")
        return
    found = find([str(folder)], recursive=True)
    pictures = [found[index * len(found) // PICTURES] for index in range(PICTURES)]
    with tempfile.TemporaryDirectory() as scratch:
        network = zoo.load("resnet18", weights=seeded_weights(Path(scratch) / "resnet18.pth"))
        sides = {
            "ours": ours(network, pictures, Path(scratch)),
            "forward": forward(network),
            "decoding": decoding(network, pictures),
            "plain": plain(network, pictures),
        }
        rounds = [measured(sides, backwards=bool(turn % 2)) for turn in range(-1, place.repeats)][1:]
    cores = torch.get_num_threads()
    ideal = tuple(times["forward"] + times["decoding"] / cores for times in rounds)
    took = tuple(times["ours"] for times in rounds)
    yield Result("pretrained-ideal", took, ideal, 1.11, unit="ms", note="forward + decoding / cores")
    yield Result("pretrained-plain", took, tuple(times["plain"] for times in rounds), 0.71, unit="ms")


def measured(sides: dict[str, Side], backwards: bool) -> dict[str, float]:
    """Milliseconds a picture for each side, one after the other."""
    names = list(reversed(sides)) if backwards else list(sides)
    return {name: 1e3 * timed(sides[name]) / PICTURES for name in names}


def ours(network: Network, pictures: list[Found], scratch: Path) -> Side:
    """What `mlhw pretrained classify` does with networks loaded and pictures found: folding, classes, rows on the disk."""
    asked = Classify(kind="classify", models=("resnet18",), batch_size=BATCH)
    experiment = PretrainedExperiment(name="benchmark", pretrained=asked)
    job = Job(experiment, (network,), pictures, [None] * len(pictures), "cpu", torch.get_num_threads())

    def prepare() -> object:
        shutil.rmtree(scratch / "run", ignore_errors=True)
        (scratch / "run").mkdir()
        tables = Tables(Run(scratch / "run"), job.networks, job.depth, pictures, with_entropies=False)

        def work() -> None:
            classify(job, tables, Silent())
            tables.close()

        return work

    return prepare  # type: ignore[return-value]


def forward(network: Network) -> Side:
    """The network alone, on batches that lie in memory ready and channels last."""
    batches = [
        torch.randn(BATCH, 3, 224, 224).contiguous(memory_format=torch.channels_last) for _ in range(PICTURES // BATCH)
    ]

    def work() -> None:
        with torch.inference_mode():
            for batch in batches:
                network.module(batch)

    return lambda: work


def decoding(network: Network, pictures: list[Found]) -> Side:
    """Every picture opened and resized, one after the other in one thread."""

    def work() -> None:
        for picture in pictures:
            network.course.picture(open_picture(picture.path))

    return lambda: work


def plain(network: Network, pictures: list[Found]) -> Side:
    """The loop of every tutorial: decode, stack, run, channels first."""
    module = torchvision.models.resnet18()
    module.load_state_dict(network.module.state_dict())
    module.eval().to(memory_format=torch.contiguous_format)
    prepare = transforms.Compose(
        [
            transforms.Resize((224, 224)),
            transforms.ToTensor(),
            transforms.Normalize(network.course.mean, network.course.std),
        ]
    )

    def work() -> None:
        with torch.no_grad():
            for start in range(0, len(pictures), BATCH):
                images = [Image.open(picture.path).convert("RGB") for picture in pictures[start : start + BATCH]]
                module(torch.stack([prepare(image) for image in images])).softmax(dim=1).topk(5)

    return lambda: work


def seeded_weights(path: Path) -> Path:
    """A state dict of ResNet18 as it is initialised by seed 0, at ``path``: as quick as trained weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(torchvision.models.resnet18().state_dict(), path)
    return path
