"""The convolutional networks are the ones described, to the parameter."""

from __future__ import annotations

import pytest
import torch

from mlhw.config.load import load
from mlhw.errors import ConfigError
from mlhw.models import digits_cnn, grocery_cnn


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_course_s_digits_network() -> None:
    network = digits_cnn.build(input_shape=(8, 8, 1), classes=10)
    assert network(torch.zeros(5, 1, 8, 8)).shape == (5, 10)
    assert parameters(network) == (9 * 16 + 16) + (16 * 9 * 32 + 32) + (512 * 10 + 10)


def test_the_course_s_grocery_network_has_the_parameters_it_printed() -> None:
    network = grocery_cnn.build_blocks(input_shape=(256, 256, 3), classes=43)
    assert parameters(network) == 98_533
    assert network(torch.zeros(2, 3, 256, 256)).shape == (2, 43)


@pytest.mark.parametrize("name", ["grocery-cnn", "grocery-cnn-fast"])
def test_the_grocery_presets_keep_their_budget(name: str) -> None:
    model = load(name).model.model_dump(exclude={"kind"})
    network = grocery_cnn.build(input_shape=(96, 96, 3), classes=81, **model)
    assert parameters(network) < 100_000
    assert network(torch.zeros(2, 3, 96, 96)).shape == (2, 81)


@pytest.mark.parametrize("size", [(96, 96), (65, 130)])
def test_the_grocery_network_takes_any_size(size: tuple[int, int]) -> None:
    network = grocery_cnn.build(input_shape=(*size, 3), classes=7, head_channels=20).eval()
    assert network(torch.zeros(1, 3, *size)).shape == (1, 7)


def test_an_image_too_small_for_the_network_is_a_config_error() -> None:
    from mlhw.commands.assemble import build_learner
    from tests import made

    experiment = load("grocery-cnn-notebook", ["data.normalize=unit"])
    with pytest.raises(ConfigError, match="cannot take images"):
        build_learner(experiment, made.blobs(8, side=8, channels=3), "cpu")
