"""A report has the figures' colours, and text in it can be read in both schemes."""

from __future__ import annotations

import pytest

from mlhw.plots import style
from mlhw.reports import palette
from mlhw.reports.palette import Pair


def test_the_light_colours_are_those_of_the_figures() -> None:
    assert tuple(pair.light for pair in palette.RUN_COLOURS) == style.RUN_COLOURS
    assert {name: pair.light for name, pair in palette.SPLIT_COLOURS.items()} == {
        name: split.colour for name, split in style.SPLIT_STYLES.items()
    }
    assert (palette.INK.light, palette.MUTED.light, palette.GRID.light) == (style.INK, style.MUTED, style.GRID)
    assert palette.WRONG.light == style.WRONG


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("text", [palette.INK, palette.MUTED, palette.ACCENT, palette.GOOD, palette.WRONG])
@pytest.mark.parametrize("ground", [palette.PAPER, palette.RAISED])
def test_text_has_the_contrast_of_4_5_that_wcag_asks_for(text: Pair, ground: Pair) -> None:
    assert contrast(text.light, ground.light) >= 4.5
    assert contrast(text.dark, ground.dark) >= 4.5


@pytest.mark.parametrize("colour", palette.RUN_COLOURS)
def test_lines_on_a_dark_screen_have_the_contrast_of_3_that_wcag_asks_of_graphics(colour: Pair) -> None:
    assert contrast(colour.dark, palette.PAPER.dark) >= 3
