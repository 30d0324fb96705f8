"""One signature for one result: whatever changes numbers changes it, and nothing else does."""

from __future__ import annotations

import pytest

from mlhw.config.load import load
from mlhw.runs.environment import differences, environment
from mlhw.runs.signature import signature


def sign(*overrides: str) -> str:
    return signature(load("digits-cnn", list(overrides)).model_dump(mode="json"))


@pytest.mark.parametrize(
    "override",
    ["train.lr=0.5", "seed.init=9", "seed.data=9", "model.dropout=0.3", "data.val_fraction=0.3", "train.augment=null"],
)
def test_what_changes_the_result_changes_it(override: str) -> None:
    assert sign(override) != sign()


@pytest.mark.parametrize(
    "override", ["device=cpu", "threads=1", "description=x", "expect.test_accuracy='> 0.1'", "name=other"]
)
def test_what_does_not_change_the_result_does_not(override: str) -> None:
    assert sign(override) == sign()


def test_it_is_the_same_in_every_process() -> None:
    assert len(sign()) == 64
    assert signature({"b": 1, "a": [1, 2.5]}) == signature({"a": [1, 2.5], "b": 1})


def test_an_environment_differs_from_none_and_from_itself_in_nothing() -> None:
    now = environment("cpu", 2)
    assert differences(now, now) == []
    assert differences({}, now) == []
    assert differences(now | {"threads": 1}, now) == ["threads 1 then, 2 now"]
    other = now | {"packages": now["packages"] | {"torch": "1.0"}}
    assert differences(other, now)[0].startswith("torch 1.0 then")
