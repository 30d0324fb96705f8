"""A run whose every word is an attack: what a stranger's data and config may hold."""

from __future__ import annotations

import json
from pathlib import Path

from mlhw.files import read_json, write_json
from tests.reports import made

SCRIPT = "<script>window.hit=1</script>"
WORDS = (
    f"a{SCRIPT}",
    '"><img src=x onerror="window.hit=2">',
    "</script><script>window.hit=3</script>",
    "<!--<script>",
    '=HYPERLINK("http://example.invalid","x")',
    "{{ 7 * 7 }}${7*7}",
    "line\u2028separator\u2029",
    "bell\x07 nul\x00 escape\x1b[31m",
    "right\u202eto left",
    "x" * 300,
)


def run(outputs: Path, run_id: str = "digits-cnn-20260103-000000-beef") -> str:
    """The run: its class names, its words, its data's and its machine's names."""
    made.run(outputs, run_id, "train.lr=0.5", names=WORDS)
    folder = outputs / run_id
    config = (folder / "config.yaml").read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(config):
        key = line.partition(":")[0]
        if key in ("description", "source", "result"):
            config[place] = f"{key}: {json.dumps(f'{key} {WORDS[0]} {WORDS[1]} {WORDS[2]} {WORDS[3]}')}"
    (folder / "config.yaml").write_text("\n".join([*config, ""]), encoding="utf-8")
    found = read_json(folder / "environment.json") or {}
    found |= {"processor": WORDS[1], "data": WORDS[2], "command": ["mlhw", "train", WORDS[0], WORDS[2]]}
    write_json(folder / "environment.json", found)
    return run_id


def sweep(outputs: Path) -> str:
    """A sweep whose variants are attacks."""
    members = made.ids(len(WORDS[:4]))
    for place, run_id in enumerate(members):
        made.run(outputs, run_id, f"train.lr={0.01 * (place + 1)}", seed=place)
    runs = {run_id: (word, 0) for run_id, word in zip(members, WORDS, strict=False)}
    return made.sweep(outputs, "digits-cnn-20260104-000000-feed", runs)
