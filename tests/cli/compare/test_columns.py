"""`mlhw compare`: only what differs, best on val first, and columns as they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlhw.errors import ConfigError
from tests.cli.compare.made import asked, ids, made


def test_only_what_differs_is_a_column_and_the_best_on_val_comes_first(outputs: Path, three: list[str]) -> None:
    found = asked(outputs, *three)
    measures = [f"{split}_{what}" for split in ("train", "val", "test") for what in ("loss", "accuracy")]
    assert found.columns == ["train.lr", *measures, "seconds"]
    assert [row.name for row in found.rows] == [three[1], three[2], three[0]]
    assert found.sorted_by == "val_accuracy"
    assert found.same["data.kind"] == "digits"
    assert "train.lr" not in found.same


def test_test_accuracy_never_sorts_unasked(outputs: Path) -> None:
    tests = (0.1, 0.9, 0.5)
    runs = [
        made(outputs, run_id, f"train.lr={place + 1}", val_accuracy=None, val_loss=None, test_accuracy=test)
        for place, (run_id, test) in enumerate(zip(ids(3), tests, strict=True))
    ]
    given = asked(outputs, *runs)
    assert [row.name for row in given.rows] == runs
    assert given.sorted_by is None
    assert "val_accuracy" not in given.columns
    assert [row.name for row in asked(outputs, *runs, sort="test acc").rows] == [runs[1], runs[2], runs[0]]


def test_any_column_sorts_both_ways_and_what_has_no_value_stays_last(outputs: Path, three: list[str]) -> None:
    other = made(outputs, "gmm-softmax-20260101-000000-0000", name="gmm-softmax", test_accuracy=None)
    by_rate = asked(outputs, *three, other, sort="lr")
    assert [row.config["train.lr"] for row in by_rate.rows] == sorted(row.config["train.lr"] for row in by_rate.rows)
    for reverse in (False, True):
        rows = asked(outputs, other, *three, sort="test_accuracy", reverse=reverse).rows
        assert rows[-1].name == other
        assert [row.name for row in rows[:3]] == (three if reverse else three[::-1])


def test_columns_are_picked_in_order_by_their_last_part_or_heading(outputs: Path, three: list[str]) -> None:
    assert asked(outputs, *three, columns=["val acc", "lr", "epochs"]).columns == ["val_accuracy", "train.lr", "epochs"]
    with pytest.raises(ConfigError, match=r"no column 'train\.lt'.*train\.lr"):
        asked(outputs, *three, sort="train.lt")
    with pytest.raises(ConfigError, match=r"'kind' could be .*data\.kind or .*model\.kind"):
        asked(outputs, *three, columns=["kind"])


def test_all_has_the_keys_that_do_not_differ_too(outputs: Path, three: list[str]) -> None:
    found = asked(outputs, *three, everything=True)
    assert {"train.batch_size", "description", "parameters", "status"} <= set(found.columns)
    assert found.record()["rows"][0]["config"].keys() == set(found.rows[0].config)
