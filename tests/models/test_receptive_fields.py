"""What a place of a network's output sees: the pixels with a gradient."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from mlhw.models import grocery_cnn
from mlhw.models.module_facts import module_layers
from mlhw.numerics.arithmetic import widen
from tests.models.layer_facts_made import (
    image,
    of_plain_groceries,
)


def smooth(network: nn.Module) -> nn.Module:
    """A copy through which a gradient reaches every pixel that is looked at: positive averages, no maxima."""
    network = copy.deepcopy(network).double().eval()
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(False)
        weight = 1.0 / parameter[0].numel() if parameter.ndim > 1 else 1.0
        parameter.fill_(0.0 if name.endswith("bias") else weight)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.MaxPool2d):  # looks at what an average over the same window looks at
                setattr(module, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode))
    return network


NOTHING = (1, 0, 1, 0)


def boxes(network: nn.Module, shape: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """For every place of the output, the first and last row and column of pixels that change it."""
    inputs = image(shape).requires_grad_()
    out = smooth(network)(inputs)[0, 0].flatten()
    basis = torch.eye(len(out), dtype=out.dtype)
    (gradients,) = torch.autograd.grad(out, inputs, basis, is_grads_batched=True)
    found = []
    for seen in (gradients[:, 0] != 0).any(dim=1):
        rows, columns = (seen.any(dim=1 - axis).nonzero().flatten().tolist() for axis in (0, 1))
        found.append((rows[0], rows[-1], columns[0], columns[-1]) if rows else NOTHING)
    return found


def agrees_with_gradients(network: nn.Module, shape: Sequence[int]) -> None:
    seen = boxes(network, shape)
    if set(seen) == {NOTHING}:  # every window lies in the padding: there is no field to speak of
        return
    layer = module_layers(network, shape)[-1]
    widest = tuple(max(box[2 * axis + 1] - box[2 * axis] + 1 for box in seen) for axis in (0, 1))
    assert layer.receptive_field == widest
    assert layer.sees_all == (set(seen) == {(0, shape[0] - 1, 0, shape[1] - 1)})


WINDOW = st.tuples(
    st.sampled_from(["conv", "depthwise", "max", "avg", "adaptive", "relu"]),
    *(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)),
)


def layer_of(kind: str, kernel: int, stride: int, padding: int, dilation: int) -> nn.Module:
    if kind in ("conv", "depthwise"):
        groups = 2 if kind == "depthwise" else 1
        return nn.Conv2d(2, 2, kernel, stride, padding, dilation, groups)
    if kind == "adaptive":
        return nn.AdaptiveAvgPool2d((kernel, stride))
    if kind == "relu":
        return nn.ReLU()
    return (nn.MaxPool2d if kind == "max" else nn.AvgPool2d)(kernel, stride, min(padding, kernel // 2))


@settings(max_examples=40, deadline=None)
@given(st.lists(WINDOW, min_size=1, max_size=4), st.integers(5, 13), st.integers(5, 13))
def test_fields_of_random_networks_are_the_pixels_with_a_gradient(
    windows: list[tuple[str, int, int, int, int]], height: int, width: int
) -> None:
    network, shape = nn.Sequential(*(layer_of(*window) for window in windows)), (height, width, 2)
    try:
        network(torch.zeros(1, 2, height, width))
    except RuntimeError:
        assume(False)  # a kernel larger than what is left of the image
    agrees_with_gradients(network, shape)


class Branches(nn.Module):
    """Two paths of unequal reach and a shortcut, added, multiplied and put side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow, self.gate = (
            nn.Conv2d(1, 2, 5, padding=2),
            nn.Conv2d(1, 2, 1),
            nn.Conv2d(1, 2, 3, padding=1),
        )
        self.last = nn.Conv2d(4, 1, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        added = self.narrow(inputs) * self.gate(inputs) + inputs
        return self.last(torch.cat([added, self.wide(inputs)], dim=1))


def test_fields_of_branches_are_the_largest_of_what_meets() -> None:
    network = Branches()
    agrees_with_gradients(network, (11, 9, 1))
    layers = {layer.kind: layer for layer in module_layers(network, (11, 9, 1))}
    assert layers["Multiply"].receptive_field == layers["Add"].receptive_field == (3, 3)
    assert layers["Concatenate"].receptive_field == (5, 5)
    assert layers["Conv2d 2×2"].receptive_field == (6, 6)


@pytest.mark.parametrize("gates", [False, True])
@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_fields_of_inverted_residuals(gates: bool, blocks: int) -> None:
    network = grocery_cnn.build(
        input_shape=(24, 20, 3), classes=3, stages=((4, 2, 2, 1), (6, 2, 2, 2)), squeeze_excitation=gates
    )
    assert isinstance(network, nn.Sequential)
    agrees_with_gradients(network[: 3 + blocks], (24, 20, 3))
    assert module_layers(network[: 3 + blocks], (24, 20, 3))[-1].sees_all is gates


def test_in_the_middle_of_a_large_image_the_field_is_that_of_the_usual_recursion() -> None:
    layers = module_layers(of_plain_groceries()[0], (384, 384, 3))
    field, jump = 1, 1
    for layer in layers:
        if layer.kind.startswith("Conv2d"):
            stride = 2 if "stride 2" in layer.kind else 1
            field, jump = widen(field, jump, int(layer.kind[7]), stride)
            assert layer.receptive_field == (field, field)


def test_pixels_that_no_window_reaches_are_not_seen() -> None:
    network = nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1))  # of 7 rows the last is left over
    layer = module_layers(network, (7, 8, 1))[-1]
    assert layer.receptive_field == (6, 8)
    assert not layer.sees_all
