"""Augmentation keeps what it must keep, and does what its names say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from mlhw.arrays import Batch
from mlhw.training import augment, colours, geometry, mixing


def photos(rows: int = 6, height: int = 12, width: int = 10) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (rows, height, width, 3)).astype(np.uint8))


def batch(images: torch.Tensor) -> Batch:
    targets = torch.arange(len(images)) % 3
    return Batch(images, targets, torch.arange(len(images)))


def on_planes(step: Callable[..., Any], images: torch.Tensor, *arguments: Any, **options: Any) -> Any:
    """A step works on planes; here images are as they are stored."""
    done = step(images.permute(0, 3, 1, 2).clone(), *arguments, **options)
    if isinstance(done, tuple):
        return done[0].permute(0, 2, 3, 1), done[1]
    return done.permute(0, 2, 3, 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


EVERYTHING = {
    "flip": True,
    "shift_fraction": 0.1,
    "rotate_degrees": 20.0,
    "scale_fraction": 0.2,
    "crop_fraction": 0.4,
    "aspect_fraction": 0.3,
    "brightness": 0.3,
    "contrast": 0.3,
    "saturation": 0.3,
    "hue_degrees": 20.0,
    "white_balance": 0.2,
    "erase_fraction": 0.2,
    "erase_count": 2,
    "mixup_alpha": 0.4,
    "cutmix_alpha": 1.0,
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
    flipped = on_planes(geometry.affine, images, rng(), True, 0.0, 0.0, 0.0)
    mirrored = 0
    for before, after in zip(images, flipped, strict=True):
        same, mirror = (torch.allclose(after, candidate, atol=0.05) for candidate in (before, before.flip(1)))
        assert same or mirror
        mirrored += mirror
    assert 8 < mirrored < 32


def test_a_shift_moves_a_point_by_no_more_than_it_says() -> None:
    images = torch.zeros(50, 21, 21, 1)
    images[:, 10, 10] = 1.0
    moved = on_planes(geometry.affine, images, rng(), False, 0.2, 0.0, 0.0)[..., 0]
    rows, columns = (moved.sum(dim=axis).argmax(dim=1) for axis in (2, 1))
    assert (rows - 10).abs().max() <= 5
    assert (columns - 10).abs().max() <= 5
    assert len(set(rows.tolist())) > 3


def test_a_rotation_keeps_a_disc_on_an_oblong_image() -> None:
    y, x = np.mgrid[:20, :40]
    disc = (((y - 9.5) ** 2 + (x - 19.5) ** 2) < 36).astype(np.float32)
    images = torch.from_numpy(disc)[None, :, :, None].repeat(8, 1, 1, 1)
    turned = on_planes(geometry.affine, images, rng(), False, 0.0, 180.0, 0.0)
    assert (turned - images).abs().mean() < 0.02  # an ellipse would differ by several times that


def test_colour_changes_keep_grey_grey_and_saturation_keeps_luma() -> None:
    grey = photos().float().mean(dim=3, keepdim=True).repeat(1, 1, 1, 3)
    torch.testing.assert_close(on_planes(colours.colour, grey, rng(), 0.0, 0.0, 0.9), grey, atol=1e-2, rtol=1e-4)
    images = photos().float()
    luma = images.new_tensor([0.299, 0.587, 0.114])
    after = on_planes(colours.colour, images, rng(), 0.0, 0.0, 0.9)
    torch.testing.assert_close((after * luma).sum(3), (images * luma).sum(3), atol=1e-2, rtol=1e-4)


def test_colour_changes_together_are_those_one_after_the_other() -> None:
    images, draws = photos().float(), rng()
    kept, spread, light = (torch.from_numpy(draws.uniform(0.6, 1.4, (6, 1, 1, 1))).float() for _ in range(3))
    grey = (images * images.new_tensor([0.299, 0.587, 0.114])).sum(dim=3, keepdim=True)
    expected = torch.lerp(grey, images, kept)
    expected = torch.lerp(expected.mean(dim=(1, 2, 3), keepdim=True), expected, spread) * light
    torch.testing.assert_close(on_planes(colours.colour, images, rng(), 0.4, 0.4, 0.4), expected, atol=1e-2, rtol=1e-4)


def test_contrast_keeps_the_mean_and_brightness_scales_it() -> None:
    images = photos().float()
    means = images.mean(dim=(1, 2, 3))
    torch.testing.assert_close(on_planes(colours.colour, images, rng(), 0.0, 0.5, 0.0).mean(dim=(1, 2, 3)), means)
    scaled = on_planes(colours.colour, images, rng(), 0.5, 0.0, 0.0).mean(dim=(1, 2, 3)) / means
    assert ((scaled >= 0.5) & (scaled <= 1.5)).all()
    assert scaled.std() > 0.05


def test_erasing_blanks_no_more_than_it_says() -> None:
    images = torch.rand(64, 30, 30, 3)
    changed = (on_planes(augment.erase, images, rng(), 0.25) != images).any(dim=3).float().mean(dim=(1, 2))
    assert changed.max() <= 0.25 + 0.05  # a pixel's breadth at the rim
    assert changed.mean() > 0.03


def test_mixup_mixes_targets_as_it_mixes_images() -> None:
    targets = torch.tensor([0, 1, 2, 1])
    images = torch.nn.functional.one_hot(targets, 3).float().reshape(4, 1, 1, 3)
    mixed, probabilities = on_planes(mixing.mixup, images, targets, rng(), 1.0, 3)
    torch.testing.assert_close(mixed.reshape(4, 3), probabilities)


def test_cutmix_mixes_targets_by_the_area_it_takes() -> None:
    targets = torch.tensor([0, 1, 2, 1])
    images = torch.nn.functional.one_hot(targets, 3).float()[:, None, None].repeat(1, 20, 30, 1)
    shares = set()
    for seed in range(12):
        mixed, probabilities = on_planes(mixing.cutmix, images, targets, rng(seed), 1.0, 3)
        torch.testing.assert_close(mixed.mean(dim=(1, 2)), probabilities)
        assert set(mixed.unique().tolist()) <= {0.0, 1.0}
        shares.add(round(float(probabilities.max()), 3))
    assert len(shares) > 1


def test_with_both_mixers_a_batch_gets_the_one_or_the_other() -> None:
    change = augment.build(classes=3, mixup_alpha=1.0, cutmix_alpha=1.0)
    images = torch.nn.functional.one_hot(torch.arange(6) % 3, 3).float()[:, None, None].repeat(1, 16, 16, 1)
    whole = [set(change(batch(images), rng(seed), 0.0).inputs.unique().tolist()) <= {0.0, 1.0} for seed in range(20)]
    assert 3 < sum(whole) < 17  # cut, or blended


def test_a_fraction_of_the_batches_is_mixed_and_none_at_the_end() -> None:
    change = augment.build(classes=3, mixup_alpha=1.0, mix_fraction=0.25, mix_until_fraction=0.5)
    images = torch.nn.functional.one_hot(torch.arange(6) % 3, 3).float()[:, None, None].repeat(1, 16, 16, 1)
    mixed = [change(batch(images), rng(seed), 0.49).targets.ndim == 2 for seed in range(200)]
    assert 0.15 < np.mean(mixed) < 0.35
    assert not any(change(batch(images), rng(seed), 0.5).targets.ndim == 2 for seed in range(20))


def test_another_light_scales_each_channel_of_an_image_by_one_number() -> None:
    images = photos(30).float() + 1
    ratio = on_planes(colours.colour, images, rng(), 0.0, 0.0, 0.0, 0.0, 0.3) / images
    gains = ratio.mean(dim=(1, 2))
    torch.testing.assert_close(ratio, gains[:, None, None].expand_as(ratio), atol=1e-4, rtol=1e-4)
    assert 0.7 <= gains.min() < 0.8
    assert 1.2 < gains.max() <= 1.3
    assert (gains.amax(dim=1) - gains.amin(dim=1)).min() > 0.01  # not one number for all channels: that were brightness


def test_hue_keeps_greys_and_means_and_changes_colours_by_the_angle_at_most() -> None:
    grey = photos().float().mean(dim=3, keepdim=True).repeat(1, 1, 1, 3)
    torch.testing.assert_close(on_planes(colours.colour, grey, rng(), 0.0, 0.0, 0.0, 90.0), grey, atol=1e-2, rtol=1e-4)
    images = photos().float()
    after = on_planes(colours.colour, images, rng(), 0.0, 0.0, 0.0, 30.0)
    torch.testing.assert_close(after.mean(dim=3), images.mean(dim=3), atol=1e-2, rtol=1e-4)
    chroma, turned = (values - values.mean(dim=3, keepdim=True) for values in (images, after))
    angle = torch.rad2deg(torch.acos(torch.cosine_similarity(chroma, turned, dim=3).clamp(-1, 1)))
    assert angle.max() <= 30.1
    assert len({round(float(one.median()), 1) for one in angle}) == len(images)


def test_a_crop_magnifies_and_shows_nothing_from_outside() -> None:
    ramp = torch.linspace(0, 1, 101)
    images = ramp[None, None, :, None].repeat(60, 101, 1, 1)
    seen = on_planes(geometry.affine, images, rng(), False, 0.0, 0.0, 0.0, 0.75)[:, 50, :, 0]
    slope = (seen[:, -1] - seen[:, 0]).clamp(min=1e-6)
    assert slope.min() >= 0.5 - 0.02
    assert slope.max() <= 1.0
    assert slope.std() > 0.05
    torch.testing.assert_close(seen[:, 1] - seen[:, 0], seen[:, -1] - seen[:, -2], atol=1e-3, rtol=0)  # no repeated rim


def test_an_aspect_stretches_one_side_by_what_the_other_loses() -> None:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 81), torch.linspace(-1, 1, 81), indexing="ij")
    images = torch.stack([x, y], dim=2)[None].repeat(40, 1, 1, 1)
    after = on_planes(geometry.affine, images, rng(), False, 0.0, 0.0, 0.0, 0.0, 0.5)[:, 36:45, 36:45]
    across = (after[:, 4, 8, 0] - after[:, 4, 0, 0]) / 0.2
    down = (after[:, 8, 4, 1] - after[:, 0, 4, 1]) / 0.2
    torch.testing.assert_close(across * down, torch.ones(40), atol=1e-3, rtol=0)
    ratio = across / down
    assert ratio.max() <= 1.5 + 1e-3
    assert ratio.min() >= 1 / 1.5 - 1e-3
    assert ratio.std() > 0.1


def test_more_squares_erase_more() -> None:
    def share(count: int) -> float:
        change = augment.build(classes=3, erase_fraction=0.2, erase_count=count)
        images = torch.rand(64, 30, 30, 3)
        return float((change(batch(images), rng(), 0.0).inputs != images).any(dim=3).float().mean())

    assert share(3) > 1.5 * share(1) > 0


def test_images_grow_from_the_start_size_to_their_own() -> None:
    change = augment.build(classes=3, start_size_pixels=32)
    images = photos(2, 64, 96)
    sides = [tuple(change(batch(images), rng(), at / 30).inputs.shape[1:3]) for at in range(30)]
    assert sides[0] == (32, 48)
    assert sides[20:] == [(64, 96)] * 10
    assert sides == sorted(sides)
    assert len(set(sides)) == 5
    assert torch.equal(change(batch(images), rng(), 0.99).inputs, images.float())
    means = change(batch(images), rng(), 0.0).inputs.mean(dim=(1, 2, 3))
    torch.testing.assert_close(means, images.float().mean(dim=(1, 2, 3)), rtol=0.01, atol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_greyscale_and_colour_pass(channels: int) -> None:
    images = photos()[..., :channels]
    assert augment.build(classes=3, **EVERYTHING)(batch(images), rng(), 0.0).inputs.shape == images.shape


def test_crops_of_a_larger_image_keep_its_brightness_and_place_at_the_size_asked_for() -> None:
    ramp = torch.linspace(0, 255, 64).repeat(5, 64, 1)[..., None].repeat(1, 1, 1, 3)
    whole = augment.build(classes=2, size_pixels=32, rotate_degrees=1e-9)
    moved = whole(Batch(ramp, torch.zeros(5, dtype=torch.long), None), np.random.default_rng(0), 0.0).inputs
    assert moved.shape == (5, 32, 32, 3)
    halves = ramp.unflatten(2, (32, 2)).mean(dim=3)[:, :32]  # a pixel of half the size is the mean of two
    assert torch.allclose(moved, halves, atol=1e-3)
    growing = augment.build(classes=2, size_pixels=48, start_size_pixels=32, flip=True)
    batch = Batch(ramp, torch.zeros(5, dtype=torch.long), None)
    sides = [growing(batch, np.random.default_rng(0), progress).inputs.shape[1] for progress in (0.0, 0.5, 1.0)]
    assert sides == [32, 48, 48]
