"""The page: whole without a network, and nothing that a hand-in says is more than text."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mlhw.grading.page import as_html
from tests.grading.made import HOSTILE, grade

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
PAGE = as_html(grade(), datetime(2026, 1, 2, 3, 4, tzinfo=UTC))


class Seen(HTMLParser):
    """Tags with their attributes, and texts, as a browser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag  # every tag that is opened is closed, in order

    def handle_data(self, data: str) -> None:
        where = self.open[-1] if self.open else ""
        self.text[where] = self.text.get(where, "") + data


def test_no_name_becomes_a_tag_an_attribute_or_a_script() -> None:
    seen = Seen(PAGE)
    assert not seen.open
    names = [tag for tag, _ in seen.tags]
    assert names.count("script") == names.count("style") == 1
    assert "img" not in names
    assert not [attrs for _, attrs in seen.tags if any(name.startswith("on") for name in attrs)]
    assert names.count("svg") == 1
    assert names.count("tbody") == 2 + len(HOSTILE)
    assert HOSTILE[0] in seen.text["title"]


def test_nothing_is_fetched_and_the_policy_lets_our_own_script_and_style_run_alone() -> None:
    seen = Seen(PAGE)
    assert not [attrs for _, attrs in seen.tags if {"src", "href", "action", "data"} & set(attrs)]
    assert not re.search(r"url\(|@import|https?:", PAGE)
    policy = next(attrs["content"] for tag, attrs in seen.tags if attrs.get("http-equiv")) or ""
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        assert f"'{_digest(seen.text[tag])}'" in policy


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def test_what_fell_short_is_open_to_see_with_its_reason() -> None:
    anna = next(part for part in PAGE.split("<tbody") if ">anna<" in part)
    before, _, folded = anna.partition("<details>")
    for words in (
        "val_accuracy",
        "0.25",
        "claimed 0.99",
        "its loss is not finite",
        "another machine",
        "best of 2 runs",
    ):
        assert words in before
    assert "test_accuracy" in folded
    assert "test_accuracy" not in before


@pytest.mark.skipif(not CHROMIUM, reason="needs a Chromium to open the page in")
def test_a_heading_sorts_in_a_real_browser_under_the_pages_own_policy(tmp_path: Path) -> None:
    script = Seen(PAGE).text["script"]
    driven = script + 'document.querySelectorAll("th button")[0].click();document.title = "sorted";'
    page = PAGE.replace(script, driven).replace(_digest(script), _digest(driven))
    (tmp_path / "grades.html").write_text(page, encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--virtual-time-budget=1000", "--dump-dom", (tmp_path / "grades.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True)
    seen = Seen(done.stdout)
    assert seen.text["title"] == "sorted"  # and not by anybody's onload or onerror
    heads = [attrs for tag, attrs in seen.tags if tag == "th" and "aria-sort" in attrs]
    assert heads == [{"scope": "col", "class": "student", "aria-sort": "ascending"}]
    keys = [
        attrs["data-key"] or "" for _, attrs in seen.tags if attrs.get("class") == "student" and "data-key" in attrs
    ]
    assert sorted(keys) == sorted(entry.name.casefold() for entry in grade().entries)
    assert keys != [entry.name.casefold() for entry in grade().entries]
    assert keys.index("anna") < keys.index("bertil")
