"""torchvision's networks layer by layer, built without weights."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from mlhw.errors import MlhwError
from mlhw.models.module_facts import module_layers
from mlhw.models.preprocessing import COURSE_SIDE
from mlhw.models.weights import default_weights
from mlhw.vision import torchvision

FLOAT32_BYTES = 4


def architecture(name: str) -> dict[str, Any]:
    """The network ``name`` as ``commands.summary`` gives an experiment's, for one picture of the course's size.

    ``layers`` is None where a layer computes in a way that the arithmetic of layers has no rule for; ``text`` is in any case
    what ``print(model)`` shows.

    Raises:
        ConfigError: there is no such network.
    """
    meta = default_weights(name).meta
    module = _built(name)
    side = getattr(module, "image_size", COURSE_SIDE)
    shape = (side, side, 3)
    record: dict[str, Any] = {
        "experiment": name,
        "model": "torchvision",
        "input_shape": list(shape),
        "classes": len(meta["categories"]),
        "layers": None,
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "text": str(module),
        "expectations": [],
    }
    try:
        layers = [asdict(layer) for layer in module_layers(module, shape)]
    except MlhwError:
        return record
    totals = {key: sum(layer[key] for layer in layers) for key in ("buffers", "multiply_adds", "kept_values")}
    sizes = {
        "weight_bytes": FLOAT32_BYTES * record["parameters"],
        "activation_bytes": FLOAT32_BYTES * totals["kept_values"],
    }
    return record | {"layers": layers} | totals | sizes


def _built(name: str) -> nn.Module:
    """The network with whatever numbers its memory holds where its code allows that, else with initial weights."""
    # torchvision's weights for GoogLeNet are without its auxiliary outputs.
    options = {"aux_logits": False} if name == "googlenet" else {}
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        try:
            with torch.device("meta"):
                module: nn.Module = torchvision.models.get_model(name, weights=None, **options)
            module.to_empty(device="cpu")  # memory that nothing has written to: VGG16's costs no time and no room
        except (RuntimeError, NotImplementedError):  # RegNet reads its widths from a tensor
            module = torchvision.models.get_model(name, weights=None, **options)
    return module.eval()
