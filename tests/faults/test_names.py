"""Class and file names from a stranger's data: text in every file and on the screen, and nothing else."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.program import mlhw
from tests.datasets.made import noise

NAMES = [
    "=1+1|cmd",
    "<script>alert(1)</script>",
    "\x1b[2J\x1b[31mred",
    "a\nb, c",
    "$\\frac{x$",
    "\u202etxt",
    "&amp;",
    "plain",
]
CONFIG = """
name: names
data: {kind: folder, path: pictures, image_size_pixels: 8, test_fraction: 0.5}
model: {kind: digits-cnn, channels: [2, 2]}
train: {epochs: 1, batch_size: 4, lr: 0.01}
threads: 1
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no such names")
def test_hostile_class_names_are_text_everywhere(tmp_path: Path) -> None:
    for index, name in enumerate(NAMES):
        for number in range(4):
            noise(tmp_path / "pictures" / name.replace("/", "∕") / f"{number}.png", seed=10 * index + number)
    (tmp_path / "names.yaml").write_text(CONFIG, encoding="utf-8")
    done = mlhw("train", "names.yaml", cwd=tmp_path)
    assert done.code == 0, done.err
    run = next((tmp_path / "outputs").iterdir())
    shown = mlhw("show", run.name, cwd=tmp_path)
    assert shown.code == 0, shown.err
    for text in (done.out, done.err, shown.out, shown.err):
        assert "\x1b" not in text
    assert set(json.loads((run / "summary.json").read_text(encoding="utf-8"))["class_names"]) >= {"plain", "=1+1|cmd"}
    assert "\x1b" not in mlhw("show", run.name, "--json", cwd=tmp_path).out
    svgs = sorted((run / "plots").glob("*.svg"))
    assert svgs
    for svg in svgs:
        for element in ElementTree.parse(svg).iter():
            assert "script" not in element.tag.lower()
            assert not any(key.lower().startswith("on") for key in element.attrib)
    with (run / "test_predictions.csv").open(encoding="utf-8", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            assert all(float(cell) >= 0 for cell in row)
