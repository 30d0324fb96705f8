"""Experiments with pretrained networks: what is asked of them, on the user's own pictures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mlhw.config.fields import Count, Name, Strict

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$", max_length=60)]
PathText = Annotated[str, Field(min_length=1, max_length=4096)]


class Classify(Strict):
    """The ``top`` classes of each picture, by each of ``models``.

    ``weights`` names a state dict of one's own for a model, ``labels`` what its outputs are called. ``preprocess`` is the
    course's (resize to 224×224) or the one that came with torchvision's weights. ``strict`` stops at the first bad picture.
    """

    kind: Literal["classify"]
    models: Annotated[tuple[ModelName, ...], Field(min_length=1, max_length=100)] = ("resnet18",)
    weights: dict[ModelName, PathText] = Field(default_factory=dict, max_length=100)
    labels: PathText | None = None
    top: Annotated[int, Field(ge=1, le=1000)] = 5
    preprocess: Literal["course", "torchvision"] = "course"
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 32
    recursive: bool = False
    strict: bool = False


class Compare(Strict):
    """The same pictures through several networks; ``truth`` is a CSV ``file,label`` of what they show, where known."""

    kind: Literal["compare"]
    models: Annotated[tuple[ModelName, ...], Field(min_length=2, max_length=100)] = ("alexnet", "vgg16", "resnet18")
    weights: dict[ModelName, PathText] = Field(default_factory=dict, max_length=100)
    labels: PathText | None = None
    truth: PathText | None = None
    top: Annotated[int, Field(ge=1, le=1000)] = 5
    preprocess: Literal["course", "torchvision"] = "course"
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 32
    recursive: bool = False
    strict: bool = False


class Filters(Strict):
    """The first ``filters`` of a convolution and their responses to ``image``; ``cam`` adds Grad-CAM of its class.

    Without ``layer`` the network's first convolution.
    """

    kind: Literal["filters"]
    model: ModelName = "vgg16"
    weights: dict[ModelName, PathText] = Field(default_factory=dict, max_length=100)
    labels: PathText | None = None
    layer: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    filters: Annotated[tuple[Annotated[int, Field(ge=0, le=65535)], ...], Field(min_length=1, max_length=64)] = (
        0,
        1,
        2,
    )
    image: PathText | None = None
    cam: bool = False
    preprocess: Literal["course", "torchvision"] = "course"


class PretrainedExperiment(Strict):
    """One experiment with pretrained networks, wholly described but for the pictures, which the command names."""

    name: Name
    description: Annotated[str, Field(max_length=2000)] = ""
    source: Annotated[str, Field(max_length=2000)] = ""
    result: Annotated[str, Field(max_length=2000)] = ""
    pretrained: Annotated[Classify | Compare | Filters, Field(discriminator="kind")]
    paths: Annotated[tuple[PathText, ...], Field(max_length=100_000)] = ()
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:[0-9]{1,3})?)$")] = "auto"
    threads: Count | None = None
