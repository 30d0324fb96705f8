"""Grad-CAM: the map by hand, and class activation maps where the two agree."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from mlhw.errors import ConfigError
from mlhw.models.grad_cam import Cam, grad_cam, last_map
from mlhw.models.responses import reached, responses
from tests.models.responding import AFTER, TAILS, batch, made


def by_hand(network: nn.Sequential, x: torch.Tensor, row: int, chosen: int) -> torch.Tensor:
    """Grad-CAM place by place from the block's output on: the whole Jacobian, then the paper's two sums in loops."""
    with torch.no_grad():
        activation = network[:3](x[row : row + 1])
    slopes = torch.autograd.functional.jacobian(lambda a: network[3](a.clone())[0, chosen], activation)
    _, channels, height, width = activation.shape
    heat = torch.zeros(height, width, dtype=torch.float64)
    for k in range(channels):
        alpha = sum(slopes[0, k, i, j] for i in range(height) for j in range(width)) / (height * width)
        heat += alpha * activation[0, k]
    return heat.clamp(min=0)


# What a ReLU gave may not be overwritten, for autograd's sake; what a convolution or a batch norm gave may.
@pytest.mark.parametrize(
    ("after", "tail"),
    [pair for pair in product(AFTER, TAILS) if pair[1] != "overwritten" or pair[0] in ("nothing", "norm")],
)
def test_grad_cam_is_that_by_hand(after: str, tail: str) -> None:
    network, x = made(after, tail), batch()
    found = grad_cam(network, "2.conv", x)
    assert torch.allclose(found.scores, network(x))
    assert torch.equal(found.classes, network(x).argmax(dim=1))
    for row in range(len(x)):
        expected = by_hand(network, x, row, int(found.classes[row]))
        assert torch.allclose(found.heat[row], expected, rtol=1e-10, atol=1e-12)
    asked = torch.tensor([4, 1])
    other = grad_cam(network, "2.conv", x, asked)
    assert torch.equal(other.classes, asked)
    assert torch.allclose(other.heat[1], by_hand(network, x, 1, 1), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("after", AFTER)
def test_with_average_pooling_and_a_linear_layer_it_is_cam(after: str) -> None:
    """Zhou et al. 2016: the class's weights times the last maps. Grad-CAM divides by the number of places."""
    network, x = made(after), batch()
    found = grad_cam(network, "2.conv", x)
    maps = network[:3](x)
    weights = network[3][2].weight[found.classes]  # type: ignore[index]
    cam = torch.einsum("nk,nkhw->nhw", weights, maps).clamp(min=0)
    assert torch.allclose(found.heat * (maps.shape[2] * maps.shape[3]), cam, atol=1e-12)
    assert found.heat.max() > 0


