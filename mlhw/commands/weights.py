"""``mlhw weights list | fetch``, without the printing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlhw.models import weights

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """torchvision's default weights of one network, as ``mlhw weights list`` shows them.

    ``status``: ``cached`` (the file is there), ``partial`` (a download of it broke off) or ``missing``. ``top1`` and ``top5``
    are accuracies on ImageNet's validation set, from 0 to 1, with the weights' own preprocessing.
    """

    model: str
    weights: str
    status: Literal["cached", "partial", "missing"]
    parameters: int
    size_bytes: int
    top1: float
    top5: float
    url: str
    path: Path


@dataclass(frozen=True, slots=True)
class FetchedRecord:
    """What became of the weights of one network: they were there already, with the pinned hash, or were fetched."""

    model: str
    path: Path
    status: Literal["present", "fetched"]


def list_weights() -> list[WeightsRecord]:
    """The weights of every network, by name; reads no file and builds no network."""
    return [_record(weights.weights_file(name)) for name in weights.names()]


def fetch_weights(models: Sequence[str], *, offline: bool, progress: Progress) -> Iterator[FetchedRecord]:
    """Bring the weights of each of ``models``, one after the other. All names are looked at before the first is fetched.

    Raises:
        ConfigError: there is no such network; nothing was fetched.
        DataMissing, DataError, OutputError: see :func:`mlhw.models.weights.fetch`; what came before stays.
    """
    files = [weights.weights_file(name) for name in dict.fromkeys(models)]
    if offline:
        weights.require(files)
    for file in files:
        path, status = weights.fetch(file, offline=offline, progress=progress)
        yield FetchedRecord(file.model, path, status)


def _record(file: weights.WeightsFile) -> WeightsRecord:
    status: Literal["cached", "partial", "missing"] = "partial" if file.part.is_file() else "missing"
    return WeightsRecord(
        file.model,
        file.weights,
        "cached" if file.path.is_file() else status,
        file.parameters,
        file.size_bytes,
        file.top1,
        file.top5,
        file.url,
        file.path,
    )
