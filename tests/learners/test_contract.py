"""The laws of every learner, whatever computes inside."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from mlhw.arrays import Batch, Splits
from mlhw.errors import ConfigError, WeightsDiverged
from mlhw.protocols import Learner
from mlhw.runs import checkpoint
from mlhw.training import batches
from mlhw.training.fit import fit
from mlhw.training.schedules import cosine
from mlhw.training.state import LoopState, MemberEpoch, Recipe
from tests import made

pytestmark = pytest.mark.parametrize("make", made.LEARNERS.values(), ids=made.LEARNERS.keys())
Make = Callable[..., Learner]
RECIPE = Recipe(epochs=4, batch_rows=16, schedule=cosine(), seed=5)


class Rows:
    """A watcher that keeps what it is told (without the seconds, which no two runs share)."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.snapshots: list[tuple[list[dict[str, Any]], dict[str, Any]]] = []
        self.learner: Learner | None = None

    def on_step(self, epoch: int, rows_done: int, rows_total: int) -> None: ...

    def on_epoch(self, members: Sequence[MemberEpoch]) -> None:
        self.rows += [(*row[:-1], member.improved) for member in members for row in member.rows]
        if self.learner is not None:
            states = [member.state.to_dict() for member in members]
            self.snapshots.append((states, copy.deepcopy(self.learner.state())))


def train(
    learner: Learner, splits: Splits | None = None, recipe: Recipe = RECIPE, states: Sequence[LoopState] = ()
) -> Rows:
    watcher = Rows()
    watcher.learner = learner
    fit(learner, (splits or made.splits()).map(learner.place), recipe, watcher, states)
    return watcher


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def a_batch(learner: Learner, rows: int = 16) -> Batch:
    return next(iter(batches.in_order(learner.place(made.blobs(rows)), rows)))


def test_the_loss_falls(make: Make) -> None:
    rows = train(make(), recipe=Recipe(epochs=25, batch_rows=16, schedule=cosine(), seed=1)).rows
    losses = [row[2] for row in rows if row[1] == "train"]
    assert losses[-1] < 0.75 * losses[0]  # squashed scores cannot go below 0.54 of where they begin


def test_the_same_seed_gives_the_same_history_and_weights(make: Make) -> None:
    first, second = make(), make()
    assert train(first).rows == train(second).rows
    assert same(first.parameters(), second.parameters())


def test_another_seed_gives_other_weights(make: Make) -> None:
    assert not same(make(0).parameters(), make(1).parameters())


def test_of_what_a_learner_keeps_nothing_is_overlooked_that_is_not_finite(make: Make) -> None:
    learner = make()
    learner.step(a_batch(learner), 1.0)
    assert learner.finite().tolist() == [True] * learner.members
    seen = 0
    for array in floating(learner.state()):
        kept = copy.deepcopy(array)
        for bad in (np.nan, np.inf, -np.inf):
            array[(-1,) * array.ndim] = bad
            assert sum(learner.finite()) == learner.members - 1
            array[...] = kept
        seen += 1
    assert seen >= 2
    assert learner.finite().all()


