"""Laws of the discussion of a sweep: each sentence is there exactly where its rule holds, with the numbers of the curves."""

from __future__ import annotations

import itertools
import math
import random
import re

import pytest

from mlhw.errors import TrainingDiverged, WeightsDiverged
from mlhw.plots.swept import Curve
from mlhw.protocols import EpochRow
from mlhw.sweeps.discussion import discuss
from mlhw.sweeps.findings import BEHIND, CHANCE_LOSS, FALLING, OFTEN, RISE, Findings, late_fall, rises

INF = "the training loss became inf at epoch 3, step 12. Try a smaller train.lr."
KILLED = "the worker was killed by signal 9 (out of memory?)."
FLAT = [2.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]


def curve(
    lr: float,
    losses: list[float] | None = None,
    accuracy: float = 0.9,
    *,
    split: str = "val",
    train: float | None = None,
    held: list[float] | None = None,
    lost: str = "",
    best: int | None = None,
) -> Curve:
    """A run with these train losses, and the same ``accuracy`` on ``split`` at every epoch."""
    losses = FLAT if losses is None else losses
    rows = [EpochRow(e, "train", x, accuracy if train is None else train, lr, 1.0) for e, x in enumerate(losses, 1)]
    others = losses if held is None else held
    if split != "train":
        rows += [EpochRow(e, split, x, accuracy, lr, 1.0) for e, x in enumerate(others, 1)]
    return Curve(f"lr {lr:g}", lr, rows, lost, best)


def said(sentences: list[str], start: str) -> str:
    """The sentence that begins with ``start``; empty where there is none."""
    found = [sentence for sentence in sentences if sentence.startswith(start)]
    assert len(found) <= 1
    return found[0] if found else ""


THREE = [curve(0.01, accuracy=0.8), curve(0.1, accuracy=0.9), curve(1.0, accuracy=0.85)]


def test_the_best_is_named_with_its_lead_over_the_next() -> None:
    first, *_ = discuss(THREE)
    expected = "with 90.00 % val accuracy at epoch 8, 5.00 points ahead of 1 (85.00 %)."
    assert first == f"Learning rate 0.1 ended best, {expected}"


def test_the_best_is_judged_at_the_reported_epoch() -> None:
    rows = [EpochRow(1, "train", 1.0, 0.5, 1, 1), EpochRow(2, "train", 1.0, 0.5, 1, 1)]
    early = Curve("a", 1.0, [*rows, EpochRow(1, "val", 1, 0.95, 1, 1), EpochRow(2, "val", 1, 0.7, 1, 1)], best_epoch=1)
    late = Curve("b", 2.0, [*rows, EpochRow(1, "val", 1, 0.7, 1, 1), EpochRow(2, "val", 1, 0.8, 1, 1)], best_epoch=2)
    assert discuss([early, late])[0].startswith(
        "Learning rate 1 ended best, with 95.00 % val accuracy at epoch 1, 15.00"
    )
    assert discuss([early.__class__("a", 1.0, early.rows), late])[0].startswith("Learning rate 2 ended best")


@pytest.mark.parametrize(
    ("split", "expected"),
    [("val", ""), ("test", "Nothing was held out for validation"), ("train", "No held-out accuracy is known")],
)
def test_what_was_compared_is_said(split: str, expected: str) -> None:
    sentences = discuss([curve(lr, accuracy=0.8 + lr / 10, split=split) for lr in (0.1, 1.0)])
    assert f"{split} accuracy" in sentences[0]
    starts = ("Nothing was held out for validation", "No held-out accuracy is known")
    assert [start for start in starts if said(sentences, start)] == [start for start in starts if start == expected]


def test_the_test_accuracy_of_the_best_on_val_is_told_apart() -> None:
    some = [Curve(c.label, c.lr, [*c.rows, EpochRow(8, "test", 1.0, 0.5 + c.lr / 100, 1, 1)]) for c in THREE]
    assert "Its test accuracy is 50.10 %, on rows that no choice was made by." in discuss(some)
    assert said(discuss(THREE), "Its test accuracy") == ""


