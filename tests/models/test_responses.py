"""Laws of responses and Grad-CAM: they are what torch computes, found by other ways, and the network is left as it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from mlhw.errors import ConfigError
from mlhw.models.responses import convolution, kernels, reached, responses
from tests.models.responding import AFTER, batch, made

# -- filters and responses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", AFTER)
def test_responses_are_the_convolution_s_output(after: str) -> None:
    network, x = made(after), batch()
    module = network[2].conv  # type: ignore[union-attr]
    expected = functional.conv2d(network[1](network[0](x)), module.weight, module.bias, padding=1)
    assert torch.equal(responses(network, "2.conv", x), expected)
    assert torch.equal(responses(network, "2.conv", x, [3, 0]), expected[:, [3, 0]])


@pytest.mark.parametrize("how", [{"stride": 2}, {"groups": 3}, {"dilation": 2, "padding": 1}, {"bias": False}])
def test_responses_of_every_kind_of_convolution(how: dict[str, Any]) -> None:
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(3, 6, 3, **how), nn.ReLU(inplace=True)).double()
    for x in (batch(), batch().contiguous(memory_format=torch.channels_last)):
        assert torch.equal(responses(network, "0", x), network[0](x))
    assert kernels(network, "0").shape == (6, 3 // how.get("groups", 1), 3, 3)


def test_what_comes_after_is_not_computed() -> None:
    class Never(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise AssertionError("computed")

    network = nn.Sequential(nn.Conv2d(3, 2, 3).double(), Never())
    assert responses(network, "0", batch()).shape == (2, 2, 10, 10)


def test_kernels_are_a_copy_in_the_order_asked_for() -> None:
    network = made()
    before = network[0].weight.clone()
    found = kernels(network, "0", [2, 0])
    assert torch.equal(found, before[[2, 0]])
    found.zero_()
    kernels(network, "0").zero_()
    assert torch.equal(network[0].weight, before)


def test_reached_follows_the_forward_pass_and_not_the_order_of_building() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.late, self.early, self.never = nn.Conv2d(2, 5, 3), nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.late(self.early(x))

    network = Backwards().double()
    assert reached(network, batch()) == [("early", 2, 10, 10), ("late", 5, 8, 8)]
    with pytest.raises(ConfigError, match="'never' takes no part"):
        responses(network, "never", batch())


# -- which layer ---------------------------------------------------------------------------------------------------------


def test_a_wrong_layer_is_answered_with_those_there_are_the_nearest_first() -> None:
    network = torchvision.models.squeezenet1_1()
    with pytest.raises(ConfigError) as error:
        convolution(network, "featres.0")
    assert "no layer 'featres.0'. Its 26 convolutions are features.0, " in str(error.value)
    assert str(error.value).endswith(" and 6 more.")
    with pytest.raises(ConfigError, match=r"features\.1' is a ReLU, no convolution"):
        convolution(network, "features.1")
    with pytest.raises(ConfigError, match=r"a Fire, no convolution\. Its 26 convolutions are features\.3\.squeeze, "):
        convolution(network, "features.3")
    with pytest.raises(ConfigError, match="no layer ''"):
        convolution(network, "")


def test_short_lists_are_whole_and_empty_ones_say_so() -> None:
    with pytest.raises(ConfigError, match=r"Its 2 convolutions are 0, 2\.conv\.$"):
        convolution(made(), "7")
    with pytest.raises(ConfigError, match=r"Its only convolution is 0\.$"):
        convolution(nn.Sequential(nn.Conv2d(1, 1, 1)), "conv")
    with pytest.raises(ConfigError, match="no 2-D convolutions"):
        convolution(nn.Sequential(nn.Linear(1, 1)), "0")


def test_a_filter_that_is_not_there_is_told_how_many_there_are() -> None:
    for ask in (lambda: kernels(made(), "0", [0, 4]), lambda: responses(made(), "0", batch(), [0, 4])):
        with pytest.raises(ConfigError, match="layer '0' has 4 filters, 0 to 3; there is no filter 4"):
            ask()
    with pytest.raises(ConfigError, match="-1"):
        kernels(made(), "0", [-1])
