"""Central differences: right to ten digits in every entry, honest about kinks and rounding, the stacked ones the same."""

from __future__ import annotations

import numpy as np
import pytest

from mlhw.checks import networks
from mlhw.checks.chains import chain, layer_inputs
from mlhw.checks.differences import Differences, against_differences, central_differences, worst_entry
from mlhw.checks.networks import layer_map
from mlhw.checks.transpose import derivative_along, transpose_error
from tests.checks.made import ROWS, loss, mlp, resnet


def test_every_entry_of_a_smooth_function() -> None:
    w = np.random.default_rng(0).standard_normal((3, 4)) * 3
    found = central_differences(lambda v: float(np.sin(v).sum()), w)
    np.testing.assert_allclose(found.low, np.cos(w), rtol=1e-8, atol=1e-9)
    assert found.kinks == 0
    assert against_differences(np.cos(w), found).error < 1e-7


def test_the_point_is_left_as_it_was() -> None:
    w = np.array([0.1, 1e-20, 1e9])
    before = w.copy()
    central_differences(lambda v: float((v * v).sum()), w)
    assert np.array_equal(w, before)


def test_at_a_kink_any_slope_between_both_sides_is_right() -> None:
    w = np.array([0.0, 1.0, -1.0])
    found = central_differences(lambda v: float(np.maximum(v, 0).sum()), w)
    assert found.kinks == 1
    for value, right in ((0.0, True), (0.5, True), (1.0, True), (1.1, False), (-0.1, False)):
        assert (against_differences(np.array([value, 1.0, 0.0]), found).error < 1e-6) == right


def test_a_kink_nearer_than_the_step_is_stepped_around() -> None:
    found = central_differences(lambda v: float(np.maximum(v, 0).sum()), np.array([2e-6]))
    assert found.nearest(np.array([1.0]))[0] == pytest.approx(1.0, abs=1e-9)
    assert against_differences(np.array([0.9]), found).error > 0.05


def test_a_strongly_bent_smooth_function_has_no_kink() -> None:
    w = np.array([0.01])
    found = central_differences(lambda v: float(np.cos(300 * v).sum()), w)
    assert found.kinks == 0
    assert found.low[0] == pytest.approx(-300 * np.sin(3.0), rel=1e-5)


def test_the_worst_entry_is_the_largest_of_the_equally_wrong_and_nan_is_worst() -> None:
    expected = np.array([[1.0, -3.0], [0.5, 2.0]])
    assert worst_entry(-expected, expected).entry == (0, 1)
    one = expected.copy()
    one[1, 0] = 0.6
    found = worst_entry(one, expected)
    assert (found.entry, found.got, found.expected) == ((1, 0), 0.6, 0.5)
    one[0, 0] = np.nan
    assert worst_entry(one, expected).entry == (0, 0)
    assert worst_entry(expected, expected).error == 0.0


def test_what_differences_cannot_resolve_is_held_to_what_they_can() -> None:
    found = Differences(np.array([1e-12, 1.0]), np.array([1e-12, 1.0]), noise=1e-10)
    assert against_differences(np.array([2e-12, 1.0]), found).error < 1e-6
    assert against_differences(np.array([1e-6, 1.0]), found).error > 1e-3


@pytest.mark.parametrize(
    "model",
    [
        resnet(4, "tanh"),
        resnet(3, "relu", loss="least-squares"),
        mlp("numpy", squash_scores=True),
        mlp("tensor", "elu"),
    ],
    ids=["resnet", "least-squares", "numpy", "tensor"],
)
def test_stacked_differences_are_those_of_one_entry_after_the_other(model: object) -> None:
    item, _ = loss(model)
    for name, array in item.at.items():
        assert item.differences is not None
        fast = item.differences(name, np.ones(()))
        slow = central_differences(lambda v, name=name: float(item.function(item.at | {name: v})), array)  # type: ignore[misc]
        np.testing.assert_allclose(fast.low, slow.low, rtol=1e-6, atol=2 * slow.noise)


def test_a_chain_that_is_not_what_the_model_computes_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast way stands only because a sample of it is held against the model's own loss."""
    model = mlp("numpy", "tanh")
    item, _ = loss(model)
    monkeypatch.setattr(networks, "chain", lambda model: chain(mlp("numpy", "sigmoid")))
    assert item.differences is not None
    found = item.differences("W1", np.ones(()))
    right = central_differences(lambda v: float(item.function(item.at | {"W1": v})), item.at["W1"])
    np.testing.assert_allclose(found.low, right.low, rtol=1e-6, atol=1e-8)


def test_a_layer_s_stacked_differences() -> None:
    model = resnet(3)
    inputs = np.random.default_rng(0).standard_normal((ROWS, 5))
    u = np.random.default_rng(1)
    for link, placed, given in layer_inputs(model, inputs):
        item = layer_map(link.title, placed, given)
        weights = u.standard_normal(item.function(item.at).shape)
        for name, array in item.at.items():
            slow = central_differences(lambda v, n=name, i=item, w=weights: float(np.vdot(w, i.of(n)(v))), array)  # type: ignore[misc]
            assert item.differences is not None
            np.testing.assert_allclose(item.differences(name, weights).low, slow.low, rtol=1e-6, atol=1e-8)


def test_a_derivative_along_a_direction_has_ten_digits_also_beside_a_kink() -> None:
    w, v = np.array([0.3, 1.1]), np.array([1.0, -2.0])
    np.testing.assert_allclose(derivative_along(np.exp, w, v), np.exp(w) * v, rtol=1e-11)
    near = np.array([1e-4, 1.1])
    np.testing.assert_allclose(derivative_along(lambda x: np.maximum(x, 0), near, v), v, rtol=1e-7)
    assert np.array_equal(derivative_along(np.exp, w, 0 * v), 0 * v)


def test_the_transpose_test_tells_a_matrix_from_its_transpose() -> None:
    rng = np.random.default_rng(0)
    j, u, v = rng.standard_normal((4, 4)), rng.standard_normal(4), {"x": rng.standard_normal(4)}
    assert transpose_error(j @ v["x"], u, v, {"x": j.T @ u})[0] < 1e-15
    assert transpose_error(j @ v["x"], u, v, {"x": j @ u})[0] > 1e-3