@pytest.mark.parametrize(("rows", "inside"), [(50, True), (100_000, False)])
def test_a_lead_is_held_against_the_number_of_rows(rows: int, inside: bool) -> None:
    sentence = said(discuss(THREE, rows={"val": rows}), "Two such")
    error = math.sqrt((0.9 * 0.1 + 0.85 * 0.15) / rows)
    assert f"by {100 * error:.2f} points" in sentence
    assert f"on {rows:,} val rows" in sentence
    assert ("within chance" in sentence) == inside
    assert inside or f"is {0.05 / error:.1f} times that" in sentence
    assert ("The same holds of 0.01" in sentence) == inside


def test_one_seed_is_said_to_be_one_whatever_the_rows() -> None:
    for rows in ({}, {"val": 100}, {"test": 100}):
        assert any("--grid train.lr=0.1,1 --seeds 5 can." in sentence for sentence in discuss(THREE, rows=rows))
    assert said(discuss(THREE, rows={"test": 100}), "Two such") == ""


def test_equally_good_rates_share_the_first_place() -> None:
    tied = [curve(0.1), curve(1.0), curve(10.0, accuracy=0.5)]
    assert discuss(tied)[0].startswith("Learning rates 0.1 and 1 ended equally well, with 90.00 % val accuracy, 40.00")
    every = [curve(0.1), curve(1.0)]
    assert discuss(every)[0] == "Learning rates 0.1 and 1 ended equally well, with 90.00 % val accuracy."
    assert discuss(every)[-1] == "All rates ended alike. Next: both sides, --lrs 0.01,10."


def test_diverged_and_failed_runs_are_told_apart_and_in_no_comparison() -> None:
    some = [curve(0.1), curve(1.0, [2.0, 3.0], lost=INF), curve(10.0, [], lost=KILLED)]
    sentences = discuss(some)
    assert (
        sentences[0]
        == "Learning rate 0.1 ended best, with 90.00 % val accuracy at epoch 8; no other rate came to its end."
    )
    assert "Diverged: 1 (the training loss became inf at epoch 3, step 12)." in sentences
    kept = "Not finished, and in no comparison: 10 (the worker was killed by signal 9 (out of memory?))."
    assert kept in sentences
    assert not any("Diverged" in sentence or "Not finished" in sentence for sentence in discuss(THREE))


@pytest.mark.parametrize("loss", [math.inf, -math.inf, math.nan])
def test_what_training_raises_is_known_as_divergence(loss: float) -> None:
    assert curve(1.0, [2.0], lost=str(TrainingDiverged(2, 7, loss, "val"))).diverged
    assert curve(1.0, [2.0], lost=str(WeightsDiverged(2, 7))).diverged
    unsaid = Curve("a", 1.0, [EpochRow(1, "train", 2.0, 0.5, 1, 1), EpochRow(2, "train", loss, 0.1, 1, 1)])
    assert unsaid.diverged
    assert unsaid.lost_at == 2
    assert not curve(1.0, [2.0], lost=KILLED).diverged


def test_many_lost_runs_are_listed_by_their_ends_with_the_earliest() -> None:
    lost = [curve(10.0**k, [1.0] * (9 - k), lost=INF.replace("epoch 3", f"epoch {10 - k}")) for k in range(2, 8)]
    sentence = said(discuss([*THREE, *lost]), "Diverged")
    assert sentence.startswith(
        "Diverged: 100 to 1e+07 (6 rates); the earliest was 1e+07 (the training loss became inf at epoch 3"
    )


@pytest.mark.parametrize(("fall", "there"), [(1.2 * FALLING, True), (0.8 * FALLING, False), (-0.1, False)])
def test_still_falling_is_said_from_the_fall_over_the_last_quarter(fall: float, there: bool) -> None:
    end = 0.5 * (1 - fall)
    losses = [2.0, 1.0, 0.7, 0.6, 0.5, 0.5, end, end]
    assert late_fall(curve(0.1, losses)) == pytest.approx(fall)
    sentence = said(discuss([curve(0.1, losses), curve(1.0)]), "Still falling")
    assert (
        sentence.startswith("Still falling at the end: 0.1, with a train loss down by 6 % in the last quarter") == there
    )
    assert bool(sentence) == there