def _resnet(network: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    found: list[torch.Tensor] = []
    handle = network.avgpool.register_forward_pre_hook(lambda module, inputs: found.append(inputs[0].clone()))
    network(x)
    handle.remove()
    return found[0], network.fc.weight


def _mobilenet(network: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return network.features(x), network.classifier[1].weight


def _squeezenet(network: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return network.classifier[:3](network.features(x)), torch.eye(1000)


NETWORKS = {
    "resnet18": (_resnet, "layer4.1.conv2", ("batch norm", "residual sum", "ReLU")),
    "mobilenet_v2": (_mobilenet, "features.18.0", ("batch norm", "clipped ReLU")),
    "squeezenet1_1": (_squeezenet, "classifier.1", ("ReLU",)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_torchvision_s_networks_give_cam_at_their_last_map(name: str) -> None:
    """ReLUs in place, channels last, weights without gradients, the caller in inference mode."""
    look, layer, after = NETWORKS[name]
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, weights=None).eval().requires_grad_(False)
    network = network.to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 96, 96).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert last_map(network, x) == layer
        found = grad_cam(network, layer, x)
        maps, weights = look(network, x)
        cam = torch.einsum("nk,nkhw->nhw", weights[found.classes], maps).clamp(min=0)
        assert torch.allclose(found.scores, network(x), atol=1e-5)
    assert found.after == after
    scale = cam.max()
    assert scale > 0
    assert torch.allclose(found.heat * maps[0, 0].numel() / scale, cam / scale, atol=1e-5)


def test_within_inference_mode_weights_may_ask_for_gradients() -> None:
    network = made().requires_grad_(True)
    expected = grad_cam(network, "2.conv", batch()).heat
    with torch.inference_mode():
        assert torch.equal(grad_cam(network, "2.conv", batch()).heat, expected)


def test_a_picture_s_heat_does_not_depend_on_its_neighbours() -> None:
    network, x = made("norm and relu in place", "flat"), batch(3)
    together = grad_cam(network, "0", x)
    for row in range(3):
        alone = grad_cam(network, "0", x[row : row + 1])
        assert torch.allclose(alone.heat[0], together.heat[row], atol=1e-14)


def test_what_speaks_against_the_class_is_no_heat() -> None:
    network, x = made(), batch()
    network[3][2].weight.copy_(-network[3][2].weight.abs())  # type: ignore[index, operator]
    assert torch.equal(grad_cam(network, "2.conv", x).heat, torch.zeros(2, 6, 6, dtype=torch.float64))


def test_the_last_map_is_none_of_a_squeeze() -> None:
    class Excited(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.main, self.squeeze, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.main(x)
            x = x * torch.sigmoid(self.squeeze(x.mean((2, 3), keepdim=True)))
            return self.head(x.mean((2, 3)))

    network = Excited().double()
    assert last_map(network, batch()) == "main"
    assert grad_cam(network, "main", batch()).after == ()
    assert grad_cam(network, "squeeze", batch()).heat.shape == (2, 1, 1)
    with pytest.raises(ConfigError, match="more than one place"):
        last_map(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 2, 1), nn.Flatten()).double(), batch())


def test_everything_is_left_as_it_was_found() -> None:
    network, x = made("norm and relu in place"), batch()
    network[3].requires_grad_(True)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    kept, before = x.clone(), network(x)
    grad_cam(network, "2.conv", x)
    responses(network, "2.conv", x)
    last_map(network, x)
    assert torch.equal(x, kept)
    assert not x.requires_grad
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert [parameter.requires_grad for parameter in network[3].parameters()] == [True, True]
    assert not any(module._forward_hooks for module in network.modules())
    assert torch.equal(network(x), before)
    with pytest.raises(ConfigError):
        grad_cam(network, "3.1", x)
    assert not any(module._forward_hooks for module in network.modules())


def test_a_convolution_without_a_part_in_the_scores_is_refused() -> None:
    class Beside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.main, self.lost, self.never = (nn.Conv2d(3, 2, 3) for _ in range(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.lost(x).relu()
            return self.main(x).mean((2, 3))

    network = Beside().double()
    for layer in ("lost", "never"):
        with pytest.raises(ConfigError, match=f"'{layer}' takes no part"):
            grad_cam(network, layer, batch())
    with pytest.raises(ValueError, match="scores"):
        grad_cam(nn.Sequential(nn.Conv2d(3, 2, 3)).double(), "0", batch())


def test_a_layer_used_twice_is_taken_at_its_first_use() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.conv(self.conv(x).relu()).mean((2, 3)))

    torch.manual_seed(2)
    network, x = Twice().double(), batch()
    assert torch.equal(responses(network, "conv", x), network.conv(x))
    first = network.conv(x).relu().detach().requires_grad_()
    scores = network.head(network.conv(first).mean((2, 3)))
    (slope,) = torch.autograd.grad(scores.max(dim=1).values.sum(), first)
    expected = (slope.mean((2, 3), keepdim=True) * first).sum(1).relu()
    assert torch.allclose(grad_cam(network, "conv", x).heat, expected)


def test_deeper_layers_have_smaller_maps() -> None:
    network = torchvision.models.squeezenet1_1().eval()
    sizes = [conv.height * conv.width for conv in reached(network, torch.zeros(1, 3, 64, 64))]
    assert all(after <= before for before, after in pairwise(sizes))
    assert isinstance(grad_cam(network, "features.0", torch.zeros(1, 3, 64, 64)), Cam)
