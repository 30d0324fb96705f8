"""The numbers behind ``mlhw pretrained filters``: weights, responses and Grad-CAM of one network, and the figures of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image as Pillow
from PIL.Image import Image

from mlhw.config.pretrained import Filters
from mlhw.models import grad_cam as cams
from mlhw.models import responses as layers
from mlhw.models import zoo
from mlhw.models.filter_facts import FilterFacts, filter_facts
from mlhw.models.preprocessing import Preprocessing
from mlhw.models.zoo import Network

VIEW_PIXELS: Final = 720  # the longer side of a picture in a figure
FLATTEST: Final = 2.7  # the longer side over the shorter, at most: else a panorama would be a line


@dataclass(frozen=True, slots=True)
class View:
    """A picture as a figure shows it: the part that the network sees; ``note`` says what was done to it, or nothing."""

    pixels: UInt8[np.ndarray, "rows columns 3"]
    note: str


@dataclass(frozen=True, slots=True)
class Heat:
    """Grad-CAM at ``layer``; ``after`` says what else its output went through first."""

    layer: str
    after: tuple[str, ...]
    values: Float[np.ndarray, "height width"]

    @property
    def place(self) -> str:
        """Where it was taken, in words."""
        return f"{self.layer}, after {' and '.join(self.after)}" if self.after else self.layer


@dataclass(frozen=True, slots=True)
class Seen:
    """What the network makes of one picture: the responses of the filters, its class, and perhaps where it found that."""

    view: View
    maps: Float[np.ndarray, "filters height width"]
    class_index: int
    class_name: str
    probability: float
    heat: Heat | None


@dataclass(frozen=True, slots=True)
class Study:
    """The chosen filters ``indices`` of the convolution ``layer``, which has ``count``.

    ``colour``: their three channels are red, green and blue.
    """

    network: Network
    layer: str
    count: int
    indices: tuple[int, ...]
    weights: Float[np.ndarray, "filters channels height width"]
    facts: tuple[FilterFacts, ...]
    colour: bool
    seen: Seen | None

    @property
    def place(self) -> str:
        """Network and layer, in words."""
        return f"{self.network.name}, {self.layer}"


def study(network: Network, asked: Filters, image: Image | None) -> Study:
    """What is asked of ``network``, of ``image`` too where there is one (RGB).

    Raises:
        ConfigError: no such convolution or filter, or none that serves; says which there are.
    """
    first = zoo.convolutions(network)[0]
    layer, indices = asked.layer or first, tuple(dict.fromkeys(asked.filters))
    weights = layers.kernels(network.module, layer, indices).numpy()
    convolution = layers.convolution(network.module, layer)
    return Study(
        network=network,
        layer=layer,
        count=convolution.out_channels,
        indices=indices,
        weights=weights,
        facts=tuple(map(filter_facts, weights)),
        colour=layer == first and weights.shape[1] == 3,
        seen=None if image is None else _look(network, asked, layer, indices, image),
    )


def _look(network: Network, asked: Filters, layer: str, indices: tuple[int, ...], image: Image) -> Seen:
    pictures = zoo.stack([zoo.preprocess(image, asked.preprocess, network)])
    batch = zoo.normalise(pictures, asked.preprocess, network)
    maps = layers.responses(network.module, layer, batch, indices)[0].cpu().numpy()
    heat = None
    if asked.cam:
        where = asked.layer or cams.last_map(network.module, batch)
        cam = cams.grad_cam(network.module, where, batch)
        scores, heat = cam.scores, Heat(where, cam.after, cam.heat[0].cpu().numpy())
    else:
        scores = zoo.scores(network, batch)
    probabilities = torch.softmax(scores[0].double(), dim=0)
    index = int(scores[0].argmax())
    view = seen_part(image, network.preprocessing(asked.preprocess))
    return Seen(view, maps, index, network.categories[index], float(probabilities[index]), heat)


def seen_part(image: Image, how: Preprocessing) -> View:
    """What of ``image`` the network sees, for a figure: in its own shape, unless that is too flat to be looked at."""
    box, note = _box(image.size, how), ""
    width, height = box[2] - box[0], box[3] - box[1]
    if how.crop is not None and (width + 1 < image.width or height + 1 < image.height):
        note = f"The picture is shown as far as the network sees it: the middle of {image.width:,}×{image.height:,} pixels."
    shape = float(np.clip(width / height, 1 / FLATTEST, FLATTEST))
    if not 0.99 < shape / (width / height) < 1.01:
        note = f"The picture of {image.width:,}×{image.height:,} pixels is shown nearer to a square. {note}".strip()
    columns, rows = (round(VIEW_PIXELS * min(1.0, side)) for side in (shape, 1 / shape))
    few = max(width, height) < VIEW_PIXELS / 4  # its pixels are to be seen as squares
    way = Pillow.Resampling.NEAREST if few else Pillow.Resampling.LANCZOS
    return View(np.asarray(image.resize((columns, rows), way, box=box, reducing_gap=3.0)), note)


def _box(size: tuple[int, int], how: Preprocessing) -> tuple[float, float, float, float]:
    """The part of a picture of ``size`` that is left after the crop of its centre, in its own pixels."""
    width, height = size
    if how.crop is None:
        return 0.0, 0.0, float(width), float(height)
    down, right = how.resize if len(how.resize) == 2 else (how.resize[0] * side / min(size) for side in (height, width))
    wide, high = (min(side, side * how.crop / resized) for side, resized in ((width, right), (height, down)))
    return (width - wide) / 2, (height - high) / 2, (width + wide) / 2, (height + high) / 2


def draw(found: Study, picture: str, folder: Path) -> list[Path]:
    """The figures of ``found`` in ``folder``; ``picture`` is what the picture is called. Raises OutputError."""
    from mlhw.plots.cam import draw_cam
    from mlhw.plots.filters import draw_filters
    from mlhw.plots.responses import draw_responses
    from mlhw.plots.style import save

    number = len(found.indices)
    which = "all" if number == found.count else f"{number}" if number > 1 else f"filter {found.indices[0]}"
    title = f"{found.place}: {which} of its {found.count:,} filters"
    filters = draw_filters(found.weights, found.indices, colour=found.colour, title=title)
    written = save(filters, folder / "filters")
    if (seen := found.seen) is None:
        return written
    through = f"filter {found.indices[0]}" if number == 1 else f"{number} filters"
    responses = draw_responses(
        seen.view.pixels,
        seen.maps,
        found.indices,
        title=f"{picture} through {through} of {found.place}",
        note=seen.view.note,
        thumbnails=found.weights if found.colour else None,
    )
    written += save(responses, folder / "responses", formats=("png",))
    if (heat := seen.heat) is not None:
        height, width = heat.values.shape
        at = f"Grad-CAM of {found.network.name} at {heat.place}: {height}×{width} places, enlarged."
        if not heat.values.max() > 0:
            at = f"{at} No place speaks for the class."
        notes = f"{at} {seen.view.note}".strip()
        figure = draw_cam(
            seen.view.pixels, heat.values, class_name=seen.class_name, probability=seen.probability, notes=notes
        )
        written += save(figure, folder / "cam", formats=("png",))
    return written
