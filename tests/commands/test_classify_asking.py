"""What is asked of `pretrained classify`: flags, overrides, experiments, weights, and the name that follows."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlhw.commands.pretrained.asking import resolve
from mlhw.config.load import load_pretrained_file
from mlhw.errors import ConfigError
from tests.commands.pictures_made import SMALL, draw_pictures, run


def test_flags_win_over_overrides_and_those_over_the_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = resolve(
        "classify",
        "pretrained-vgg16",
        ["pretrained.top=3", "pretrained.batch_size=4"],
        paths=["a b"],
        weights=["w=1.pth"],
        flags={"pretrained.top": 7, "pretrained.strict": None},
    )
    asked = found.pretrained
    assert (asked.models, asked.top, asked.batch_size, asked.strict) == (("vgg16",), 7, 4, False)  # type: ignore[union-attr]
    assert asked.weights == {"vgg16": str(tmp_path / "w=1.pth")}
    assert found.paths == (str(tmp_path / "a b"),)


@pytest.mark.parametrize(
    ("models", "name"),
    [
        (None, "pretrained-resnet18"),
        (["alexnet"], "pretrained-alexnet"),
        (["efficientnet_b0"], "pretrained-efficientnet-b0"),
        (["vgg16", "alexnet"], "pretrained-classify"),
    ],
)
def test_a_run_is_named_after_its_network(models: list[str] | None, name: str) -> None:
    found = resolve("classify", flags={"pretrained.models": models})
    assert found.name == name
    assert ("ResNet18" in found.description) == (models is None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["x.pth"], ["for which of vgg16, alexnet", "--weights vgg16=FILE"]),
        (["vg16=x.pth"], ["Did you mean vgg16?"]),
        (["vgg16=x.pth", "vgg16=y.pth"], ["vgg16 is given twice"]),
    ],
)
def test_weights_are_for_a_network_that_is_named(given: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve("classify", weights=given, flags={"pretrained.models": ["vgg16", "alexnet"]})
    for word in words:
        assert word in str(caught.value)


def test_an_experiment_of_another_command_is_refused() -> None:
    with pytest.raises(ConfigError, match="`mlhw pretrained filters`"):
        resolve("classify", "pretrained-filters")
    with pytest.raises(ConfigError, match=r"weights for vgg16, but the models are alexnet"):
        resolve("classify", "pretrained-alexnet", ["pretrained.weights.vgg16=x.pth"])


def test_a_run_s_config_is_an_experiment_and_says_all(small_weights: Path, tmp_path: Path) -> None:
    draw_pictures(tmp_path / "pictures", 1)
    found, _ = run("classify", [tmp_path / "pictures"], [str(small_weights)], models=[SMALL])
    experiment = load_pretrained_file(found.config_file)
    assert experiment.paths == (str(tmp_path / "pictures"),)
    assert experiment.pretrained.weights == {SMALL: str(small_weights)}
