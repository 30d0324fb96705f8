"""The manual is built without a warning and without real data, and its pages fetch nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("sphinx") is None, reason="needs Sphinx: pip install -e '.[docs]'"),
]

ROOT = Path(__file__).resolve().parent.parent.parent
FETCHED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)=\"((?:https?:)?//[^\"]+)\"")
SHOWN = re.compile(r"<img\b[^>]*src=\"([^\"]+)\"")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of ``docs/`` to build from: nothing is written into the checkout."""
    folder = tmp_path_factory.mktemp("manual")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("_made", "__pycache__"))
    return folder


def build(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Build as the gate does, into ``folder/site``; ``names`` alone where some are given."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html", "docs", "site", *names]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.fixture(scope="module")
def site(pages: Path) -> Path:
    """The manual as HTML."""
    done = build(pages)
    assert done.returncode == 0, done.stderr
    return pages / "site"


def test_no_page_fetches_anything_and_every_figure_is_there(site: Path) -> None:
    found = sorted(site.rglob("*.html"))
    assert len(found) > 20
    for page in found:
        text = page.read_text(encoding="utf-8")
        assert not FETCHED.findall(text), page.name
        for source in SHOWN.findall(text):
            assert (page.parent / source).is_file(), (page.name, source)


def test_formulas_are_drawn_and_numbers_are_filled_in(site: Path) -> None:
    for page in sorted((site / "tutorials").glob("*.html")):
        text = page.read_text(encoding="utf-8")
        assert "[=" not in text, page.name
        assert "[%" not in text, page.name
    text = (site / "tutorials" / "softmax.html").read_text(encoding="utf-8")
    assert text.count('class="formula-block"') >= 6
    assert text.count('role="img"') >= 20


def test_every_command_and_every_key_stand_in_the_references(site: Path) -> None:
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    keys = (site / "reference" / "config.html").read_text(encoding="utf-8")
    for name in ("sweep-lr", "pretrained classify", "data fetch", "check jacobians"):
        assert f"mlhw {name}" in commands
    for key in ("train.optimizer.momentum", "data.split_rows", "model.stem_channels", "pretrained.top"):
        assert key in keys


def test_a_broken_reference_and_an_unknown_number_end_the_build(site: Path, pages: Path) -> None:
    for text in ("# A\n\n[gone](nowhere.md)\n", "# A\n\n[= runs.softmax.no_such_number =]\n"):
        planted = pages / "docs" / "tutorials" / "planted.md"
        planted.write_text("---\norphan: true\n---\n" + text, encoding="utf-8")
        assert build(pages).returncode != 0, text
        planted.unlink()
