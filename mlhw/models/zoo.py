"""torchvision's classification networks, ready to use: weights from torchvision or from a file, names, preprocessing.

network = zoo.load("resnet18", offline=False, progress=…)
batch = zoo.stack([zoo.preprocess(image, "course", network) for image in images])
scores = zoo.scores(network, zoo.normalise(batch, "course", network))        # (rows, classes), before softmax
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float32, UInt8
from PIL.Image import Image
from torch import nn

from mlhw.datasets.download import Progress
from mlhw.errors import DataError
from mlhw.models import class_names, preprocessing, state_dicts
from mlhw.models import weights as torchvision_weights
from mlhw.models.fitting import fitted
from mlhw.models.preprocessing import Preprocessing
from mlhw.models.preprocessing import stack as stack

How = Literal["course", "torchvision"]


@dataclass(frozen=True, slots=True)
class Network:
    """A network for classification, in evaluation mode, channels last, without gradients for its weights.

    ``categories`` has a name for each output. ``source`` says in words where the weights come from. ``parameters`` is their
    number. ``course`` and ``torchvision`` are the two ways to bring a picture to it.
    """

    name: str
    module: nn.Module
    categories: tuple[str, ...]
    source: str
    parameters: int
    course: Preprocessing
    torchvision: Preprocessing

    def preprocessing(self, how: How) -> Preprocessing:
        """The one named ``how``."""
        return self.course if how == "course" else self.torchvision

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.module.parameters()).device


def names() -> list[str]:
    """Every classification network of torchvision, by name; the quantized ones are left out."""
    return list(torchvision_weights.names())


def load(
    name: str,
    *,
    weights: Path | None = None,
    labels: Path | None = None,
    offline: bool = False,
    progress: Progress = lambda what, done, total: None,
    device: str | torch.device = "cpu",
) -> Network:
    """The network ``name`` with weights and class names.

    Args:
        name: see :func:`names`.
        weights: a state dict (see :func:`mlhw.models.state_dicts.read`); None for torchvision's default weights, found in
            torch's folder or fetched. With a file, too, the ``torchvision`` preprocessing is that of the default weights.
        labels: a file of class names (see :func:`mlhw.models.class_names.read`); None for those of torchvision's weights where
            the network has as many outputs, and otherwise for ``class 0``, ``class 1``, …
        offline: fetch nothing (MLHW_OFFLINE=1).
        progress: told of the download.
        device: where the weights go.

    Raises:
        ConfigError: there is no such network.
        DataMissing: a file is not there, and cannot be fetched or is not to be; says what to put where.
        DataError: the weights are damaged or do not fit the network (listed both ways), or the labels do not.
        OutputError: the download cannot be written.
    """
    chosen = torchvision_weights.default_weights(name)
    if labels is not None:
        class_names.text(labels)  # before anything is fetched for minutes
    module, outputs, source = _of_file(name, weights) if weights else _torchvision_s(name, offline, progress)
    usual = chosen.meta["categories"]
    if labels is not None:
        categories = class_names.read(labels, outputs)
    else:
        categories = tuple(usual) if outputs == len(usual) else tuple(f"class {index}" for index in range(outputs))
    module = module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # no such overload
    side = getattr(module, "image_size", preprocessing.COURSE_SIDE)  # a ViT takes pictures of one size alone
    return Network(
        name,
        module,
        categories,
        source,
        sum(parameter.numel() for parameter in module.parameters()),
        preprocessing.course(side),
        preprocessing.of_preset(chosen.transforms()),
    )


def _of_file(name: str, path: Path) -> tuple[nn.Module, int, str]:
    """The network with the weights at ``path``, its number of outputs, and the source in words."""
    state = state_dicts.read(path)
    module, outputs = fitted(name, state)
    return module, outputs, ", ".join([str(path), *state.notes])


def _torchvision_s(name: str, offline: bool, progress: Progress) -> tuple[nn.Module, int, str]:
    file = torchvision_weights.weights_file(name)
    path = torchvision_weights.find(file, offline=offline, progress=progress)
    try:
        module, outputs, source = _of_file(name, path)
    except DataError as error:
        wrong = torchvision_weights.wrong_hash(path, file.sha256)
        advice = f" It has not the pinned hash ({wrong}): `mlhw weights fetch {name}` brings it anew." if wrong else ""
        raise type(error)(f"{error}{advice}") from error
    return module, outputs, f"torchvision {file.weights}: {source}"


def preprocess(image: Image, how: How, network: Network) -> UInt8[torch.Tensor, "3 height width"]:
    """An RGB picture at the size that ``network`` takes, as bytes; :func:`stack` makes batches of such.

    ``course``: squashed to 224×224 (ViT-H/14: 518×518, the only size it takes). ``torchvision``: the weights' own resize and
    crop of the centre.

    Raises:
        ValueError: ``image`` is not RGB.
    """
    return network.preprocessing(how).picture(image)


def normalise(
    batch: UInt8[torch.Tensor, "rows 3 height width"],
    how: How,
    network: Network,
    out: Float32[torch.Tensor, "rows 3 height width"] | None = None,
) -> Float32[torch.Tensor, "rows 3 height width"]:
    """``batch`` on the network's device as the numbers it takes; see :meth:`Preprocessing.normalise`, also for ``out``."""
    return network.preprocessing(how).normalise(batch.to(network.device), out)


def scores(
    network: Network, batch: Float32[torch.Tensor, "rows 3 height width"]
) -> Float32[torch.Tensor, "rows classes"]:
    """What ``network`` says of each picture, before softmax, on its device."""
    with torch.inference_mode():
        found: torch.Tensor = network.module(batch)
    return found


def convolutions(network: Network) -> list[str]:
    """The names of its 2-D convolutions, in the order in which the network was built."""
    return [name for name, module in network.module.named_modules() if isinstance(module, nn.Conv2d)]
