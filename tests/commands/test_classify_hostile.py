"""Hostile files among pictures: rows or reasons, and the good ones unharmed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mlhw.runs import classified
from mlhw.runs.store import Run
from tests.cli.program import mlhw
from tests.commands.pictures_made import SMALL, draw_pictures, run
from tests.datasets.hostile import KINDS, make_hostile
from tests.models.zoo_made import by_hand, saved


def check_hostile(found: Run, expected: dict[Path, str | None], good: Sequence[Path]) -> None:
    """Each good picture has its rows, each hostile file its reason, or rows where it is a picture after all."""
    by_file = {classed.file: classed for classed in classified.read(found.path / "predictions.csv")[0]}
    assert by_file.keys() == {str(path) for path in [*expected, *good]}
    for path in good:
        assert len(by_file[str(path)].ranks) == 5
    for path, reason in expected.items():
        classed = by_file[str(path)]
        assert bool(classed.ranks) == (reason is None), (path, classed.reason)
        if reason is not None:
            assert reason in classed.reason
            assert classed.reason


@pytest.mark.skipif(os.name != "posix", reason="hostile as only POSIX can be")
def test_hostile_files_are_rows_or_reasons_and_good_ones_unharmed(small_weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    expected = make_hostile(folder, len(KINDS), np.random.default_rng(0))
    good = draw_pictures(folder, 5)
    found, summary = run("classify", [folder], [str(small_weights)], models=[SMALL])
    check_hostile(found, expected, good)
    assert summary["pictures"]["found"] == len(expected) + 5
    assert summary["pictures"]["classified"] == 5 + sum(reason is None for reason in expected.values())


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="hostile as only POSIX can be")
def test_three_hundred_hostile_files_and_fifty_good_ones_below_two_gigabytes(tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    expected = make_hostile(folder, 300, np.random.default_rng(0))
    good = draw_pictures(folder, 50)
    weights = saved(by_hand("resnet18"), tmp_path / "resnet18.pth")
    done = mlhw("pretrained", "classify", str(folder), "--weights", str(weights), "--json")
    assert done.code == 4, done.err
    found = Run(Path(done.json["path"]))
    check_hostile(found, expected, good)
    assert done.json["peak_memory_mb"] < 2000
