"""decision_regions.npz: what is written is read, a damaged file is an error in words, and the grid covers the rows."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlhw.errors import OutputError, RunError
from mlhw.runs import regions


def example() -> regions.Regions:
    rng = np.random.default_rng(0)
    x, y, cells = regions.grid(rng.normal(size=(20, 2)), columns=12)
    shape = (len(y), len(x))
    predicted, confidence = rng.integers(0, 3, shape), rng.random(shape).astype(np.float32)
    assert len(cells) == predicted.size
    points, classes = rng.normal(size=(7, 2)), rng.integers(0, 3, (2, 7))
    return regions.Regions(x, y, predicted, confidence, points, classes[0], classes[1], ("a", "ö", "_"), "val", "peaks")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    regions.write(tmp_path / "r.npz", example())
    found = regions.read(tmp_path / "r.npz")
    for name, value in example()._asdict().items():
        np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)
    assert (found.class_names, found.split, found.data) == (("a", "ö", "_"), "val", "peaks")
    assert [path.name for path in tmp_path.iterdir()] == ["r.npz"]


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*r\.npz"):
        regions.write(tmp_path / "nowhere" / "r.npz", example())


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_damaged_file_is_a_run_error_that_names_it(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "r.npz"
    regions.write(path, example())
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else int(keep)])
    with pytest.raises(RunError, match=r"r\.npz: cannot be read as decision regions"):
        regions.read(path)
    with pytest.raises(RunError, match=r"none\.npz"):
        regions.read(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "change",
    [
        {"predicted": np.zeros((2, 3), int)},
        {"targets": np.zeros(6, int)},
        {"guesses": np.full(7, 3)},
        {"points": np.array([[None] * 2] * 7, dtype=object)},  # objects would be unpickled: never
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(tmp_path: Path, change: dict[str, np.ndarray]) -> None:
    regions.write(tmp_path / "r.npz", example()._replace(**change))
    with pytest.raises(RunError, match="cannot be read as decision regions"):
        regions.read(tmp_path / "r.npz")


def test_an_array_that_is_missing_is_named(tmp_path: Path) -> None:
    regions.write(tmp_path / "whole.npz", example())
    with zipfile.ZipFile(tmp_path / "whole.npz") as whole, zipfile.ZipFile(tmp_path / "r.npz", "w") as part:
        for name in whole.namelist():
            if name != "guesses.npy":
                part.writestr(name, whole.read(name))
    with pytest.raises(RunError, match="guesses"):
        regions.read(tmp_path / "r.npz")


sides = st.floats(-1e6, 1e6, allow_nan=False).map(lambda side: round(side, 3))


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=20), st.integers(2, 40))
def test_the_grid_covers_the_rows_with_a_margin_of_a_twentieth(rows: list[tuple[float, float]], columns: int) -> None:
    points = np.array(rows)
    x, y, cells = regions.grid(points, columns)
    assert cells.shape == (len(x) * len(y), 2)
    assert len(x) == columns
    assert columns / 3 - 1 <= len(y) <= max(3 * columns, 2)
    np.testing.assert_array_equal(cells[:, 0].reshape(len(y), len(x)), np.broadcast_to(x, (len(y), len(x))))
    np.testing.assert_array_equal(cells[:, 1].reshape(len(y), len(x)), np.broadcast_to(y[:, None], (len(y), len(x))))
    for axis, line in enumerate((x, y)):
        low, high = points[:, axis].min(), points[:, axis].max()
        assert line[0] < line[-1]
        assert line[0] <= low
        assert high <= line[-1]
        if high > low:
            assert np.ptp(line) == pytest.approx(1.1 * (high - low))


@pytest.mark.parametrize(("rows", "picks"), [(1, 1), (5, 5), (2000, 2000), (6250, 2000)])
def test_picks_are_spread_evenly(rows: int, picks: int) -> None:
    found = regions.pick(rows)
    assert len(found) == picks
    assert (found[0], found[-1]) == (0, rows - 1)
    steps = np.diff(found)
    assert picks == 1 or np.ptp(steps) <= 1