def test_too_small_is_below_the_best_behind_it_and_still_falling() -> None:
    falling = [2.0, 1.8, 1.6, 1.4, 1.2, 1.0, 0.8, 0.6]
    best = curve(1.0)
    small = said(discuss([curve(0.1, falling, 0.7), best]), "Too small")
    assert small == "Too small for 8 epochs: 0.1 ended 20.00 points behind the best."
    assert not said(discuss([curve(0.1, accuracy=0.7), best]), "Too small")  # it had levelled out
    assert not said(discuss([curve(10.0, falling, 0.7), best]), "Too small")  # above the best
    assert not said(discuss([curve(0.1, falling, 0.9 - BEHIND / 2), best]), "Too small")  # hardly behind
    assert said(discuss([curve(0.1, falling, 0.9 - BEHIND / 2), best], rows={"val": 10**7}), "Too small")


def test_too_large_is_above_the_best_behind_it_and_no_longer_falling() -> None:
    best = curve(1.0)
    large = said(discuss([best, curve(10.0, accuracy=0.7)]), "Too large")
    assert large == "Too large: 10 no longer fell, and ended 20.00 points behind the best."
    assert not said(discuss([best, curve(0.1, accuracy=0.7)]), "Too large")
    assert not said(discuss([best, curve(10.0, [2.0, 1.8, 1.6, 1.4, 1.2, 1.0, 0.8, 0.6], 0.7)]), "Too large")
    assert not said(discuss([best, curve(10.0, accuracy=0.899)]), "Too large")


@pytest.mark.parametrize(
    ("loss", "accuracy", "there"),
    [(math.log(10), 0.1, True), (50.0, 0.11, True), (CHANCE_LOSS * 2.2, 0.1, False), (math.log(10), 0.3, False)],
)
def test_no_better_than_guessing_needs_loss_and_accuracy_at_chance(loss: float, accuracy: float, there: bool) -> None:
    stuck = curve(10.0, [loss] * 8, accuracy)
    sentence = said(discuss([curve(1.0), stuck], classes=10), "No better than guessing")
    assert bool(sentence) == there
    assert not there or f"10 (train loss and accuracy {loss:.3g}, {100 * accuracy:.2f} %)" in sentence
    assert not there or "ln(10) = 2.30 and 10.00 %" in sentence
    assert not said(discuss([curve(1.0), stuck]), "No better than guessing")  # classes not known


def test_a_run_at_chance_that_still_falls_is_no_failure() -> None:
    slow = curve(0.001, [12.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0], 0.1)
    sentences = discuss([curve(1.0), slow], classes=10)
    assert not said(sentences, "No better than guessing")
    assert said(sentences, "Still falling")


@pytest.mark.parametrize(("last", "there"), [(2.0, True), (2.1, True), (1.99, False)])
def test_no_lower_than_in_the_first_epoch(last: float, there: bool) -> None:
    sentence = said(discuss([curve(1.0), curve(10.0, [2.0, 1.0, last])]), "The train loss of 10")
    assert bool(sentence) == there
    assert not there or f"no lower than in its first epoch (2 → {last:.3g})" in sentence


@pytest.mark.parametrize(("ups", "there"), [(2, True), (1, False)])
def test_oscillating_is_said_from_a_quarter_of_the_steps_on(ups: int, there: bool) -> None:
    losses = [2.0, 1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3]
    for k in range(ups):
        losses[2 * k + 2] = losses[2 * k + 1] * (1 + 2 * RISE)
    assert rises(curve(1.0, losses)) == ups
    assert (ups >= OFTEN * 7) == there
    sentence = said(discuss([curve(0.1), curve(1.0, losses)]), "Oscillating")
    assert bool(sentence) == there
    assert not there or sentence.endswith("rose again and again (in 2 of 7 steps from epoch to epoch).")


def test_rises_within_the_noise_do_not_count() -> None:
    assert rises(curve(1.0, [1.0, 1.0 + RISE / 2, 1.0, 1.0 + RISE / 2, 1.0])) == 0


