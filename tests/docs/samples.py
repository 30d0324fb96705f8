"""One small run of every command that prints JSON, and the keys of what it printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.docs.desk import Desk

QUICK = ("-s", "train.epochs=2", "-s", "data.train_rows=200", "-s", "threads=1")
RATES = ("graded", "--lrs", "0.1,1")
GRADED = """\
name: graded
data: {kind: digits, split_rows: 100, val_fraction: 0.2}
model: {kind: numpy-mlp, hidden_sizes: [16], activation: relu}
train: {epochs: 2, batch_size: 20, lr: 0.5}
expect: {test_accuracy: ">= 0", parameters: "< 100000", points: {parameters: 1}}
"""

# In this order: what a line needs, those above it made. {0} and {1} are the newest and the second newest run.
SAMPLES: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("list", (("list",),)),
    ("sweep-lr", (("sweep-lr", *RATES),)),
    ("sweep", (("sweep", "graded", "--seeds", "2"),)),
    ("train", (("train", "gmm-net", *QUICK), ("train", "graded", "-s", "seed.init=7"))),
    ("resume", (("resume", "latest"),)),
    ("runs", (("runs",),)),
    ("show", (("show", "{0}"), ("show", "{1}"))),
    ("plot", (("plot", "{0}", "{1}"),)),
    ("export", (("export", "{0}"),)),
    ("compare", (("compare", "{0}", "{1}"), ("compare", "SWEEP"))),
    ("evaluate", (("evaluate", "{0}", "--per-class"), ("evaluate", "{1}", "--split", "val"))),
    ("predict", (("predict", "{0}", "photo.jpg", "README.txt"), ("predict", "{1}", "rows.csv"))),
    ("report", (("report", "{0}"),)),
    ("grade", (("grade", "graded"), ("grade", "--submission", "hand-ins", "--against", "graded"))),
    ("reproduce", (("reproduce", "{0}"),)),
    ("rm", (("rm", "{0}"),)),
    ("summary", (("summary", "digits-cnn"), ("summary", "grocery-cnn"), ("summary", "gmm-net"))),
    ("graph EXPRESSION", (("graph", "w*x + b", "w=2", "x=3", "b=1", "--target", "5"), ("graph", "w*x", "w=2", "x=3"))),
    ("graph --experiment", (("graph", "--experiment", "digits-cnn"),)),
    (
        "check",
        (
            ("check", "gradients", "gmm-softmax"),
            ("check", "jacobians", "gmm-softmax"),
            ("check", "gradients", "--file", "my_layer.py"),
        ),
    ),
    ("doctor", (("doctor",),)),
    ("data list", (("data", "list"),)),
    ("data fetch", (("data", "fetch", "digits"),)),
    ("data verify", (("data", "verify", "mnist"), ("data", "verify", "digits"))),
    ("data preview", (("data", "preview", "digits"), ("data", "preview", "peaks"))),
    ("weights list", (("weights", "list"),)),
    ("pretrained classify", (("pretrained", "classify", "photo.jpg", "README.txt", "--model", "squeezenet1_1"),)),
    (
        "pretrained compare",
        (("pretrained", "compare", "images", "README.txt", "--model", "squeezenet1_1,shufflenet_v2_x0_5"),),
    ),
    ("pretrained filters", (("pretrained", "filters", "--image", "dog.jpg", "--cam", "--model", "squeezenet1_1"),)),
)


def prepare(desk: Desk) -> None:
    """What the samples need beside the desk's own."""
    (desk.folder / "experiments" / "graded.yaml").write_text(GRADED, encoding="utf-8")
    (desk.folder / "README.txt").write_text("not a picture", encoding="utf-8")
    (desk.folder / "rows.csv").write_text("1,2,3,4,5\n5,4,3,2,1\n", encoding="utf-8")
    for name in ("squeezenet1_1", "shufflenet_v2_x0_5"):
        desk.weights(name)


def printed(desk: Desk, words: tuple[str, ...]) -> list[Any]:
    """The JSON values that ``mlhw words --json`` printed, one a line.

    Raises:
        AssertionError: it printed nothing, or ended as a wrong command line does.
    """
    answer = desk.mlhw(*desk.filled(words), "--json")
    assert answer.code in (0, 1, 3, 4), f"{words}: {answer.code}\n{answer.err}"
    values = [json.loads(line) for line in answer.out.splitlines()]
    assert values, f"{words}: {answer.err}"
    return values


Path = tuple[str, ...]


def leaves(value: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is no object and no list, with the way to it (``[]`` for what a list holds); and what is empty."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*at, name))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from leaves(inner, (*at, "[]"))
    else:
        yield at, value
