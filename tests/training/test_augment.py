"""Augmentation keeps what it must keep, and does what its names say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlhw.arrays import Batch
from mlhw.training import augment


def photos(rows: int = 6, height: int = 12, width: int = 10) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (rows, height, width, 3)).astype(np.uint8))


def batch(images: torch.Tensor) -> Batch:
    targets = torch.arange(len(images)) % 3
    return Batch(images, targets, torch.arange(len(images)))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


EVERYTHING = {
    "flip": True,
    "shift_fraction": 0.1,
    "rotate_degrees": 20.0,
    "scale_fraction": 0.2,
    "brightness": 0.3,
    "contrast": 0.3,
    "saturation": 0.3,
    "erase_fraction": 0.2,
    "mixup_alpha": 0.4,
}


def test_nothing_asked_for_changes_nothing() -> None:
    before = batch(photos())
    after = augment.build(classes=3)(before, rng(), 0.0)
    assert torch.equal(after.inputs, before.inputs.float())
    assert torch.equal(after.targets, before.targets)


def test_the_same_generator_gives_the_same_batch_and_another_another() -> None:
    change = augment.build(classes=3, **EVERYTHING)
    first, second, third = (change(batch(photos()), rng(seed), 0.0).inputs for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_shape_and_finiteness_hold_and_the_source_is_untouched() -> None:
    images = photos()
    kept = images.clone()
    after = augment.build(classes=3, **EVERYTHING)(batch(images), rng(), 0.5)
    assert after.inputs.shape == images.shape
    assert torch.isfinite(after.inputs).all()
    assert torch.equal(images, kept)
    torch.testing.assert_close(after.targets.sum(dim=1), torch.ones(len(images)))


def test_a_flip_is_the_image_or_its_mirror_to_rounding() -> None:
    images = photos(40).float()
    flipped = augment.affine(images, rng(), True, 0.0, 0.0, 0.0)
    mirrored = 0
    for before, after in zip(images, flipped, strict=True):
        same, mirror = (torch.allclose(after, candidate, atol=0.05) for candidate in (before, before.flip(1)))
        assert same or mirror
        mirrored += mirror
    assert 8 < mirrored < 32


def test_a_shift_moves_a_point_by_no_more_than_it_says() -> None:
    images = torch.zeros(50, 21, 21, 1)
    images[:, 10, 10] = 1.0
    moved = augment.affine(images, rng(), False, 0.2, 0.0, 0.0)[..., 0]
    rows, columns = (moved.sum(dim=axis).argmax(dim=1) for axis in (2, 1))
    assert (rows - 10).abs().max() <= 5
    assert (columns - 10).abs().max() <= 5
    assert len(set(rows.tolist())) > 3


def test_a_rotation_keeps_a_disc_on_an_oblong_image() -> None:
    y, x = np.mgrid[:20, :40]
    disc = (((y - 9.5) ** 2 + (x - 19.5) ** 2) < 36).astype(np.float32)
    images = torch.from_numpy(disc)[None, :, :, None].repeat(8, 1, 1, 1)
    turned = augment.affine(images, rng(), False, 0.0, 180.0, 0.0)
    assert (turned - images).abs().mean() < 0.02  # an ellipse would differ by several times that


def test_colour_changes_keep_grey_grey_and_saturation_keeps_luma() -> None:
    grey = photos().float().mean(dim=3, keepdim=True).repeat(1, 1, 1, 3)
    torch.testing.assert_close(augment.colour(grey, rng(), 0.0, 0.0, 0.9), grey, atol=1e-2, rtol=1e-4)
    images = photos().float()
    luma = images.new_tensor([0.299, 0.587, 0.114])
    after = augment.colour(images, rng(), 0.0, 0.0, 0.9)
    torch.testing.assert_close((after * luma).sum(3), (images * luma).sum(3), atol=1e-2, rtol=1e-4)


def test_contrast_keeps_the_mean_and_brightness_scales_it() -> None:
    images = photos().float()
    means = images.mean(dim=(1, 2, 3))
    torch.testing.assert_close(augment.colour(images, rng(), 0.0, 0.5, 0.0).mean(dim=(1, 2, 3)), means)
    scaled = augment.colour(images, rng(), 0.5, 0.0, 0.0).mean(dim=(1, 2, 3)) / means
    assert ((scaled >= 0.5) & (scaled <= 1.5)).all()
    assert scaled.std() > 0.05


def test_erasing_blanks_no_more_than_it_says() -> None:
    images = torch.rand(64, 30, 30, 3)
    changed = (augment.erase(images, rng(), 0.25) != images).any(dim=3).float().mean(dim=(1, 2))
    assert changed.max() <= 0.25 + 0.05  # a pixel's breadth at the rim
    assert changed.mean() > 0.03


def test_mixup_mixes_targets_as_it_mixes_images() -> None:
    targets = torch.tensor([0, 1, 2, 1])
    images = torch.nn.functional.one_hot(targets, 3).float().reshape(4, 1, 1, 3)
    mixed, probabilities = augment.mixup(images, targets, rng(), 1.0, 3)
    torch.testing.assert_close(mixed.reshape(4, 3), probabilities)


@pytest.mark.parametrize("channels", [1, 3])
def test_greyscale_and_colour_pass(channels: int) -> None:
    images = photos()[..., :channels]
    assert augment.build(classes=3, **EVERYTHING)(batch(images), rng(), 0.0).inputs.shape == images.shape
