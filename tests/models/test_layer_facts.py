"""What is said of layers, held against arithmetic done otherwise: gradients, torch's own counter, published numbers."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mlhw.errors import ConfigError, MlhwError
from mlhw.models import grocery_cnn, numpy_mlp, numpy_resnet, tensor_mlp
from mlhw.models.layer_facts import hand_written_layers
from mlhw.models.module_facts import module_layers
from tests.models.layer_facts_made import (
    NETWORKS,
    Made,
    image,
    of_digits,
    of_groceries,
    total,
)

# --- parameters and multiply-adds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", NETWORKS)
def test_totals_are_the_network_s_own_and_torch_s_counter_s(make: Callable[[], Made]) -> None:
    network, shape = make()
    layers = module_layers(network, shape)
    assert total(layers, "parameters") == sum(value.numel() for value in network.parameters())
    assert total(layers, "buffers") == sum(value.numel() for value in network.buffers())
    with FlopCounterMode(display=False) as counter:  # counts a multiply-add as two operations
        network.eval().double()(image(shape))
    assert 2 * total(layers, "multiply_adds") == counter.get_total_flops()
    assert layers[-1].output_shape == tuple(network(image(shape)).shape[1:])


def test_the_digits_network_by_hand() -> None:
    layers = module_layers(*of_digits())
    assert [layer.kind for layer in layers] == [
        *(
            "Conv2d 3×3 pad 1",
            "ReLU",
            "Conv2d 3×3 pad 1",
            "ReLU",
            "MaxPool 2×2 stride 2",
            "Flatten",
            "Identity",
            "Linear",
        )
    ]
    assert [layer.parameters for layer in layers] == [9 * 16 + 16, 0, 16 * 9 * 32 + 32, 0, 0, 0, 0, 5130]
    assert [layer.multiply_adds for layer in layers] == [64 * 9 * 16, 0, 64 * 16 * 9 * 32, 0, 0, 0, 0, 5120]
    assert [layer.receptive_field for layer in layers] == [(3, 3)] * 2 + [(5, 5)] * 2 + [(6, 6)] * 3 + [(8, 8)]
    assert [layer.sees_all for layer in layers] == [False] * 7 + [True]
    assert [layer.kept_values for layer in layers] == [1024, 1024, 2048, 2048, 512, 0, 0, 10]  # flattening only views
    assert layers[0].by_hand == "⌊(8 - 3 + 2·1)/1⌋ + 1 = 8"
    assert layers[4].by_hand == "⌊(8 - 2 + 2·0)/2⌋ + 1 = 4"


def test_the_course_s_grocery_network_by_hand() -> None:
    network = grocery_cnn.build_blocks(input_shape=(256, 256, 3), classes=43)
    layers = module_layers(network, (256, 256, 3))
    assert total(layers, "parameters") == 98_533
    assert total(layers, "buffers") == 2 * (21 + 42 + 84) + 3
    multiplied = 256**2 * 27 * 21 + 64**2 * 9 * 21 * 42 + 16**2 * 9 * 42 * 84 + 1344 * 43
    assert total(layers, "multiply_adds") == multiplied
    fields = [layer.receptive_field[0] for layer in layers if layer.kind.startswith(("Conv", "Max"))]
    assert fields == [3, 6, 14, 26, 58, 106]


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_0"])
def test_published_networks_have_their_published_numbers(name: str) -> None:
    """Residual additions, concatenations and pooling that rounds up; nets whose numbers others have counted."""
    import torchvision

    published = torchvision.models.get_model_weights(name).DEFAULT.meta
    layers = module_layers(torchvision.models.get_model(name, weights=None), (224, 224, 3))
    assert total(layers, "parameters") == published["num_params"]
    assert total(layers, "multiply_adds") / 1e9 == pytest.approx(published["_ops"], abs=5e-4)


def test_section_8_of_the_course() -> None:
    """10 wide and 12 high under a 6×6 filter, padding 2, stride 2: 5 wide and 6 high; and the counts printed there."""
    layers = module_layers(nn.Sequential(nn.Conv2d(1, 4, 6, stride=2, padding=2), nn.Conv2d(4, 3, 3)), (12, 10, 1))
    assert layers[0].output_shape == (4, 6, 5)
    assert layers[0].kind == "Conv2d 6×6 stride 2 pad 2"
    assert layers[0].by_hand == "⌊(12 - 6 + 2·2)/2⌋ + 1 = 6; ⌊(10 - 6 + 2·2)/2⌋ + 1 = 5"
    assert [layer.parameters for layer in layers] == [148, 111]
    for channels, kernel, bias, weights in ((3, 3, True, 28), (3, 3, False, 27), (1, 4, True, 17)):
        (layer,) = module_layers(nn.Conv2d(channels, 1, kernel, bias=bias), (9, 9, channels))
        assert layer.parameters == weights
    for kernel, padding in ((5, 2), (9, 4)):
        assert module_layers(nn.Conv2d(1, 1, kernel, padding=padding), (32, 32, 1))[0].output_shape == (1, 32, 32)


# --- what is wrong is said, and what was there is left ----------------------------------------------------------------


def test_a_size_that_is_not_the_arithmetic_s_is_an_error() -> None:
    network = nn.Sequential(nn.ReLU(), nn.Conv2d(1, 1, 3, bias=False))
    network[1].kernel_size = (5, 5)  # the weights, and so the output, remain those of 3×3
    with pytest.raises(MlhwError, match=r"layer 1: arithmetic says 25 weights for 1 filters, but the layer has 9"):
        module_layers(network, (9, 9, 1))
    pooling = nn.MaxPool2d(2)
    pooling.register_forward_hook(lambda module, inputs, out: out[..., 1:])
    with pytest.raises(
        MlhwError, match=r"layer 0: arithmetic says ⌊\(9 - 2 \+ 2·0\)/2⌋ \+ 1 = 4, but the network gives 3"
    ):
        module_layers(nn.Sequential(pooling), (9, 9, 1))


def test_what_has_no_rule_is_refused_by_name() -> None:
    with pytest.raises(MlhwError, match="layer 0: there is no rule for a ConvTranspose2d"):
        module_layers(nn.Sequential(nn.ConvTranspose2d(1, 1, 3)), (9, 9, 1))

    class Sorted(nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs.cumsum(dim=2)

    with pytest.raises(MlhwError, match="layer 0: there is no rule for the function cumsum"):
        module_layers(nn.Sequential(Sorted()), (9, 9, 1))


def test_an_input_that_the_network_cannot_take_is_a_config_error_that_names_the_layer() -> None:
    network, _ = of_digits()
    with pytest.raises(ConfigError, match="cannot take an input of 6×6×1: layer 7: "):
        module_layers(network, (6, 6, 1))
    with pytest.raises(ConfigError, match="cannot take an input of 8×8×3: layer 0: "):
        module_layers(network, (8, 8, 3))


def test_the_network_is_left_as_it_was_found() -> None:
    network, shape = of_groceries()
    network.train()
    network[1].eval()
    before = copy.deepcopy(network.state_dict())
    modes = [module.training for module in network.modules()]
    module_layers(network, shape)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_a_shared_layer_counts_once_and_an_idle_parameter_has_its_line() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.scale = nn.Conv2d(1, 1, 3, padding=1), nn.Parameter(torch.ones(1, 1, 1))

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.layer(self.layer(inputs)) * self.scale

    layers = module_layers(Odd(), (5, 5, 1))
    assert [(layer.name, layer.kind, layer.parameters) for layer in layers] == [
        ("layer", "Conv2d 3×3 pad 1", 10),
        ("layer", "Conv2d 3×3 pad 1", 0),
        ("", "Multiply", 0),
        ("scale", "Parameter", 1),
    ]
    assert layers[1].receptive_field == layers[2].receptive_field == (5, 5)


def test_blocks_are_named_and_in_place_layers_keep_nothing() -> None:
    layers = module_layers(*of_groceries())
    assert {layer.block for layer in layers} == {"", "InvertedResidual"}
    assert all((layer.block == "") == (layer.name in map(str, (0, 1, 2, 10, 11, 12, 13))) for layer in layers)
    assert all(layer.kept_values == 0 for layer in layers if layer.kind == "ReLU")


# --- hand-written models ----------------------------------------------------------------------------------------------

HAND_WRITTEN = {
    "numpy": lambda shape: numpy_mlp.build(input_shape=shape, classes=4, seed=0, hidden_sizes=(6, 5)),
    "numpy-input-bias": lambda shape: numpy_mlp.build(input_shape=shape, classes=4, seed=0, bias="input"),
    "numpy-no-bias": lambda shape: numpy_mlp.build(input_shape=shape, classes=4, seed=0, bias="none"),
    "numpy-no-hidden": lambda shape: numpy_mlp.build(input_shape=shape, classes=4, seed=0, hidden_sizes=()),
    "tensor": lambda shape: tensor_mlp.build(input_shape=shape, classes=4, seed=0, hidden_sizes=(6, 5)),
    "resnet": lambda shape: numpy_resnet.build(
        input_shape=shape,
        classes=4,
        seed=0,
        layers=[{"kind": "dense", "units": 6}, {"kind": "residual", "units": 9}],
        dropout=0.2,
    ),
    "softmax": lambda shape: numpy_resnet.build(input_shape=shape, classes=4, seed=0),
}


@pytest.mark.parametrize("shape", [(3,), (5, 7, 2)])
@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_hand_written_models_in_full(name: str, shape: tuple[int, ...]) -> None:
    model = HAND_WRITTEN[name](shape)
    layers = hand_written_layers(model, shape)
    assert total(layers, "parameters") == sum(int(np.prod(value.shape)) for value in model.parameters.values())
    matrices = [value for key, value in model.parameters.items() if key[0] in "WV"]
    assert total(layers, "multiply_adds") == sum(value.shape[0] * value.shape[1] for value in matrices)
    assert layers[-1].output_shape == (4,)
    assert all(layer.sees_all for layer in layers)
    assert {layer.receptive_field for layer in layers} == {shape[:2] if len(shape) == 3 else shape}
    for before, after in itertools.pairwise(layers):  # a line per layer, each fed by the one above
        if after.name != "dropout":
            matrix = model.parameters[f"W{after.name}"]
            assert matrix.shape[0] == before.output_shape[0]


def test_hand_written_layers_in_words() -> None:
    def words(name: str) -> list[tuple[str, str]]:
        return [(layer.name, layer.kind) for layer in hand_written_layers(HAND_WRITTEN[name]((3,)), (3,))]

    assert words("tensor") == [("1", "Dense sigmoid"), ("2", "Dense sigmoid"), ("3", "Dense")]
    assert words("resnet") == [
        ("1", "Dense tanh"),
        ("dropout", "Dropout 0.2"),
        ("2", "Residual tanh, 9 units"),
        ("dropout", "Dropout 0.2"),
        ("3", "Dense"),
    ]
    squashed = numpy_mlp.build(input_shape=(3,), classes=2, seed=0, hidden_sizes=(4,), squash_scores=True)
    assert [layer.kind for layer in hand_written_layers(squashed, (3,))] == ["Dense sigmoid"] * 2
    residual = hand_written_layers(HAND_WRITTEN["resnet"]((3,)), (3,))[2]
    assert (residual.output_shape, residual.parameters, residual.kept_values) == ((6,), 6 * 9 + 9 + 9 * 6, 6 + 9)
