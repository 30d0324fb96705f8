"""Pictures as networks take them, beside torchvision's transforms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

from mlhw.models import zoo
from mlhw.models.weights import default_weights
from tests.models.zoo_made import SMALL, load


def picture(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


SIZES = [(640, 480), (300, 301), (224, 224), (37, 90), (1, 1), (2000, 31)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_course_s_preprocessing_is_torchvision_s_by_hand(file: Path, size: tuple[int, int]) -> None:
    network, image = load(SMALL, file), picture(*size)
    compose = transforms.Compose(
        [
            transforms.Resize((224, 224)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    made = zoo.normalise(zoo.stack([zoo.preprocess(image, "course", network)] * 2), "course", network)
    torch.testing.assert_close(made, compose(image).expand(2, -1, -1, -1), rtol=0, atol=1e-6)
    assert made.is_contiguous(memory_format=torch.channels_last)


def test_the_weights_own_preprocessing_is_torchvision_s_for_every_network() -> None:
    from mlhw.models.preprocessing import of_preset

    presets = {repr(default_weights(name).transforms()): default_weights(name).transforms() for name in zoo.names()}
    assert len(presets) > 10
    for preset in presets.values():
        ours = of_preset(preset)
        for size in SIZES[:2]:
            image = picture(*size)
            made = ours.normalise(ours.picture(image)[None])
            torch.testing.assert_close(made[0], preset(image), rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(1400, 10), (10, 1400)])
def test_of_a_narrow_panorama_only_the_middle_is_resized(size: tuple[int, int], monkeypatch: Any) -> None:
    """Below the bound all of it is, which gives what to compare with; one grey level is the rounding of the box."""
    from mlhw.models import preprocessing

    ours = preprocessing.of_preset(default_weights(SMALL).transforms())
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
    whole = ours.picture(image)
    monkeypatch.setattr(preprocessing, "MOST_RESIZED_PIXELS", 1)
    monkeypatch.setattr(preprocessing.transforms, "resize", None)
    middle = ours.picture(image)
    assert middle.shape == (3, 224, 224)
    assert (whole.int() - middle.int()).abs().max() <= 1


def test_a_buffer_is_used_again_and_bytes_may_lie_in_any_order(file: Path) -> None:
    network = load(SMALL, file)
    batch = zoo.stack([zoo.preprocess(picture(50, 40), "course", network)] * 2)
    expected = zoo.normalise(batch, "course", network)
    out = torch.full_like(expected, torch.nan)
    assert zoo.normalise(batch.contiguous(), "course", network, out).data_ptr() == out.data_ptr()
    assert torch.equal(out, expected)
    with pytest.raises(ValueError, match="should be RGB, is L"):
        zoo.preprocess(picture(5, 5).convert("L"), "course", network)


def test_a_vit_of_one_size_gets_that_size_from_the_course_s_preprocessing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """ViT-H/14 takes 518×518 alone. Its 2.4 GB are not needed to see that: the network without numbers will do."""
    from mlhw.models import fitting

    def bare(name: str, state: object) -> tuple[nn.Module, int]:
        return fitting._empty(name, fitting._options(name, ())), 1000

    monkeypatch.setattr(zoo, "_of_file", lambda name, path: (*bare(name, None), "nothing"))
    for name, side in (("vit_h_14", 518), ("vit_b_16", 224), ("swin_v2_t", 224)):
        network = zoo.load(name, weights=Path("none"), device="meta")
        assert zoo.preprocess(picture(50, 40), "course", network).shape == (3, side, side)
