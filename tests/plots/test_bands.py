"""Bands of seeds: mean and spread of runs, on figures that stay readable."""

from __future__ import annotations

import functools
import math

import pytest
from matplotlib.figure import Figure

from mlhw.plots.band import band, end_values, with_spread
from mlhw.plots.bands import MOST, OUTSTANDING, draw_bands
from mlhw.plots.rates import draw_rates
from mlhw.plots.swept import Curve
from mlhw.protocols import EpochRow
from tests.plots.rates_made import TITLES, Faults, curve, legends, lines, rates, rows, texts


def test_a_band_is_mean_and_sample_deviation_of_the_runs_that_have_the_epoch() -> None:
    runs = [rows([1.0, 2.0, 5.0]), rows([3.0, 4.0]), rows([2.0, math.nan])]
    found = band(runs, "train", "loss")
    assert found.epochs.tolist() == [1, 2, 3]
    assert found.mean.tolist() == [2.0, 3.0, 5.0]
    assert found.n.tolist() == [3, 2, 1]
    assert found.deviation[:2].tolist() == [1.0, math.sqrt(2)]
    assert math.isnan(found.deviation[2])
    last = end_values(runs, "train", "loss")
    assert (last.mean, last.n) == (pytest.approx(11 / 3), 3)


def test_a_spread_is_said_with_the_digits_that_it_has() -> None:
    assert with_spread(94.801, 0.052, "accuracy") == "94.80 ± 0.05"
    assert with_spread(0.66312, 0.0012, "loss") == "0.6631 ± 0.0012"
    assert with_spread(94.801, math.nan, "accuracy") == "94.80"
    assert with_spread(0.5, 0.0, "loss") == "0.500 ± 0.000"


def seeds(count: int, lr: float, epochs: int = 6) -> list[list[EpochRow]]:
    return [[row._replace(loss=row.loss + 0.01 * k) for row in curve(lr, epochs).rows] for k in range(count)]


GROUPS: dict[str, dict[str, list[list[EpochRow]]]] = {
    "three": {f"lr {lr:g}": seeds(3, lr) for lr in (0.01, 0.1, 1.0)},
    "alone": {"hidden 128": seeds(1, 0.1)},
    "uneven": {"a": [*seeds(2, 0.1, 9), *seeds(1, 0.1, 12)], "b": seeds(2, 1.0)},
    "one epoch": {f"lr {lr:g}": seeds(3, lr, 1) for lr in (0.01, 0.1)},
    "ten": {f"train.lr={lr:g}, model.hidden_sizes=[128,{lr:g}]": seeds(2, lr) for lr in rates(10)},
    "many": {f"lr {lr:g}": seeds(2, lr) for lr in rates(14)},
    "long names": {"$x$ <b> " * 40 + str(k): seeds(2, 0.1) for k in range(2)},
    "nothing": {"a": [[]]},
    "explodes": {"a": seeds(2, 0.1), "b": seeds(2, 0.2), "c": [rows([1e9, 1e12])]},
}


@functools.cache
def drawn_bands(name: str) -> Figure:
    return draw_bands(GROUPS[name], TITLES[len(name) % 2])


@pytest.mark.parametrize("name", GROUPS)
def test_bands_every_text_is_inside_and_free(name: str, text_faults: Faults) -> None:
    figure = drawn_bands(name)
    assert text_faults(figure) == []
    assert max(figure.get_size_inches()) <= 12


@pytest.mark.parametrize("name", GROUPS)
def test_every_setting_is_drawn_and_its_number_of_runs_is_said(name: str) -> None:
    figure = drawn_bands(name)
    drawn = {int(gid.rpartition("-")[2]) for gid in lines(figure, 0, "loss")}
    assert drawn == {at for at, runs in enumerate(GROUPS[name].values()) if any(runs)}
    said = [text for text in legends(figure) if "(n = " in text]
    few = len(GROUPS[name]) <= MOST
    assert len(said) == (len(GROUPS[name]) if few else sum(OUTSTANDING))
    rest = f"{len(GROUPS[name]) - sum(OUTSTANDING)} other settings"
    assert any(text.startswith(rest) for text in legends(figure)) != few


def test_a_band_needs_two_runs_and_covers_the_epochs_that_two_have() -> None:
    assert [patch.get_gid() for patch in drawn_bands("alone").axes[0].collections] == []
    figure = drawn_bands("uneven")
    patch = next(patch for patch in figure.axes[0].collections if patch.get_gid() == "band-loss-train-0")
    assert patch.get_paths()[0].vertices[:, 0].max() == 9
    assert lines(figure, 0, "loss-train-0")["loss-train-0"].get_xdata().max() == 12
    said = [text.get_text() for text in figure.texts if text.get_gid() == "note"]
    assert said == ["a: runs ended at epochs 9 to 12; means are over those that go on, bands over two or more"]
    assert [text for text in drawn_bands("three").texts if text.get_gid() == "note" and text.get_text()] == []


def test_of_many_settings_the_best_and_the_worst_stand_out() -> None:
    said = legends(drawn_bands("many"))
    names = [f"lr {lr:g} (n = 2)" for lr in rates(14)]
    assert [text for text in said if text in names] == [*names[: -OUTSTANDING[0] - 1 : -1], names[0]]


def test_ends_are_of_the_reported_epoch_as_in_the_tables_and_it_has_a_ring() -> None:
    runs = [rows([0.5, 0.2, 0.9], "val"), rows([0.6, 0.4, 0.3], "val")]
    with_epochs, without = draw_bands({"a": runs}, "", {"a": [2, 3]}), draw_bands({"a": runs})
    assert texts(with_epochs, "end") == ["0.250 ± 0.071"]
    assert texts(without, "end") == ["0.60 ± 0.42"]
    ring = lines(with_epochs, 0, "best")["best"]
    assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([2, 3], [0.2, 0.3])
    assert not lines(without, 0, "best")
    assert "reported epoch of a run" in legends(with_epochs)
    early = Curve("b", 1.0, rows([1.0, 0.9, 0.8]) + rows([0.5, 0.2, 0.9], "val"), best_epoch=2)
    figure = draw_rates([early])
    assert texts(figure, "end") == ["0.2"]
    assert texts(draw_rates([Curve("b", 1.0, early.rows)]), "end") == ["0.9"]
    assert list(lines(figure, 0, "best")["best"].get_xdata()) == [2]


def test_wrong_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="no setting"):
        draw_bands({})
    with pytest.raises(ValueError, match="'a' has no run"):
        draw_bands({"a": []})
