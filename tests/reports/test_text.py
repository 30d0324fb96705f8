"""What a reader sees of numbers and names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlhw.reports import text


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_cleaned_text_steers_nothing_and_keeps_the_rest(value: str) -> None:
    found = text.clean(value)
    assert len(found) == len(value)
    assert not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") and sign not in "\t\n" for sign in found)
    assert not any(
        unicodedata.bidirectional(sign) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI")
        for sign in found
    )
    assert all(new == old or new == "\N{REPLACEMENT CHARACTER}" for new, old in zip(found, value, strict=True))
    found.encode()


def test_letters_of_any_script_and_emoji_stay() -> None:
    said = "Äpfel, 苹果, تفاح, 🍎, a\tb\nc"
    assert text.clean(said) == said


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (text.percent(0.98765), "98.77 %"),
        (text.percent(None), "–"),
        (text.spread(0.9737, 0.0007), "97.37 ± 0.07 %"),
        (text.spread(0.9737, None), "97.37 %"),
        (text.loss(0.012345), "0.0123"),
        (text.loss(1.5e-7), "1.5e-07"),
        (text.loss(0.5, 0.01), "0.5000 ± 0.0100"),
        (text.seconds(0.84), "0.8 s"),
        (text.seconds(200), "3 min 20 s"),
        (text.seconds(7500), "2 h 05 min"),
        (text.count(9930), "9,930"),
    ],
)
def test_numbers_are_written_to_be_read(written: str, expected: str) -> None:
    assert written.replace(text.NBSP, " ") == expected
