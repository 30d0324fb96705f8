import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from mlhw.arrays import Place
from mlhw.datasets import digits
from tests.datasets.made import never


@pytest.mark.parametrize(("rows", "seed"), [(500, 4803), (10, 0), (1787, 1)])
def test_the_split_is_scikit_learns(place: Place, rows: int, seed: int) -> None:
    splits = digits.load(place, split_rows=rows, split_seed=seed)
    images, labels = load_digits(return_X_y=True)
    expected = train_test_split(images, labels, train_size=rows, random_state=seed)
    got = (splits.train.inputs, splits.test.inputs, splits.train.targets, splits.test.targets)
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(ours).reshape(theirs.shape), theirs)


def test_shapes_types_and_values(place: Place) -> None:
    splits = digits.load(place)
    assert (splits.train.inputs.shape, splits.test.inputs.shape) == ((500, 8, 8, 1), (1297, 8, 8, 1))
    assert splits.train.inputs.dtype == np.uint8
    assert (splits.train.inputs.min(), splits.train.inputs.max()) == (0, 16)
    assert splits.train.targets.dtype == np.int64
    assert splits.val is None


def test_the_second_load_builds_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    digits.load(place)
    monkeypatch.setattr(digits, "_build", never("the cache is warm"))
    assert len(digits.load(place).train) == 500
