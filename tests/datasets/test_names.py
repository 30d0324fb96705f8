"""Names of files: through a CSV and back, harmless on a terminal, without the folders that all share."""

import csv
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlhw.datasets.names import below_shared, csv_name, escape_name, name_from_csv

# Names

letters = st.sampled_from("ab \\xu0159cefdF=+-@＝\n\r\t\x00\x1b\x7f\x85\u2028\u202e\udce9\udcff\ud800é🐶,\"'")


escapes = st.sampled_from(["\\x41", "\\xe9", "\\u00e9", "\\x5c", "\\"])


odd = st.lists(st.text(letters) | st.text() | escapes, max_size=5).map("".join)


@given(odd)
def test_a_name_survives_a_csv_file(name: str) -> None:
    text = csv_name(name)
    assert len(text.encode("utf-8").decode("utf-8").splitlines()) <= 1
    assert text[:1] not in tuple("=+-@＝＋－＠") or not text
    assert name_from_csv(text) == name
    file = io.StringIO(newline="")
    csv.writer(file).writerow([text, 1])
    file.seek(0)
    assert name_from_csv(next(csv.reader(file))[0]) == name


@given(odd)
def test_a_name_on_the_terminal_is_one_line_without_commands(name: str) -> None:
    shown = escape_name(name)
    shown.encode("utf-8")
    assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in shown)
    assert len(shown.splitlines()) <= 1


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("cat.jpg", "./Ünï 🐶/a, b.png", "C:\\users\\xavier\\x.png", "👨‍👩‍👧.png"):
        assert csv_name(name) == escape_name(name) == name
    assert csv_name("=1+1.png") == "\\x3d1+1.png"
    assert csv_name(os.fsdecode(b"caf\xe9\n.png")) == "caf\\xe9\\x0a.png"
    assert csv_name("a\\x41") == "a\\x5cx41"


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["./images/lemon.jpg", "./images/a/banana.jpg"], ["lemon.jpg", "a/banana.jpg"]),
        (["./images/lemon.jpg"], ["lemon.jpg"]),
        (["a/b.jpg", "a/bc.jpg", "a/bc/d.jpg"], ["b.jpg", "bc.jpg", "bc/d.jpg"]),
        (["a/\\x0aline.jpg", "a/b.jpg"], ["\\x0aline.jpg", "b.jpg"]),
        (["lemon.jpg", "/tmp/lemon.jpg"], ["lemon.jpg", "/tmp/lemon.jpg"]),
        ([], []),
    ],
)
def test_names_lose_the_folders_that_all_share_and_nothing_else(names: list[str], short: list[str]) -> None:
    assert below_shared(names) == short