def test_the_fastest_is_first_at_the_level_of_nearly_all_of_the_way() -> None:
    fast, slow, never = [2.0, 0.1, 0.1, 0.1], [2.0, 1.0, 0.2, 0.1], [2.0, 1.9, 1.8, 1.7]
    some = [curve(1.0, fast), curve(0.1, slow), curve(0.01, never)]
    level = 0.1 + 0.05 * 1.9
    sentence = said(discuss(some), "Converged fastest")
    assert sentence == (
        f"Converged fastest: 1, at a train loss of {level:.3g} (95 % of the way from 2 to 0.1) in epoch 2; "
        "next 0.1 in epoch 4; 0.01 did not get there."
    )
    assert not said(discuss([curve(1.0, fast), curve(0.1, fast, lost=INF)]), "Converged")  # nothing to compare
    assert said(discuss([curve(1.0, fast), curve(0.1, fast)]), "Converged").startswith(
        "Converged fastest: 0.1 and 1, at"
    )


def test_the_next_fastest_is_the_second_and_not_the_last() -> None:
    ways = [[2.0, 0.1, 0.1, 0.1], [2.0, 1.0, 0.1, 0.1], [2.0, 1.0, 1.0, 0.1]]
    sentence = said(discuss([curve(lr, way) for lr, way in zip((1.0, 0.1, 0.01), ways, strict=True)]), "Converged")
    assert sentence.endswith("in epoch 2; next 0.1 in epoch 3.")


def test_a_curve_that_explodes_does_not_move_the_level() -> None:
    some = [curve(0.01, [2.0, 1.0, 0.2, 0.1]), curve(0.1, [2.0, 0.1, 0.1, 0.1])]
    found = Findings([*some, curve(1e3, [2e4, 2e4, 2e4, 2e4])])
    assert found.level == Findings(some).level


def test_overfitting_is_what_the_judge_of_single_runs_calls_so() -> None:
    held = [1.0, 0.8, 0.8, 0.8, 0.9, 1.0, 1.1, 1.3]
    worse = curve(10.0, [2.0, 0.1, *[0.05] * 6], 0.7, train=0.99, held=held)
    sentence = said(discuss([curve(1.0), worse]), "Overfitting")
    assert sentence == "Overfitting: 10 (train 99.00 %, val 70.00 %)."
    assert not said(discuss([curve(1.0), worse]), "Too large")
    assert not said(discuss(THREE), "Overfitting")


@pytest.mark.parametrize(
    ("rates", "best", "expected"),
    [
        ([0.01, 0.1, 1.0], 1.0, "larger one may be better. Next: --lrs 1,3,10."),
        ([0.01, 0.1, 1.0], 0.01, "smaller one may be better. Next: --lrs 0.001,0.003,0.01."),
        ([0.01, 0.1, 1.0], 0.1, "inside the list. Next: --lrs 0.03,0.1,0.3."),
        ([0.25, 0.5, 1.0], 1.0, "larger one may be better. Next: --lrs 1,1.4,2."),
        ([0.9, 1.0, 1.1], 1.0, "more seeds will tell more than more rates."),
        ([1e-9, 0.1, 1e9], 0.1, "inside the list. Next: --lrs 0.01,0.1,1."),
        ([0.3], 0.3, "Next: --lrs 0.03,0.3,3."),
    ],
)
def test_the_next_rates_lie_where_the_best_one_points(rates: list[float], best: float, expected: str) -> None:
    assert discuss([curve(lr, accuracy=0.9 if lr == best else 0.5) for lr in rates])[-1].endswith(expected)


def test_suggested_rates_are_new_but_for_the_best() -> None:
    for rates in ([0.1, 0.3, 1.0], [0.2, 0.3, 0.4, 0.5], [1.0, 1.5], [0.123456789, 1.23456789]):
        for best in rates:
            last = discuss([curve(lr, accuracy=0.9 if lr == best else 0.5) for lr in rates])[-1]
            new = [float(text) for text in re.findall(r"[\d.e+-]+\d", last.partition("--lrs ")[2])]
            assert len(set(new)) == len(new)
            assert set(new) & set(rates) <= {best}


