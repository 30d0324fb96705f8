"""The YAML reader: values as people mean them, and nothing else."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlhw.config.reader import read, scalar
from mlhw.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("1_000", 1000),
        ("-7", -7),
        ("true", True),
        ("null", None),
        ("no", "no"),  # YAML 1.1 takes these for booleans, dates and base-60 numbers
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("0x10", "0x10"),
        ("e5", "e5"),
        ("1e", "1e"),
    ],
)
def test_plain_scalars_mean_what_they_look_like(text: str, value: object) -> None:
    got = read(f"key: {text}".encode(), "f.yaml").value["key"]
    assert got == value
    assert type(got) is type(value)


def test_quoted_scalars_are_text() -> None:
    assert read(b"key: '1'", "f.yaml").value == {"key": "1"}


def test_places_name_the_line_of_every_key() -> None:
    document = read(b"a: 1\nb:\n  c: 2\n", "f.yaml")
    assert document.places[("a",)] == "f.yaml:1"
    assert document.places[("b", "c")] == "f.yaml:3"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a: 1\nb: 2\na: 3", ["f.yaml:3", "'a'", "given twice", "f.yaml:1"]),
        (b"a: {b: 1, b: 2}", ["'a.b'", "given twice"]),
        (b"a: !!python/object/apply:os.system ['true']", ["f.yaml:1", "tag", "not allowed"]),
        (b"a: !local 1", ["tag", "not allowed"]),
        (b"a: [1", ["f.yaml:1", "not valid YAML"]),
        (b"a: 1\n b: 2", ["f.yaml:2", "not valid YAML"]),
        (b"\xff\xfe\x00", ["not UTF-8"]),
        (b"a: \x00", ["not valid YAML"]),
        (b"? [1, 2]\n: 3", ["key must be a word"]),
        (b"a: 1\n---\nb: 2", ["not valid YAML"]),
        (b"x" * 1_000_001, ["too large"]),
        (b"a: " + b"[" * 2000, ["f.yaml"]),
        (b"a: " + b"[" * 40 + b"]" * 40, ["nested too deeply"]),
    ],
)
def test_what_is_refused_is_said_with_its_place(data: bytes, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(data, "f.yaml")
    for word in words:
        assert word in str(caught.value)


def test_aliases_that_explode_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(ConfigError, match="aliases counted"):
        read("\n".join(lines).encode(), "f.yaml")


@given(st.text(max_size=40))
def test_any_text_reads_or_is_refused_in_words(text: str) -> None:
    message = "f.yaml"
    try:
        read(text.encode("utf-8", "surrogatepass"), "f.yaml")
    except ConfigError as error:
        message = str(error)
    assert message.startswith("f.yaml")


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.integers() | st.booleans() | st.none(), max_size=5)
)
def test_agrees_with_pyyaml_on_simple_values(value: dict[str, object]) -> None:
    assert read(yaml.safe_dump(value).encode(), "f.yaml").value == value


@given(st.floats(allow_nan=False))
def test_every_float_survives_its_repr(number: float) -> None:
    text = repr(number).replace("inf", ".inf")
    assert scalar(text) == number
