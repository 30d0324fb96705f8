"""Taylor tests: the slopes are 1 and 2 for right derivatives, 1 and 1 for wrong ones, and rounding alone for linear maps."""

from __future__ import annotations

import numpy as np
import pytest

from mlhw.checks.battery import check_gradient, check_taylor
from mlhw.checks.rounding import measured_rounding
from mlhw.checks.taylor import HALVINGS, choose_direction, jacobian_test, random_direction, taylor_test
from tests.checks.made import loss, mlp, resnet

SMOOTH = ("sigmoid", "tanh", "elu")
W = np.array([[0.3, -1.2], [0.7, 2.0]])


def bowl(w: np.ndarray) -> float:
    return float(np.sum(np.exp(0.5 * w)) + w[0, 0] * w[1, 1])


def bowl_gradient(w: np.ndarray) -> np.ndarray:
    gradient = 0.5 * np.exp(0.5 * w)
    gradient[0, 0] += w[1, 1]
    gradient[1, 1] += w[0, 0]
    return gradient


def test_in_three_lines_of_a_notebook() -> None:
    gradient = bowl_gradient(W)
    direction = choose_direction(bowl, gradient, W, np.random.default_rng(0))
    found = taylor_test(bowl, gradient, W, direction)
    assert found.passed
    assert found.slopes == (pytest.approx(1.0, abs=0.01), pytest.approx(2.0, abs=0.01))
    assert len(found.steps) == HALVINGS + 1
    np.testing.assert_allclose(found.steps[:-1] / found.steps[1:], 2.0)
    assert str(found) == "slopes 1.00 (8 points) and 2.00 (8 of 21)"


@pytest.mark.parametrize("fault", [lambda g: -g, lambda g: 7 * g, lambda g: 0 * g, lambda g: g.T, lambda g: g + 1e-4])
def test_a_wrong_gradient_has_slope_1(fault: object) -> None:
    wrong = np.asarray(fault(bowl_gradient(W)))  # type: ignore[operator]
    found = taylor_test(bowl, wrong, W, choose_direction(bowl, wrong, W, np.random.default_rng(0)))
    assert not found.passed
    assert found.slopes[1] == pytest.approx(1.0, abs=0.05)


def test_a_gradient_that_is_not_finite_fails() -> None:
    found = taylor_test(bowl, np.full((2, 2), np.nan), W, np.full((2, 2), 0.5))
    assert not found.passed
    assert str(found) == "the derivative is not finite"


@pytest.mark.parametrize("layers", range(1, 9))
@pytest.mark.parametrize("activation", SMOOTH)
def test_slopes_of_whole_networks_of_1_to_8_layers(layers: int, activation: str) -> None:
    found = check_taylor(*loss(resnet(layers, activation, layers, init=("small", "he")[layers % 2]), layers)).taylor
    assert found is not None
    assert found.slopes == (pytest.approx(1.0, abs=0.05), pytest.approx(2.0, abs=0.05))
    assert found.used[1].sum() >= 6


@pytest.mark.parametrize("activation", ["relu", "leaky-relu"])
def test_slopes_of_networks_with_kinks_between_them(activation: str) -> None:
    for layers in (2, 4, 8):
        found = check_taylor(*loss(resnet(layers, activation, init="he"))).taylor
        assert found is not None
        assert found.slopes[1] == pytest.approx(2.0, abs=0.05)


def test_a_missing_1_over_m_in_a_network_has_slope_1() -> None:
    item, rng = loss(mlp("numpy"))
    wrong = type(item)(
        item.title, item.at, item.function, lambda at, u: {k: 7 * g for k, g in item.pullback(at, u).items()}
    )
    check = check_taylor(wrong, rng)
    assert not check.passed
    assert "slope 1.00, not 2" in check.diagnosis


def test_a_linear_map_is_exact_to_rounding_and_a_wrong_one_is_not() -> None:
    rng = np.random.default_rng(0)
    matrix, w, d = rng.standard_normal((6, 4)), rng.standard_normal(4), rng.standard_normal(4) / 2
    found = jacobian_test(lambda v: matrix @ v, lambda v: matrix @ v, w, d)
    assert found.exact
    assert found.slopes[1] is None
    assert np.all(found.first < 100 * found.rounding)
    assert not jacobian_test(lambda v: matrix @ v, lambda v: matrix @ v * (1 + 1e-9), w, d).passed


def test_beyond_a_kink_the_remainder_jumps_and_before_it_is_exact() -> None:
    found = jacobian_test(np.abs, lambda v: v, np.array([1e-3]), np.array([-1.0]))
    assert found.exact
    assert found.first[0] > 0.1


def test_at_a_kink_there_is_no_slope_2() -> None:
    assert not jacobian_test(np.abs, lambda v: v, np.zeros(1), np.array([-1.0])).passed


def test_rounding_is_measured_where_it_is_large() -> None:
    """A sum that cancels: the value is 1, but rounding is that of numbers a million times as large."""
    w = np.array([1.0, 2.0])
    plain = measured_rounding(lambda v: v.sum(), w)
    cancelled = measured_rounding(lambda v: (v.sum() * 1e6 + 1e8) - 1e8 - 2999999.0, w)
    assert plain < 1e-14
    assert 1e-9 < cancelled < 1e-6


def test_a_direction_moves_every_array_equally_and_half_along_its_gradient() -> None:
    rng = np.random.default_rng(0)
    like = {"W": np.zeros((200, 100)), "b": np.zeros(3)}
    along = {"W": rng.standard_normal((200, 100)), "b": np.array([0.0, 1e-9, 0.0])}
    found = random_direction(like, rng, along)
    lengths = [float(np.linalg.norm(part)) for part in found.values()]
    assert lengths == [pytest.approx(0.5**0.5)] * 2
    for name, part in found.items():
        assert np.vdot(part, along[name]) / np.linalg.norm(along[name]) > 0.3


def test_the_whole_battery_passes_for_every_kind_of_network() -> None:
    models = [
        resnet(3, loss="least-squares"),
        resnet(4, "relu", dropout=0.3),
        mlp("numpy", "elu"),
        mlp("numpy", bias="input", squash_scores=True),
        mlp("numpy", "tanh", bias="none"),
        mlp("tensor", "leaky-relu"),
        mlp("tensor"),
    ]
    for model in models:
        checks = check_gradient(*loss(model))
        assert {check.test for check in checks} == {"taylor", "differences", "autograd"}
        assert {check.name for check in checks} == {"", *model.parameters}
        assert [check for check in checks if not check.passed] == []
