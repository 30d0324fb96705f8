"""The generated toy sets: the same rows every time, of the course's sizes, and as hard."""

from __future__ import annotations

import numpy as np
import pytest

from mlhw.arrays import Split, Splits
from mlhw.datasets import toy, toy_made
from tests.datasets.toy_files import NAMES, REFERENCES, SIZES, nearest_neighbours

# --- what is generated ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generated() -> dict[str, Splits]:
    return {
        name: Splits(Split(*train, problem.class_names), val=Split(*val, problem.class_names))
        for name, problem in toy.PROBLEMS.items()
        for train, val in [problem.make(*problem.rows)]
    }


@pytest.mark.parametrize("name", NAMES)
def test_generated_rows_are_as_many_and_as_wide_as_the_course_s(generated: dict[str, Splits], name: str) -> None:
    train, val = generated[name].train, generated[name].val
    assert val is not None
    rows, held_out, features, classes = SIZES[name]
    assert (train.inputs.shape, val.inputs.shape) == ((rows, features), (held_out, features))
    for split in (train, val):
        assert np.isfinite(split.inputs).all()
        counts = np.bincount(split.targets, minlength=len(split.class_names))
        assert len(counts) == len(split.class_names) == classes
        assert np.abs(counts / len(split) - 1 / classes).max() < 0.01
        np.testing.assert_array_equal(split.inputs, split.inputs.astype(np.float32))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_rows_come_out_every_time_and_val_repeats_none_of_train(
    generated: dict[str, Splits], name: str
) -> None:
    train, val = toy.PROBLEMS[name].make(*toy.PROBLEMS[name].rows)
    np.testing.assert_array_equal(train[0], generated[name].train.inputs)
    np.testing.assert_array_equal(train[1], generated[name].train.targets)
    assert not {*map(tuple, train[0].tolist())} & {*map(tuple, val[0].tolist())}


# Where a release of numpy draws otherwise, `toy_made.VERSION` has to rise with these numbers.
FIRST_ROWS = {
    "gmm": [-0.017751, 0.99456, 0.462812, -0.592573, -0.272241],
    "peaks": [-0.052774, -1.549745],
    "swissroll": [-0.048254, 0.540352],
}


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_are_those_of_this_version(generated: dict[str, Splits], name: str) -> None:
    np.testing.assert_allclose(generated[name].train.inputs[0], FIRST_ROWS[name], atol=1e-6)


def softmax_regression(splits: Splits) -> float:
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=1e4, max_iter=500).fit(splits.train.inputs, splits.train.targets)
    return float(found.score(splits.val.inputs, splits.val.targets))


@pytest.mark.parametrize("name", NAMES)
def test_the_generated_problems_are_as_hard_as_the_course_s(generated: dict[str, Splits], name: str) -> None:
    by_neighbours, by_line = REFERENCES[name]
    assert nearest_neighbours(generated[name], 31) == pytest.approx(by_neighbours, abs=0.005)
    assert softmax_regression(generated[name]) == pytest.approx(by_line, abs=0.02)


def test_classes_of_peaks_are_levels_of_the_surface_but_for_noise(generated: dict[str, Splits]) -> None:
    split = generated["peaks"].train
    height = toy_made.peaks_height(*split.inputs.T)
    means = [height[split.targets == index].mean() for index in range(5)]
    assert (np.diff(means) > 1.5).all()
    assert np.abs(split.inputs).max() < 3.5


def test_the_surface_has_its_known_heights() -> None:
    """At the origin, on the highest hill, in the deepest valley, and at a corner."""
    x, y = np.array([0.0, -0.0093, 0.228, -3.0]), np.array([0.0, 1.581, -1.626, -3.0])
    np.testing.assert_allclose(toy_made.peaks_height(x, y), [0.981012, 8.106213, -6.551133, 6.67e-5], atol=2e-4)


def test_the_arms_lie_on_their_spirals_but_for_noise(generated: dict[str, Splits]) -> None:
    split = generated["swissroll"].train
    radius, angle = np.hypot(*split.inputs.T), np.arctan2(split.inputs[:, 1], split.inputs[:, 0])
    off = (radius - 0.2 * split.targets - angle / (4 * np.pi) + 0.25) % 0.5 - 0.25  # turns lie 0.5 apart
    outside = radius > 0.5  # near the middle an angle says little
    assert np.quantile(np.abs(off[outside]), 0.95) < 0.1
