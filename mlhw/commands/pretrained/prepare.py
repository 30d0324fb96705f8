"""Everything that the work on pictures needs, before anything is written: pictures found, networks loaded, truth read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mlhw.commands.devices import torch_device
from mlhw.commands.display import Display
from mlhw.commands.pretrained import truth
from mlhw.commands.settings import Settings
from mlhw.config.pretrained import Classify, Compare, PretrainedExperiment
from mlhw.datasets.walking import Found
from mlhw.errors import ConfigError
from mlhw.models import class_names, state_dicts, zoo
from mlhw.models import weights as torchvision_weights
from mlhw.models.zoo import Network

NEAR: Final = 5  # a miss is a near one where the right class is among so many


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked of which networks on which pictures.

    ``truths`` has for each picture the indices of its true class (several where classes share a name), or None.
    """

    experiment: PretrainedExperiment
    networks: tuple[Network, ...]
    pictures: list[Found]
    truths: list[frozenset[int] | None]
    device: str
    threads: int

    @property
    def asked(self) -> Classify | Compare:
        """The experiment's part for its kind."""
        return asked_of(self.experiment)

    @property
    def compares(self) -> bool:
        """Whether networks are compared, and not only shown."""
        return isinstance(self.asked, Compare)

    @property
    def depth(self) -> int:
        """How many classes of each picture are kept: a comparison looks for near misses."""
        return max(self.asked.top, NEAR) if self.compares else self.asked.top

    @property
    def sources(self) -> str:
        """Where the weights come from, in words."""
        return "; ".join(f"{network.name}: {network.source}" for network in self.networks)


def asked_of(experiment: PretrainedExperiment) -> Classify | Compare:
    """The experiment's part for its kind. Raises ConfigError where it is one about filters."""
    asked = experiment.pretrained
    if not isinstance(asked, Classify | Compare):
        raise ConfigError(f"{experiment.name} shows filters: `mlhw pretrained filters --experiment {experiment.name}`.")
    return asked


def prepare(
    experiment: PretrainedExperiment, pictures: list[Found], threads: int, settings: Settings, display: Display
) -> Job:
    """The job of ``experiment`` on ``pictures``.

    Raises:
        ConfigError: there is no such network or device.
        DataError: weights, labels or truth are missing, damaged, or do not fit; see ``zoo.load`` and ``truth.read``.
        OutputError: a download cannot be written.
    """
    asked, device = asked_of(experiment), torch_device(experiment.device)
    if isinstance(asked, Compare) and asked.truth:
        truth.lines(Path(asked.truth))  # a fault in it comes before what may have to be fetched for minutes
    networks = load(asked, device, settings, display)
    truths: list[frozenset[int] | None] = [None] * len(pictures)
    if isinstance(asked, Compare) and asked.truth:
        if len({network.categories for network in networks}) > 1:
            raise ConfigError("--truth needs networks with the same classes. Compare such, or leave it out.")
        truths = truth.read(Path(asked.truth), pictures, networks[0].categories, display.warn)
    return Job(experiment, networks, pictures, truths, device, threads)


def load(asked: Classify | Compare, device: str, settings: Settings, display: Display) -> tuple[Network, ...]:
    """The networks of ``asked`` with their weights. Raises as ``zoo.load``; offline, for all that are missing at once."""
    for own in asked.weights.values():  # what the user named comes before what may have to be fetched for minutes
        state_dicts.require(Path(own))
    if asked.labels:
        class_names.text(Path(asked.labels))
    files = [torchvision_weights.weights_file(name) for name in asked.models if name not in asked.weights]
    if settings.offline and not all(file.path.is_file() for file in files):
        torchvision_weights.require(files)
    return tuple(
        zoo.load(
            name,
            weights=Path(asked.weights[name]) if name in asked.weights else None,
            labels=Path(asked.labels) if asked.labels else None,
            offline=settings.offline,
            progress=display.progress,
            device=device,
        )
        for name in asked.models
    )
