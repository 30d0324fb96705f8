"""The law of stacks: M members trained as one are what M single learners are, to rounding."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mlhw.arrays import Batch, Split
from mlhw.learners.autograd import AutogradLearner
from mlhw.learners.explicit import ExplicitLearner
from mlhw.learners.fused import FusedAdam, FusedSgd
from mlhw.learners.stacked import FIRST, StackedLearner
from mlhw.learners.vmapped import VmappedLearner, can_stack
from mlhw.models import digits_cnn, fashion, numpy_mlp, numpy_resnet, tensor_mlp
from mlhw.numerics.optimisers import Adam, Sgd
from mlhw.protocols import Learner, StepReport
from mlhw.runs import checkpoint
from tests import made

RATES, DECAYS = (0.5, 0.05, 0.2), (1e-2, 0.0, 1e-3)
DEEP: dict[str, Any] = {"hidden_sizes": (9, 7), "dtype": "float64"}
RESIDUAL = [{"kind": "residual", "units": 7}, {"kind": "dense", "units": 6}, {"kind": "residual", "units": 5}]


def explicit(build: Callable[..., Any], rule: Callable[[int], Any], **settings: Any) -> Callable[[int], Any]:
    """Makes member ``place``: its own rate, seed and, through ``rule``, decay."""
    average = settings.pop("average_decay", None)

    def single(place: int) -> ExplicitLearner:
        model = build(**made.SHAPE, seed=place, **settings)
        return ExplicitLearner(model, rule(place), RATES[place], made.UNIT, average_decay=average)

    return single


def module(build: Callable[[], nn.Module], rule: Callable[[int], Any], **settings: Any) -> Callable[[int], Any]:
    def single(place: int) -> AutogradLearner:
        lr = RATES[place] * 0.1
        return AutogradLearner(build, lambda network: rule(place), lr=lr, scaling=made.UNIT, seed=place, **settings)

    return single


def decay(place: int, *names: str) -> dict[str, float]:
    return dict.fromkeys(names, DECAYS[place]) if DECAYS[place] else {}


CASES: dict[str, Callable[[int], Any]] = {
    "numpy-plain": explicit(numpy_mlp.build, lambda place: Sgd(), **DEEP),
    "numpy-squashed": explicit(
        numpy_mlp.build, lambda place: Sgd(), bias="input", squash_scores=True, init="uniform", **DEEP
    ),
    "numpy-nesterov": explicit(
        numpy_mlp.build, lambda place: Sgd(0.9, True, decay(place, "W1", "b2")), activation="tanh", **DEEP
    ),
    "numpy-adamw": explicit(
        numpy_mlp.build, lambda place: Adam(decay=decay(place, "W1", "W2"), decoupled=True), bias="none", **DEEP
    ),
    "numpy-no-hidden-layer": explicit(numpy_mlp.build, lambda place: Sgd(), hidden_sizes=(), dtype="float64"),
    "tensor-plain": explicit(tensor_mlp.build, lambda place: Sgd(), **DEEP),
    "tensor-decay": explicit(tensor_mlp.build, lambda place: Sgd(decay=decay(place, "W1", "b2")), **DEEP),
    "tensor-momentum": explicit(tensor_mlp.build, lambda place: Sgd(0.9, decay=decay(place, "W1", "W2")), **DEEP),
    "tensor-momentum-one-decay": explicit(tensor_mlp.build, lambda place: Sgd(0.9, decay={"W1": 1e-2}), **DEEP),
    "tensor-nesterov": explicit(tensor_mlp.build, lambda place: Sgd(0.9, nesterov=True), activation="relu", **DEEP),
    "tensor-adam": explicit(
        tensor_mlp.build,
        lambda place: Adam(decay=decay(place, "W1", "b1")),
        activation="elu",
        average_decay=0.9,
        **DEEP,
    ),
    "residual-momentum": explicit(
        numpy_resnet.build, lambda place: Sgd(0.5), layers=RESIDUAL, activation="relu", average_decay=0.9
    ),
    "residual-least-squares": explicit(
        numpy_resnet.build, lambda place: Sgd(decay=decay(place, "W1", "V1")), layers=RESIDUAL, loss="least-squares"
    ),
    "numpy-single-precision": explicit(numpy_mlp.build, lambda place: Sgd(0.9), hidden_sizes=(9,)),
    "tensor-single-precision": explicit(tensor_mlp.build, lambda place: Sgd(), hidden_sizes=(9,)),
    "module-cnn": module(
        lambda: digits_cnn.build(**made.SHAPE, channels=(4, 4)),
        lambda place: FusedSgd(0.9, decay=decay(place, "0.weight")),
    ),
    # Adam divides by the gradient's size, which makes of a gradient's rounding a step: a larger ε keeps the law visible.
    "module-ann": module(
        lambda: fashion.build_ann(**made.SHAPE, hidden_sizes=(9,)),
        lambda place: FusedAdam(epsilon=1e-2),
        average_decay=0.9,
        label_smoothing=0.1,
    ),
}
HAND_WRITTEN = [name for name in CASES if not name.startswith("module")]
FLOAT32 = ("numpy-single-precision", "tensor-single-precision", "module-cnn", "module-ann")

each_case = pytest.mark.parametrize("case", CASES)


def singles(case: str) -> list[Any]:
    return [CASES[case](place) for place in range(3)]


def stack_of(learners: Sequence[Any]) -> Any:
    return (VmappedLearner if isinstance(learners[0], AutogradLearner) else StackedLearner)(learners)


def make(case: str) -> Any:
    return stack_of(singles(case))


def close(case: str) -> dict[str, float]:
    return {"rtol": 1e-4, "atol": 1e-5} if case in FLOAT32 else {"rtol": 1e-9, "atol": 1e-12}


def orders(epochs: int = 3, seed: int = 0) -> list[np.ndarray]:
    """Rows of each batch; the last of an epoch is smaller."""
    rng = np.random.default_rng(seed)
    return [rows for _ in range(epochs) for rows in np.split(rng.permutation(67), (16, 32, 48, 64))]


def take(split: Split, rows: np.ndarray) -> Batch:
    """The batch of ``rows`` (rows,), or (members, rows) where each member has its own."""
    index = rows if isinstance(split.targets, np.ndarray) else torch.from_numpy(rows)
    return Batch(split.made_ready(split.inputs[index]), split.targets[index], index)


def train(learner: Learner, rows: Sequence[np.ndarray]) -> np.ndarray:
    """Losses and hits of each step, (2, steps, members)."""
    placed = learner.place(made.blobs(67))
    with np.errstate(all="ignore"):
        reports: list[StepReport] = [
            learner.step(take(placed, each), 1.0 / (1 + step)) for step, each in enumerate(rows)
        ]
    return np.stack(learner.fetch(reports))


def train_alone(learners: Sequence[Any], rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    return np.concatenate([train(learner, own) for learner, own in zip(learners, rows, strict=True)], axis=2)


def check_same(case: str, stack: Any, alone: Sequence[Any]) -> None:
    """Their weights, the averages too, and what they score."""
    for member, single in enumerate(alone):
        weights = single.parameters()
        got = stack.parameters(member)
        assert got.keys() == weights.keys()
        for name, values in weights.items():
            assert got[name].dtype == values.dtype
            np.testing.assert_allclose(got[name], values, **close(case), err_msg=f"{name} of member {member}")
    whole = take(stack.place(made.blobs(30)), np.arange(30))
    losses = [single.fetch([single.score(whole)])[0][0, 0] for single in alone]
    np.testing.assert_allclose(stack.fetch([stack.score(whole)])[0][0], losses, **close(case))


@each_case
def test_a_stack_is_its_members_trained_alone(case: str) -> None:
    alone, stack = singles(case), make(case)
    check_same(case, stack, alone)  # the same weights to begin with
    rows = orders()
    np.testing.assert_allclose(train(stack, rows), train_alone(alone, [rows] * 3), **close(case))
    check_same(case, stack, alone)
    assert not np.allclose(stack.parameters(0)[name := next(iter(alone[0].parameters()))], stack.parameters(1)[name])


@each_case
def test_a_stack_whose_members_have_rows_of_their_own_likewise(case: str) -> None:
    alone, stack = singles(case), make(case)
    own = [orders(seed=place) for place in range(3)]
    together = [np.stack(rows) for rows in zip(*own, strict=True)]
    np.testing.assert_allclose(train(stack, together), train_alone(alone, own), **close(case))
    check_same(case, stack, alone)


@each_case
def test_own_rows_that_are_the_same_are_shared_rows(case: str) -> None:
    shared, own = make(case), make(case)
    rows = orders(2)
    np.testing.assert_allclose(train(own, [np.stack([each] * 3) for each in rows]), train(shared, rows), **close(case))


@each_case
def test_targets_may_be_each_member_s_own_or_shared_whatever_the_inputs_are(case: str) -> None:
    stack = make(case)
    placed = stack.place(made.blobs(67))
    shared, own = take(placed, np.arange(9)), take(placed, np.stack([np.arange(9)] * 3))
    expected = stack.fetch([stack.score(shared)])[0]
    for batch in (Batch(shared.inputs, own.targets, own.rows), Batch(own.inputs, shared.targets, own.rows)):
        np.testing.assert_allclose(stack.fetch([stack.score(batch)])[0], expected, **close(case))
        twin = copy.deepcopy(stack)
        np.testing.assert_allclose(twin.fetch([twin.step(batch, 1.0)])[0], expected, **close(case))


@each_case
@pytest.mark.parametrize("own", [False, True])
def test_dropped_members_do_not_change_the_others_course(case: str, own: bool) -> None:
    alone, stack = singles(case), make(case)
    rows = [orders(seed=place if own else 0) for place in range(3)]
    together = [np.stack(each) if own else each[0] for each in zip(*rows, strict=True)]
    train(stack, together[:7])
    stack.keep([True, False, True])
    assert stack.members == 2
    np.testing.assert_array_equal(stack.lr, np.array([alone[0].lr, alone[2].lr]))
    rest = [each[[0, 2]] if own else each for each in together[7:]]
    after = train(stack, rest)
    assert after.shape == (2, 8, 2)
    for single, each in zip(alone, rows, strict=True):
        train(single, each[:7])
    expected = train_alone([alone[0], alone[2]], [rows[0][7:], rows[2][7:]])
    np.testing.assert_allclose(after, expected, **close(case))
    check_same(case, stack, [alone[0], alone[2]])
    stack.keep([False, True])
    check_same(case, stack, [alone[2]])
    train(stack, orders(1))  # a stack of one still steps


@each_case
@pytest.mark.parametrize("own", [False, True])
def test_a_member_that_explodes_disturbs_no_other(case: str, own: bool) -> None:
    learners = singles(case)
    learners[1].lr = float("inf")
    wild, calm = stack_of(learners), make(case)
    rows = [np.stack([each] * 3) if own else each for each in orders()]
    with_it, without = train(wild, rows), train(calm, rows)
    assert not np.isfinite(with_it[0, -1, 1])
    np.testing.assert_array_equal(with_it[:, :, [0, 2]], without[:, :, [0, 2]])
    for member in (0, 2):
        for name, values in calm.parameters(member).items():
            np.testing.assert_array_equal(wild.parameters(member)[name], values)


@each_case
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("mask", [(True, True, True), (True, False, True)])
def test_a_restored_stack_goes_on_bit_for_bit(case: str, own: bool, mask: Sequence[bool], tmp_path: Any) -> None:
    stack, other = make(case), make(case)
    rows = [np.stack([each] * 3) if own else each for each in orders()]
    train(stack, rows[:6])
    train(other, [np.stack([each] * 3) for each in orders(1, seed=9)])  # elsewhere, and laid out otherwise
    stack.keep(mask)
    other.keep(mask)
    checkpoint.save(tmp_path / "c.pt", {"learner": stack.state()})
    other.restore(checkpoint.load(tmp_path / "c.pt")["learner"])
    whole = take(stack.place(made.blobs(30)), np.arange(30))
    np.testing.assert_array_equal(*(each.fetch([each.score(whole)])[0] for each in (stack, other)))
    rest = [each[np.array(mask)] if own else each for each in rows[6:]]
    np.testing.assert_array_equal(train(stack, rest), train(other, rest))
    for member in range(sum(mask)):
        for name, values in stack.parameters(member).items():
            np.testing.assert_array_equal(other.parameters(member)[name], values)


@each_case
def test_a_member_s_weights_serve_a_single_model(case: str) -> None:
    stack = make(case)
    train(stack, orders(1))
    whole = take(stack.place(made.blobs(30)), np.arange(30))
    losses = stack.fetch([stack.score(whole)])[0][0]
    stacked = stack.probabilities(whole.inputs), stack.relu_maxima(whole.inputs)
    for member in range(3):
        single = CASES[case](0)
        single.adopt(stack.parameters(member))
        assert single.fetch([single.score(whole)])[0][0, 0] == pytest.approx(losses[member], rel=1e-5)
        np.testing.assert_allclose(single.probabilities(whole.inputs), stacked[0][member], rtol=1e-4)
        assert stacked[1].keys() == single.relu_maxima(whole.inputs).keys()
        for layer, values in single.relu_maxima(whole.inputs).items():
            np.testing.assert_allclose(values, stacked[1][layer][member], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("case", HAND_WRITTEN)
def test_the_first_weights_lie_so_that_shared_inputs_meet_them_in_one_product(case: str) -> None:
    """No number shows it where this fails, only the time."""
    stack = make(case)

    def laid_wide() -> Iterator[bool]:
        for values in (stack.model.parameters[FIRST], stack.averages.get(FIRST), stack.rule.state().get("velocity")):
            array = values.get(FIRST) if isinstance(values, dict) else values
            if array is not None:
                yield torch.as_tensor(array).swapaxes(0, 1).is_contiguous()

    train(stack, orders(1))
    assert all(laid_wide())
    stack.keep([True, False, True])
    assert all(laid_wide())
    stack.restore(checkpoint._to_tensors(stack.state()))
    assert all(laid_wide())
    train(stack, [np.arange(12).reshape(2, 6)])
    assert not any(laid_wide())


def test_what_cannot_be_stacked_is_refused_with_the_reason() -> None:
    def refused(reason: str, learners: Sequence[Any]) -> None:
        with pytest.raises(ValueError, match=reason):
            stack_of(learners)

    plain = explicit(numpy_mlp.build, lambda place: Sgd(), **DEEP)
    with pytest.raises(ValueError, match="there are none"):
        StackedLearner([])
    refused("dropout", [made.numpy_residual()])
    refused("not of one kind", [plain(0), CASES["numpy-nesterov"](1)])
    refused(
        "differ in rate and decay alone",
        [CASES["numpy-nesterov"](0), explicit(numpy_mlp.build, lambda place: Sgd(0.8), activation="tanh", **DEEP)(1)],
    )
    stepped = plain(0)
    train(stepped, orders(1))
    refused("has taken 5 steps", [plain(1), stepped])
    refused("batch normalisation", [made.module_adamw()])
    refused(
        "coarser classes",
        [module(lambda: digits_cnn.build(**made.SHAPE), lambda place: FusedSgd(), coarser=np.array([0, 0, 1, 1]))(0)],
    )
    refused(
        "one trains in bfloat16",
        [module(lambda: digits_cnn.build(**made.SHAPE), lambda place: FusedSgd(), precision="bfloat16")(0)],
    )
    refused("not of one kind", [CASES["module-cnn"](0), CASES["module-ann"](0)])


def test_can_stack_says_what_stands_in_the_way() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(1))

    assert can_stack(digits_cnn.build(**made.SHAPE)) == ""
    assert can_stack(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.0))) == ""
    assert can_stack(nn.Sequential(nn.BatchNorm2d(2))) == "it has batch normalisation (0)"
    assert can_stack(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1))) == "it draws at random (1: Dropout)"
    assert can_stack(Counting()) == "it keeps what is not trained (seen)"
    assert "LSTM" in can_stack(nn.LSTM(2, 2))


def test_a_module_that_draws_unseen_fails_at_its_first_step() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(64, 4)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.last(nn.functional.dropout(inputs.flatten(1), 0.5, training=True))

    stack = stack_of([module(Noisy, lambda place: FusedSgd())(place) for place in range(2)])
    with pytest.raises(RuntimeError, match="random"):
        train(stack, orders(1))