def floating(value: Any) -> Iterator[Any]:
    """Each array of floating-point numbers in ``value``, however deep."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from floating(item)
    elif getattr(value, "ndim", 0) and "float" in str(value.dtype):
        yield value.detach() if hasattr(value, "detach") else value


def test_weights_that_break_in_the_last_step_are_lost_before_anyone_is_told(make: Make) -> None:
    """No loss tells: they are of before the step, and there is no validation."""
    learner, taken, step = make(), [], type(make()).step

    def breaks(batch: Batch, lr_scale: float) -> Any:
        report = step(learner, batch, lr_scale)
        taken.append(report)
        if len(taken) == 2 * -(-len(made.splits().train) // RECIPE.batch_rows):
            next(floating(learner.state()))[...] = np.nan
        return report

    learner.step = breaks  # type: ignore[method-assign]
    watcher = Rows()
    splits = Splits(made.splits().train).map(learner.place)
    if learner.members == 1:
        with pytest.raises(WeightsDiverged, match=r"by epoch 2, step \d+, where every loss was still a number"):
            fit(learner, splits, RECIPE, watcher)
    else:
        states = fit(learner, splits, RECIPE, watcher)
        assert all("the weights became NaN or infinite by epoch 2" in state.lost for state in states)
    assert {row[0] for row in watcher.rows} == {1}


def test_scoring_changes_nothing(make: Make) -> None:
    learner = make()
    learner.step(a_batch(learner), 1.0)
    before = copy.deepcopy(checkpoint._to_tensors(learner.state()))
    learner.score(a_batch(learner))
    learner.probabilities(a_batch(learner).inputs)
    after = checkpoint._to_tensors(learner.state())
    assert str(before) == str(after)


def test_relu_maxima_change_nothing_and_are_of_every_unit_once(make: Make) -> None:
    learner, batch = make(), a_batch(make(), 48)
    before = copy.deepcopy(checkpoint._to_tensors(learner.state()))
    whole = learner.relu_maxima(batch.inputs)
    assert str(before) == str(checkpoint._to_tensors(learner.state()))
    axes = 1 if learner.members == 1 else 2
    assert all(isinstance(values, np.ndarray) and values.ndim == axes for values in whole.values())
    assert all((values >= 0).all() for values in whole.values())
    parts = [learner.relu_maxima(batch.inputs[start : start + 20]) for start in (0, 20, 40)]
    for layer, values in whole.items():  # the largest of a batch is the largest of its parts
        np.testing.assert_allclose(np.max([part[layer] for part in parts], axis=0), values, rtol=1e-5, atol=1e-6)
    if make in (made.numpy_sgd, made.numpy_squashed, made.tensor_adam):  # sigmoid and tanh
        assert whole == {}


def test_a_restored_learner_goes_on_bit_for_bit(make: Make, tmp_path: Any) -> None:
    whole = make()
    history = train(whole)
    loop, state = history.snapshots[1]  # after the second epoch
    checkpoint.save(tmp_path / "c.pt", {"learner": state})
    other = make(99)
    other.restore(checkpoint.load(tmp_path / "c.pt")["learner"])
    rest = train(other, states=[LoopState(**each) for each in loop])
    assert rest.rows == history.rows[4 * whole.members :]  # a row for train and one for val of two epochs
    assert same(other.parameters(), whole.parameters())


def test_an_odd_last_batch_does_not_shift_a_mean(make: Make) -> None:
    learner = make()
    placed = learner.place(made.blobs(67))
    parts = [learner.score(batch) for batch in batches.in_order(placed, 16)]
    whole = learner.score(next(iter(batches.in_order(placed, 67))))
    loss = learner.fetch(parts)[0].sum()
    assert loss == pytest.approx(float(learner.fetch([whole])[0].sum()), rel=1e-5)
    assert learner.fetch(parts)[1].sum() == learner.fetch([whole])[1].sum()
    assert sum(part.count for part in parts) == whole.count == 67


def test_fetch_gives_one_float64_a_step_and_member(make: Make) -> None:
    learner = make()
    reports = [learner.score(a_batch(learner)) for _ in range(3)]
    values = learner.fetch(reports)[0]
    assert values.shape == (3, learner.members)
    assert values.dtype == np.float64


def test_a_report_is_of_the_weights_before_the_step(make: Make) -> None:
    learner = make()
    batch = a_batch(learner)
    if make is made.numpy_residual:
        learner.dropout_seed = None  # type: ignore[attr-defined]
    rel = 1e-5
    if make in (made.module_adamw, made.module_bfloat16):  # dropout and batch norm act in training alone, by design
        rel = 1e-5 if make is made.module_adamw else 2**-7  # bfloat16 has eight bits of the number
        learner.network.eval()  # type: ignore[attr-defined]
        learner.network.train = lambda mode=True: learner.network  # type: ignore[attr-defined]
    scored = learner.fetch([learner.score(batch)])[0][0]
    assert learner.fetch([learner.step(batch, 1.0)])[0][0] == pytest.approx(scored, rel=rel)


def test_probabilities_are_a_distribution_whose_top_is_what_score_counts(make: Make) -> None:
    learner = make()
    batch = a_batch(learner)
    p = learner.probabilities(batch.inputs)
    assert p.shape == ((16, 4) if learner.members == 1 else (learner.members, 16, 4))
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=1e-5)
    hits = (p.argmax(axis=-1) == made.blobs(16).targets).sum(axis=-1)
    np.testing.assert_array_equal(learner.fetch([learner.score(batch)])[1][0], hits)


def test_adopted_weights_are_those_given(make: Make) -> None:
    first, second = make(0), make(1)
    first.step(a_batch(first), 1.0)
    second.adopt(first.parameters())
    assert same(first.parameters(), second.parameters())


def test_weights_that_do_not_fit_are_refused_both_ways(make: Make) -> None:
    learner = make()
    weights = learner.parameters()
    name = sorted(weights)[0]
    with pytest.raises(ConfigError, match="missing"):
        learner.adopt({key: value for key, value in weights.items() if key != name})
    with pytest.raises(ConfigError, match="not known extra"):
        learner.adopt(weights | {"extra": np.zeros(1)})
    with pytest.raises(ConfigError, match="should be"):
        learner.adopt(weights | {name: np.zeros((1, 2, 3))})


def test_keeping_all_changes_nothing_and_keeping_none_is_refused(make: Make) -> None:
    learner = make()
    learner.step(a_batch(learner), 1.0)
    before = str(copy.deepcopy(checkpoint._to_tensors(learner.state())))
    learner.keep([True] * learner.members)
    assert str(checkpoint._to_tensors(learner.state())) == before
    for mask in ([False] * learner.members, [True] * (learner.members + 1), []):
        with pytest.raises(ValueError, match="the mask"):
            learner.keep(mask)
    assert str(checkpoint._to_tensors(learner.state())) == before


def test_a_member_that_is_not_there_is_refused(make: Make) -> None:
    learner = make()
    for member in (-1, learner.members):
        with pytest.raises(IndexError, match="there is no member"):
            learner.parameters(member)


def test_parameters_are_a_copy(make: Make) -> None:
    learner = make()
    before = learner.parameters()
    kept = copy.deepcopy(before)
    learner.step(a_batch(learner), 1.0)
    assert same(before, kept)


def test_global_generators_change_nothing_and_are_left_as_found(make: Make) -> None:
    # Python's own generator is seen to in tests/cli/test_train.py, without beartype, which draws from it at every check.
    first = train(make()).rows
    np.random.seed(99)  # noqa: NPY002  (the global generator is just what must not matter)
    torch.manual_seed(99)
    found = (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())  # noqa: NPY002
    assert train(make()).rows == first
    assert (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == found  # noqa: NPY002
