"""Folded batch normalisation computes the same, and leaves the network that it was taken from alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mlhw.models.folding import folded
from tests.models.zoo_made import by_hand


def norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def answers(network: nn.Module, side: int = 64) -> torch.Tensor:
    with torch.inference_mode():
        return network(torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))).softmax(dim=1)


@pytest.mark.parametrize(
    ("name", "left"), [("resnet18", 0), ("mobilenet_v3_small", 0), ("shufflenet_v2_x0_5", 0), ("squeezenet1_1", 0)]
)
def test_torchvision_s_networks_answer_the_same(name: str, left: int) -> None:
    network = by_hand(name)
    before = copy.deepcopy(network.state_dict())
    again = folded(network)
    assert norms(again) == left
    torch.testing.assert_close(answers(again), answers(network), rtol=0, atol=1e-5)
    after = network.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


class Odd(nn.Module):
    """Convolutions whose batch normalisation must stay: it, or what it reads, is used by another as well."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = (nn.Conv2d(3, 3, 1) for _ in range(3))
        self.norm_twice, self.norm_of_sum, self.norm, self.good = (nn.BatchNorm2d(3) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm_twice(self.norm_twice(self.one(x)))
        y = self.two(x)
        x = self.norm_of_sum(y) + y  # y is read twice
        x = self.norm(x)  # reads a sum
        return self.good(self.three(x)).mean(dim=(2, 3))


def test_what_is_used_twice_stays() -> None:
    network = Odd().eval()
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.running_var, module.weight.data, module.bias.data):
                tensor.copy_(torch.rand(3, generator=generator) + 0.5)
    again = folded(network)
    assert norms(again) == 3
    torch.testing.assert_close(answers(again), answers(network))


class Untraceable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.convolution(x)) if x.sum() > 0 else x


def test_a_network_that_decides_by_its_numbers_is_given_back_as_it_is() -> None:
    network = Untraceable().eval()
    assert folded(network) is network


def test_all_other_weights_are_shared() -> None:
    network = by_hand("resnet18")
    again = folded(network)
    assert again.fc.weight is network.fc.weight  # type: ignore[union-attr]
    assert again.conv1.weight is not network.conv1.weight  # type: ignore[union-attr]
