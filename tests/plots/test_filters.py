"""Laws of the figures of filters, responses and Grad-CAM: nothing is clipped, brighter is higher, every text can be read."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from matplotlib.figure import Figure

from mlhw.plots.cam import blended, draw_cam, enlarged
from mlhw.plots.filters import caption, draw_filters, scaled, tiles
from mlhw.plots.responses import draw_responses, shades
from mlhw.plots.style import save

numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
some = arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=4), elements=numbers)
maps = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=numbers)
LONG = "hen-of-the-woods, hen of the woods, Polyporus frondosus, Grifola frondosa, $a_1$ <b> " * 3
TextFaults = Callable[[Figure], list[str]]


def weights(filters: int, channels: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(filters, channels, height, width)).astype(np.float32)


def picture(rows: int = 60, columns: int = 90) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


# -- values to shades ----------------------------------------------------------------------------------------------------


@given(some)
def test_a_filter_is_drawn_without_clipping_and_zero_is_mid_grey(values: np.ndarray) -> None:
    shown = scaled(values)
    assert 0 <= shown.min() <= shown.max() <= 1
    assert (shown[values == 0] == 0.5).all()
    largest = np.abs(values.astype(np.float64)).max()
    if largest:
        assert {0.0, 1.0} & {float(shown.min()), float(shown.max())}
        assert np.allclose((shown - 0.5) * 2 * largest, values, rtol=1e-9, atol=largest * 1e-12)
    else:
        assert (shown == 0.5).all()


@given(some)
def test_a_filter_turned_to_its_negative_is_drawn_as_its_negative(values: np.ndarray) -> None:
    assert np.allclose(scaled(-values), 1 - scaled(values))


@given(maps)
def test_brighter_is_higher(values: np.ndarray) -> None:
    grey = shades(values)
    if values.max() > values.min():
        assert (grey.min(), grey.max()) == (0, 1)
        assert grey.flat[values.argmax()] == 1
        assert grey.flat[values.argmin()] == 0
    else:
        assert (grey == 0.5).all()
    order = np.argsort(values, axis=None)
    assert (np.diff(grey.ravel()[order]) >= 0).all()


# -- tiles ---------------------------------------------------------------------------------------------------------------


def test_a_filter_on_colours_is_a_picture_and_its_channels_in_one_range() -> None:
    (filter_,) = weights(1, 3, 5, 4)
    whole, *channels = tiles(filter_, colour=True)
    assert whole.pixels.shape == (5, 4, 3)
    assert [tile.label for tile in channels] == ["red", "green", "blue"]
    for channel, tile in enumerate(channels):
        assert np.array_equal(tile.pixels, whole.pixels[..., channel])
        assert np.array_equal(tile.pixels, scaled(filter_)[channel])


def test_of_many_channels_the_strongest_are_shown() -> None:
    (filter_,) = weights(1, 20, 3, 3)
    filter_[[7, 11, 2]] *= np.array([9, 5, 7], dtype=np.float32)[:, None, None]
    mean, *strongest = tiles(filter_, colour=False)
    assert [tile.label for tile in strongest] == ["ch 7", "ch 2", "ch 11"]
    assert np.array_equal(strongest[1].pixels, scaled(filter_)[2])
    magnitudes = np.abs(filter_.astype(np.float64)).mean(axis=0)
    assert np.allclose(mean.pixels, magnitudes / magnitudes.max())


@pytest.mark.parametrize("channels", [2, 5, 16, 17, 512])
def test_a_filter_of_single_weights_is_a_square_of_all_of_them(channels: int) -> None:
    (filter_,) = weights(1, channels, 1, 1)
    (tile,) = tiles(filter_, colour=False)
    assert np.array_equal(tile.pixels.ravel()[:channels], scaled(filter_).ravel())
    assert (tile.pixels.ravel()[channels:] == 0.5).all()
    height, width = tile.pixels.shape
    assert abs(height - width) <= 1


@pytest.mark.parametrize("shape", [(1, 3, 3), (2, 3, 3), (3, 1, 7), (40, 7, 1), (3, 1, 1), (1, 1, 1)])
def test_a_filter_of_zeros_can_be_drawn(shape: tuple[int, int, int]) -> None:
    for tile in tiles(np.zeros(shape, np.float32), colour=False):
        assert set(np.unique(tile.pixels)) <= {0.0, 0.5}


def test_the_caption_says_what_is_drawn() -> None:
    assert "red, green and blue" in caption((3, 7, 7), True)
    assert "2 channels of largest norm" in caption((2, 3, 3), False)
    assert "row by row" in caption((64, 1, 1), False)
    assert "one channel" in caption((1, 3, 3), False)
    for shape in ((3, 7, 7), (2, 3, 3), (64, 1, 1), (1, 3, 3)):
        assert "grey is 0" in caption(shape, shape == (3, 7, 7))


# -- figures -------------------------------------------------------------------------------------------------------------


COLOUR, DEEP, SINGLE, ALONE, FLAT = (3, 7, 7), (64, 3, 3), (512, 1, 1), (1, 5, 5), (32, 1, 7)


@pytest.mark.parametrize(
    ("count", "shape"),
    [*product([1, 3], [COLOUR, DEEP, SINGLE, ALONE, FLAT]), (16, COLOUR), (16, SINGLE), (64, DEEP)],
)
def test_filters_have_room_for_every_text(count: int, shape: tuple[int, int, int], text_faults: TextFaults) -> None:
    indices = range(65_536 - count, 65_536)
    figure = draw_filters(weights(count, *shape), indices, colour=shape[0] == 3, title=f"vgg16, {'features.' * 9}0")
    assert text_faults(figure) == []
    assert figure.get_figwidth() <= 13
    assert figure.get_figheight() <= 14
    named = [text.get_text() for text in figure.texts if text.get_gid() == "filter"]
    assert [name.removeprefix("filter ").partition(":")[0] for name in named] == [str(index) for index in indices]


def test_each_filter_is_drawn_in_its_own_range_and_the_range_is_named() -> None:
    filters = weights(2, 3, 3, 3) * np.array([1, 1000], np.float32)[:, None, None, None]
    figure = draw_filters(filters, [4, 9], colour=True, title="")
    drawn = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    assert len(drawn) == 8
    for place, filter_ in enumerate(filters):
        assert np.allclose(drawn[4 * place], np.moveaxis(scaled(filter_), 0, 2))
        assert {float(drawn[4 * place].min()), float(drawn[4 * place].max())} & {0.0, 1.0}
    for image in figure.axes[0].images[1:4]:
        assert image.get_clim() == (0, 1)
    named = [text.get_text() for text in figure.texts if text.get_gid() == "filter"]
    ranges = [f"±{np.abs(filter_).max():.2g}" for filter_ in filters]
    assert named == [f"filter 4: {ranges[0]}", f"filter 9: {ranges[1]}"]


SHAPES = [(90, 90), (40, 108), (108, 40)]


@pytest.mark.parametrize(
    ("count", "size", "small"),
    [*product([1, 3], SHAPES, [False, True]), (16, (90, 90), True), (16, (108, 40), True), (48, (108, 40), True)],
)
def test_responses_have_room_for_every_text(
    count: int, size: tuple[int, int], small: bool, text_faults: TextFaults
) -> None:
    values = np.random.default_rng(1).normal(size=(count, 13, 13)) * (1e-30 if small else 1e4)
    thumbnails = weights(count, 3, 11, 11) if small else None
    long = {"title": LONG, "note": LONG} if small else {"title": "lemon.jpg"}
    figure = draw_responses(picture(*size), values, range(60_000, 60_000 + count), thumbnails=thumbnails, **long)
    assert text_faults(figure) == []
    assert figure.get_figwidth() <= 13


def test_a_bar_has_the_real_values_and_zero_where_it_lies_between() -> None:
    def values(low: float, high: float) -> list[str]:
        figure = draw_responses(picture(), np.array([[[low, high]]]), [0], title="")
        return [text.get_text() for text in figure.texts if text.get_gid() == "value"]

    assert values(-2, 6) == ["−2", "6", "0"]
    assert values(1.2344, 6) == ["1.23", "6"]
    assert values(-0.001, 6) == ["−0.001", "6"]  # no room for a zero beside it
    assert values(3, 3) == ["3 everywhere"]
    assert values(-1.234e-9, 5.678e10) == ["−1.23e−9", "5.68e10"]


def test_maps_are_drawn_as_the_law_says() -> None:
    values = np.random.default_rng(1).normal(size=(2, 5, 5))
    figure = draw_responses(picture(), values, [0, 1], title="")
    drawn = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    found = [pixels for pixels in drawn if pixels.shape == (5, 5)]
    assert all(np.array_equal(pixels, shades(map_)) for pixels, map_ in zip(found, values, strict=True))
    bars = [axes for axes in figure.axes if axes.images and axes.images[0].get_array().shape == (1, 256)]
    assert [axes.get_xlim() for axes in bars] == [(map_.min(), map_.max()) for map_ in values]


@pytest.mark.parametrize("size", [(90, 90), (40, 108), (108, 40)])
@pytest.mark.parametrize("name", ["lemon", LONG, "W" * 90])
def test_cam_has_room_for_every_text(size: tuple[int, int], name: str, text_faults: TextFaults) -> None:
    heat = np.random.default_rng(1).random((7, 7)) * 1e-7
    figure = draw_cam(picture(*size), heat, class_name=name, probability=0.123, notes=LONG if name == LONG else "")
    assert text_faults(figure) == []
    (title,) = [text.get_text() for text in figure.texts if text.get_gid() == "title"]
    assert "12.3" in title


def test_without_heat_the_picture_is_grey_and_where_it_is_hot_it_is_not() -> None:
    shown = picture(70, 70)
    grey = shown @ np.array([0.299, 0.587, 0.114]) / 255
    cold = blended(shown, np.zeros((7, 7)))
    assert np.allclose(cold, grey[..., None])
    heat = np.zeros((7, 7))
    heat[1, 5] = 3.0
    warm = blended(shown, heat)
    colourful = np.ptp(warm, axis=2)
    assert 0 <= warm.min() <= warm.max() <= 1
    assert np.unravel_index(colourful.argmax(), colourful.shape)[0] // 10 == 1
    assert np.unravel_index(colourful.argmax(), colourful.shape)[1] // 10 == 5
    assert np.allclose(warm[30:, :40], grey[30:, :40, None])
    assert np.allclose(warm, blended(shown, heat * 1e9))


def test_heat_is_enlarged_in_place() -> None:
    heat = np.arange(12.0).reshape(3, 4)
    large = enlarged(heat, 33, 44)
    assert np.allclose(large[5::11, 5::11], heat, atol=1e-5)
    assert np.allclose(enlarged(np.ones((1, 1)), 5, 9), 1)


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="2 filters"):
        draw_filters(weights(3, 3, 3, 3), [0, 1], colour=True, title="")
    with pytest.raises(ValueError, match="in colour"):
        draw_filters(weights(1, 4, 3, 3), [0], colour=True, title="")
    with pytest.raises(ValueError, match="0 filters"):
        draw_filters(weights(0, 3, 3, 3), [], colour=True, title="")
    with pytest.raises(ValueError, match="2 filters"):
        draw_responses(picture(), np.zeros((1, 2, 2)), [0, 1], title="")


def test_the_same_filters_give_the_same_bytes(tmp_path: Path) -> None:
    figures = [draw_filters(weights(3, 3, 3, 3), range(3), colour=True, title="a") for _ in range(2)]
    saved = [save(figure, tmp_path / str(place)) for place, figure in enumerate(figures)]
    assert [path.read_bytes() for path in saved[0]] == [path.read_bytes() for path in saved[1]]
