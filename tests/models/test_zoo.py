"""torchvision's networks through us and by hand, with made weights and with real ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision import transforms

from mlhw.errors import ConfigError, DataError
from mlhw.models import zoo
from mlhw.models.weights import default_weights
from tests.models.zoo_made import SMALL, assert_same, by_hand, load, pictures, saved


@pytest.mark.parametrize(
    "name",
    [
        SMALL,
        "shufflenet_v2_x0_5",
        "mnasnet0_5",
        "regnet_y_400mf",
        "resnet18",
        pytest.param("alexnet", marks=pytest.mark.slow),
        pytest.param("vgg16", marks=pytest.mark.slow),
    ],
)
def test_probabilities_are_those_of_torchvision_by_hand(name: str, tmp_path: Path) -> None:
    module = by_hand(name)
    network = load(name, saved(module, tmp_path / "w.pth"))
    assert_same(network, module)
    meta = default_weights(name).meta
    assert network.parameters == meta["num_params"]
    assert network.categories == tuple(meta["categories"])
    assert network.source == str(tmp_path / "w.pth")
    assert not network.module.training
    assert not any(parameter.requires_grad for parameter in network.module.parameters())
    four = [value for value in network.module.parameters() if value.dim() == 4]
    assert all(value.is_contiguous(memory_format=torch.channels_last) for value in four)


@pytest.mark.parametrize("name", ["googlenet", pytest.param("inception_v3", marks=pytest.mark.slow)])
def test_networks_with_auxiliary_outputs_rescale_their_inputs_as_torchvision_s_pretrained(
    name: str, tmp_path: Path
) -> None:
    module = by_hand(name, init_weights=False, transform_input=True, aux_logits=True)
    network = load(name, saved(module, tmp_path / "w.pth"))
    assert_same(network, module)
    assert network.parameters == default_weights(name).meta["num_params"]
    bare = {key: value for key, value in module.state_dict().items() if "aux" not in key.lower()}
    torch.save(bare, tmp_path / "bare.pth")
    assert_same(load(name, tmp_path / "bare.pth"), module)


def test_old_names_of_densenet_are_translated(tmp_path: Path) -> None:
    module = by_hand("densenet121")
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", k): v for k, v in module.state_dict().items()}
    assert old.keys() != module.state_dict().keys()
    torch.save({key: value for key, value in old.items() if "num_batches" not in key}, tmp_path / "w.pth")
    assert_same(load("densenet121", tmp_path / "w.pth"), module)


class Filled(TorchDispatchMode):
    """Counts the numbers that are drawn at random."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.__name__.split(".")[0] in ("uniform_", "normal_", "bernoulli_") and not args[0].is_meta:
            self.numbers += args[0].numel()
        return func(*args, **(kwargs or {}))


def test_no_weights_are_drawn_that_are_then_overwritten(file: Path, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    with Filled() as filled:
        network = load(SMALL, file)
    assert filled.numbers == 0
    assert torch.equal(torch.get_rng_state(), before)
    assert_same(network, by_hand(SMALL))
    with torch.random.fork_rng(devices=[]), Filled() as filled:
        torchvision.models.squeezenet1_1()
    assert filled.numbers > 500_000, "the count above cannot fail"


def test_torch_s_generator_is_left_as_found_where_a_constructor_draws() -> None:
    from mlhw.models import fitting

    before = torch.get_rng_state()
    with Filled() as filled:
        fitting._empty("swin_t", fitting._options("swin_t", ()))
    assert filled.numbers > 0, "nothing was drawn that could move the generator"
    assert torch.equal(torch.get_rng_state(), before)


def test_names_and_convolutions(file: Path) -> None:
    assert "vgg16" in zoo.names()
    assert zoo.names() == sorted(zoo.names())
    found = zoo.convolutions(load(SMALL, file))
    assert (found[0], found[-1], len(found)) == ("features.0", "classifier.1", 26)
    with pytest.raises(ConfigError, match="Did you mean squeezenet1_1"):
        load("squeezenet11", file)


@pytest.mark.parametrize("name", [SMALL, "resnet18"])
def test_a_fine_tuned_head_is_taken_from_the_file(name: str, tmp_path: Path) -> None:
    module = torchvision.models.get_model(name, weights=None, num_classes=3).eval()
    path = saved(module, tmp_path / "w.pth")
    network = load(name, path)
    assert network.categories == ("class 0", "class 1", "class 2")
    assert zoo.scores(network, pictures(1)).shape == (1, 3)
    (tmp_path / "names.txt").write_text("robin\nwren, winter\ncrow\n\n")
    assert load(name, path, tmp_path / "names.txt").categories == ("robin", "wren, winter", "crow")
    state = dict(module.state_dict())
    del state[next(key for key in state if key.endswith("weight"))]
    torch.save(state, path)
    with pytest.raises(DataError, match=r"fit .*: 1 missing: [\w.]+\.$"):
        load(name, path)


PRODUCTS = {
    "banana": "banana",
    "cabbage": "head cabbage",
    "cucumber": "cucumber",
    "granny-smith": "Granny Smith",
    "green-bell-pepper": "bell pepper",
    "lemon": "lemon",
    "mushroom": "mushroom",
    "orange": "orange",
    "pineapple": "pineapple",
    "pomegranate": "pomegranate",
    "zucchini": "zucchini",
}


def test_real_weights_know_the_products(real_data: Path) -> None:
    """The Deep Compression SqueezeNet beside real photos: folders ``weights`` and ``images`` beside MLHW_DATA."""
    path = real_data.absolute().parent / "weights/squeezenet1_0-deepcompression.pth"
    images = real_data.absolute().parent / "images"
    if not path.is_file() or not images.is_dir():
        pytest.skip(f"needs {path} and {images}")
    network = load("squeezenet1_0", path)
    opened = [Image.open(images / f"{name}.jpg").convert("RGB") for name in PRODUCTS]
    batch = zoo.stack([zoo.preprocess(image, "course", network) for image in opened])
    scores = zoo.scores(network, zoo.normalise(batch, "course", network))
    best = scores.topk(5).indices
    seen = {name: [network.categories[index] for index in row] for name, row in zip(PRODUCTS, best, strict=True)}
    assert [name for name, product in PRODUCTS.items() if product not in seen[name]] == []

    module = torchvision.models.squeezenet1_0()
    module.load_state_dict(torch.load(path, weights_only=True))
    compose = transforms.Compose(
        [
            transforms.Resize((224, 224)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    with torch.inference_mode():
        by_torchvision = module.eval()(torch.stack([compose(image) for image in opened])).softmax(1)
    torch.testing.assert_close(scores.softmax(1), by_torchvision, rtol=0, atol=1e-5)
