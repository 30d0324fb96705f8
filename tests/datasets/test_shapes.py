"""Laws of single shapes: the own size stays what it was, any other is cut out, turned light, fitted in and placed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mlhw.datasets.shapes import FRAMES, Frame, framed, plain


def stroke(side: int = 90) -> np.ndarray:
    """A light shape on black, longer than wide, that no mirroring leaves the same."""
    picture = np.zeros((side, side), np.uint8)
    picture[10:80, 30:44] = 255
    picture[66:80, 30:70] = 200
    return picture


def on_page(shape: np.ndarray, size: tuple[int, int], at: tuple[int, int], dark: bool) -> Image.Image:
    """``shape`` on a page of ``size`` (width, height), in ink on paper where ``dark``."""
    page = Image.new("L", size, 0)
    page.paste(Image.fromarray(shape), at)
    return Image.fromarray(255 - np.asarray(page)) if dark else page


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_of_the_own_size_is_what_it_was(kind: str, mode: str) -> None:
    frame = FRAMES[kind]
    stored = np.random.default_rng(0).integers(0, frame.most + 1, (frame.side, frame.side), dtype=np.uint8)
    shown = np.rint(stored * (255 / frame.most)).astype(np.uint8)
    found = framed(Image.fromarray(shown).convert(mode), frame)
    assert found.dtype == np.uint8
    assert np.array_equal(found[..., 0], stored)
    light = np.full((frame.side, frame.side), 255, np.uint8)
    assert framed(Image.fromarray(light), frame).min() == frame.most  # light all over, and not turned


@pytest.mark.parametrize("kind", FRAMES)
def test_ink_on_paper_is_light_on_black_wherever_it_stands(kind: str) -> None:
    frame = FRAMES[kind]
    wanted = framed(on_page(stroke(), (90, 90), (0, 0), dark=False), frame)
    assert wanted.max() > 0.8 * frame.most
    for size, at in (((90, 90), (0, 0)), ((300, 200), (150, 20)), ((120, 400), (5, 300))):
        assert np.array_equal(framed(on_page(stroke(), size, at, dark=True), frame), wanted)


@pytest.mark.parametrize("kind", FRAMES)
def test_the_size_on_the_page_hardly_counts_and_the_sides_keep_their_proportion(kind: str) -> None:
    frame = FRAMES[kind]
    wanted = framed(on_page(stroke(), (90, 90), (0, 0), dark=True), frame).astype(int)
    big = np.asarray(Image.fromarray(stroke()).resize((1800, 1800)))
    got = framed(on_page(big, (2400, 3000), (300, 700), dark=True), frame).astype(int)
    assert np.abs(got - wanted).mean() < 0.02 * frame.most
    mirrored = framed(on_page(stroke()[:, ::-1], (90, 90), (0, 0), dark=True), frame).astype(int)
    assert np.abs(mirrored - wanted).mean() > 0.1 * frame.most
    rows, columns = (np.flatnonzero((wanted[..., 0] > 0).any(axis=axis)) for axis in (1, 0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    assert height == frame.box
    assert abs(width - frame.box * 40 / 70) <= 1


def test_the_centre_of_mass_or_the_middle_is_in_the_middle() -> None:
    heavy_below = on_page(stroke(), (200, 200), (0, 100), dark=True)
    by_mass = framed(heavy_below, FRAMES["mnist"])[..., 0].astype(float)
    middle = framed(heavy_below, Frame(28, 20))[..., 0].astype(float)
    for axis in (0, 1):
        centre = (by_mass.sum(axis=1 - axis) * np.arange(28)).sum() / by_mass.sum()
        assert abs(centre - 14) <= 0.5
        inside = np.flatnonzero((middle > 0).any(axis=1 - axis))
        assert abs((inside[0] + inside[-1]) / 2 - 13.5) <= 0.5


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_empty_page_is_black(value: int) -> None:
    assert not framed(Image.new("L", (50, 40), value), FRAMES["mnist"]).any()


def test_a_single_speck_and_a_hair_line_have_a_place() -> None:
    page = np.full((60, 60), 255, np.uint8)
    page[20, 30] = 0
    assert framed(Image.fromarray(page), FRAMES["digits"]).max() == 16
    page[:, 30] = 0
    assert framed(Image.fromarray(page), FRAMES["mnist"]).any()


@pytest.mark.parametrize("shape", [(7, 5, 3), (7, 5, 1)])
def test_plain_keeps_a_picture_of_that_size_and_squashes_others(shape: tuple[int, int, int]) -> None:
    values = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    picture = Image.fromarray(values if shape[2] == 3 else values[..., 0])
    assert np.array_equal(plain(picture.convert("RGB"), shape), values)
    assert plain(Image.new("RGB", (100, 3), (9, 9, 9)), shape).tolist() == np.full(shape, 9).tolist()