def test_a_diverged_neighbour_bounds_the_search_and_a_failed_one_does_not() -> None:
    below = [curve(0.1, accuracy=0.5), curve(1.0)]
    assert discuss([*below, curve(10.0, [], lost=INF)])[-1].endswith("inside the list. Next: --lrs 0.3,1,3.")
    assert discuss([*below, curve(10.0, [], lost=KILLED)])[-1].endswith("larger one may be better. Next: --lrs 1,3,10.")


def test_nothing_came_to_its_end() -> None:
    every = discuss([curve(10.0, [2.0], lost=INF), curve(100.0, [], lost=INF)])
    assert every[0] == "No learning rate came to its end."
    assert said(every, "Diverged: 10 (the training loss became inf at epoch 3, step 12) and 100 (")
    assert every[-1] == "Next: smaller rates, --lrs 0.01,0.1,1."
    assert len(every) == 3
    assert discuss([curve(10.0, [2.0], lost=INF)])[0].startswith("Diverged: 10")
    assert discuss([curve(1.0, [], lost=KILLED), curve(2.0, [], lost=KILLED)])[-1].startswith(
        "Next: the same rates again"
    )


def test_all_at_chance_asks_for_both_sides() -> None:
    some = [curve(lr, [2.31] * 4, 0.1) for lr in (0.1, 1.0)]
    assert discuss(some, classes=10)[-1] == "Next: rates on both sides, --lrs 0.01,10."


def test_one_rate_is_compared_with_nothing() -> None:
    sentences = discuss([curve(0.1)], rows={"val": 100})
    assert sentences == [
        "The only learning rate, 0.1, ended with 90.00 % val accuracy.",
        "One rate has nothing to be compared with. Next: --lrs 0.01,0.1,1.",
    ]


def test_one_epoch_says_nothing_of_the_pace() -> None:
    sentences = discuss([curve(0.1, [2.0], 0.4), curve(1.0, [1.0], 0.6), curve(10.0, [1.0], 0.5)], classes=10)
    assert "One epoch says nothing of how fast the rates converge." in sentences
    starts = ("Still falling", "Too small", "Too large", "Oscillating", "Converged", "The train loss")
    assert not any(said(sentences, start) for start in starts)


def test_runs_without_a_split_in_common_are_not_compared() -> None:
    other = Curve("b", 1.0, [EpochRow(1, "val", 1.0, 0.5, 1, 1)])
    sentences = discuss([curve(0.1, split="train"), other])
    assert sentences[0] == "The runs have no split in common, so their results cannot be compared."
    assert not any("best" in sentence or "--lrs" in sentence for sentence in sentences)


def test_the_order_of_the_curves_changes_nothing() -> None:
    some = [*THREE, curve(10.0, [2.0], lost=INF), curve(100.0, [], lost=KILLED)]
    expected = discuss(some, classes=10, rows={"val": 1000})
    for order in itertools.permutations(some):
        assert discuss(order, classes=10, rows={"val": 1000}) == expected


def test_more_seeds_of_one_rate_go_by_their_labels() -> None:
    some = [Curve(f"seed {k}", 0.1, curve(0.1, accuracy=0.8 + k / 100).rows) for k in range(3)]
    assert discuss(some)[0].startswith("Learning rate seed 2 ended best")


def test_a_thousand_rates_and_any_numbers_are_sentences() -> None:
    rng = random.Random(5)
    some = [
        curve(10 ** rng.uniform(-6, 4), [rng.lognormvariate(0, 3) for _ in range(rng.randint(1, 9))], rng.random(),
              lost=rng.choice(["", "", INF, KILLED]))
        for _ in range(200)
    ]  # fmt: skip
    for count in (1, 2, 3, 20, 200):
        for sentence in discuss(some[:count], classes=3, rows={"val": 40}):
            assert sentence.endswith(".")
            assert not re.search(r"nan|  |%!|\bNone\b|\{|\}", sentence.replace("loss became nan", ""))
            assert len(sentence) < 1500


def test_no_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one learning rate"):
        discuss([])
