"""The page as text: complete in itself, the same for the same files, and nothing in it that a name put there."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlhw.commands.report.report import report
from mlhw.commands.settings import from_environment
from mlhw.reports import page, text
from tests.reports import hostile, made

OURS = {"script", "style", "img", "link", "meta", "a", "button", "input", "figure"}


class Seen(HTMLParser):
    """The elements of a page with their attributes, and the text in each script."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


def made_of(*names: str) -> str:
    found = report(from_environment(), names, None, False, lambda what, done, total: None)
    return Path(found["path"]).read_text(encoding="utf-8")


def test_a_page_asks_for_nothing_and_is_the_same_each_time(outputs: Path) -> None:
    made.five(outputs)
    source = made_of("latest-sweep")
    assert source == made_of("latest-sweep")
    seen = Seen(source)
    addresses = [value for _, found in seen.elements for key, value in found.items() if key in ("src", "href")]
    assert addresses
    assert all((address or "").startswith(("data:", "#")) for address in addresses)
    assert "url(" not in source
    assert "@import" not in source


def test_only_our_script_may_run(outputs: Path) -> None:
    made.run(outputs, *made.ids(1))
    seen = Seen(made_of("latest"))
    policy = next(each["content"] for each in seen.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    data, script = seen.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]
    assert json.loads(data)[0]["runs"][0]["splits"].keys() == {"train", "val", "test"}


@pytest.mark.parametrize("make", [hostile.run, hostile.sweep])
def test_names_put_no_element_and_no_attribute_on_the_page(outputs: Path, make: Any) -> None:
    """The elements are those of a page of the same shape with harmless names."""
    name = make(outputs)
    seen = Seen(made_of(name))
    assert not any(key.startswith("on") for _, found in seen.elements for key in found)
    assert len(seen.all("script")) == 2
    assert all((found.get("src") or "").startswith("data:image/") for found in seen.all("img"))
    assert not any("hit=" in (found.get("src") or "") for found in seen.all("script"))
    source = made_of(name)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202e]", source)
    assert "{{ 7 * 7 }}" in source or make is hostile.sweep
    assert "49$" not in source


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_embedded_data_ends_no_script_and_reads_back(value: Any) -> None:
    found = page.embedded(value)
    assert found.isascii()
    assert not set("<>&") & set(found)
    json.loads(found)


def test_embedded_words_read_back_as_they_are_shown() -> None:
    words = list(hostile.WORDS)
    assert json.loads(page.embedded(words)) == [text.clean(word) for word in words]


def test_every_template_escapes() -> None:
    for name in ("a.html", "a.txt", "a"):
        template = page.environment().from_string("{{ word }}|" + name)
        assert template.render(word="<b>&\x00") == f"&lt;b&gt;&amp;�|{name}"


def test_the_structure_that_a_screen_reader_goes_by(outputs: Path) -> None:
    made.run(outputs, *made.ids(1))
    seen = Seen(made_of("latest"))
    assert seen.all("html")[0]["lang"] == "en"
    names = [found["id"] for _, found in seen.elements if "id" in found]
    assert len(names) == len(set(names))
    for found in seen.all("section"):
        assert found["aria-labelledby"] in names
    assert all(found.get("alt") for found in seen.all("img"))
    headings = [int(name[1]) for name, _ in seen.elements if re.fullmatch("h[1-6]", name)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(headings))
    links = [(found["href"] or "")[1:] for found in seen.all("a") if (found["href"] or "").startswith("#")]
    assert set(links) <= set(names)
    assert len(seen.all("table")) == len(seen.all("caption"))


def test_many_epochs_of_many_runs_stay_under_three_megabytes(outputs: Path) -> None:
    members = made.ids(20)
    for place, run_id in enumerate(members):
        made.run(outputs, run_id, f"seed.init={place}", rows=made.epochs(2000, place), seed=place, wrong=-1)
    source = made_of(*members)
    assert len(source.encode()) < 3_000_000
    epochs = json.loads(Seen(source).scripts[0])[0]["runs"][0]["splits"]["train"]["epochs"]
    assert (epochs[0], epochs[-1]) == (1, 2000)
