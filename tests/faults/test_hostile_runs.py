"""A run folder from a stranger, or one that a disk has damaged: every file of it may hold anything.

What reads it says what is wrong or makes do without; nothing runs, nothing outside is touched.
``MLHW_TEST_RUNS`` says how many folders are damaged (120 where it does not).
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlhw.runs import checkpoint
from tests.faults.mutating import cut, double, flip, insert
from tests.faults.stranger import copied, program

COUNT = int(os.environ.get("MLHW_TEST_RUNS", "120"))
SEED = int(os.environ.get("MLHW_TEST_SEED", "0"))

STRANGE: list[Any] = [
    None,
    True,
    -1,
    0,
    2**70,
    1e308,
    float("nan"),
    "",
    "x",
    "../..",
    "\x1b[2J",
    [],
    [[]],
    {},
    {"a": {}},
    ["x"],
]


def other_value(value: Any, rng: np.random.Generator) -> Any:
    """``value`` with one thing in it, however deep, replaced by something strange, or gone."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = list(value)[rng.integers(len(value))]
        if rng.random() < 0.15:
            return {name: item for name, item in value.items() if name != key}
        return value | {key: other_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = int(rng.integers(len(value)))
        return [*value[:at], other_value(value[at], rng), *value[at + 1 :]]
    if hasattr(value, "detach") and rng.random() < 0.7:
        return strange_tensor(value, rng)
    return STRANGE[rng.integers(len(STRANGE))]


def strange_tensor(value: Any, rng: np.random.Generator) -> Any:
    """``value`` of another shape, another type, or with a value that is not finite."""
    flat = value.double().flatten()
    if not len(flat):
        return torch.ones(3)
    broken = flat.clone()
    broken[0] = float("nan")
    return [flat[:1], flat, value.double()[None], broken.reshape(value.shape).to(value.dtype), value.to(torch.int8)][
        rng.integers(5)
    ]


def damage(path: Path, rng: np.random.Generator) -> None:
    """Change ``path``: its bytes, or what they say."""
    if path.suffix == ".json" and rng.random() < 0.7:
        path.write_text(json.dumps(other_value(json.loads(path.read_bytes()), rng)), encoding="utf-8")
    elif path.suffix == ".pt" and rng.random() < 0.8:
        torch.save(other_value(checkpoint.load(path), rng), path)
    else:
        data = path.read_bytes()
        path.write_bytes([flip, cut, double, insert][rng.integers(4)](data or b"x", rng))


FILES = (
    *(
        "config.yaml",
        "metrics.csv",
        "environment.json",
        "summary.json",
        "summary.json",
        "test_predictions.csv",
        "holder.json",
    ),
    *(
        "checkpoints/last.pt",
        "checkpoints/last.pt",
        "checkpoints/last.pt",
        "checkpoints/best.pt",
        "error.json",
        "stack.json",
    ),
)
OTHERS = {
    "error.json": {"kind": "TrainingDiverged", "message": "the loss became inf"},
    "stack.json": {"members": ["by-x-20260101-000000-aaaa"], "place": 0, "checkpoint": "sweeps/x/stacks/0.pt"},
}


def test_a_damaged_run_folder_is_read_as_far_as_it_goes(made: dict[str, Path], outputs: Path) -> None:
    rng = np.random.default_rng(SEED)
    for _ in range(COUNT):
        kind = list(made)[rng.integers(len(made))]
        run = copied(made[kind], outputs)
        name = FILES[rng.integers(len(FILES))]
        if name in OTHERS:
            (run / name).write_text(json.dumps(OTHERS[name]), encoding="utf-8")
        if not (run / name).exists():
            (run / name).write_text("{}", encoding="utf-8")
        try:
            damage(run / name, rng)
            unfinished = name != "summary.json" and rng.random() < 0.7
            if unfinished:
                (run / "summary.json").unlink()
            program("runs")
            program("show", run.name)
            program("compare", run.name, run.name)
            if unfinished and not (run / "config.yaml").read_bytes().count(b"0000"):  # not a billion epochs
                resume_without_figures(run.name)
            if rng.random() < 0.1:
                program("plot", run.name)
                program("export", run.name)
        except BaseException:
            logging.getLogger(__name__).warning("%s of %s: %r", name, kind, (run / name).read_bytes()[:2000])
            raise
        assert [path.name for path in outputs.iterdir() if path != run] == []
    assert sorted(path.name for path in outputs.parent.iterdir()) == ["outputs"]


def resume_without_figures(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlhw.commands.draw.draw_run", lambda *_, **__: [])
        program("resume", name, "-q")
