"""`mlhw pretrained filters`: what it writes is what torch computes, what it says is so, and what is wrong is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode
from typer.testing import CliRunner

from mlhw.cli.app import app
from mlhw.commands import filter_findings as words
from mlhw.commands.display import Silent
from mlhw.commands.filter_asking import resolve
from mlhw.commands.filter_study import FLATTEST, seen_part
from mlhw.commands.filters import filters
from mlhw.commands.settings import from_environment
from mlhw.config.load import load_pretrained_file
from mlhw.errors import ConfigError, DataError, DataMissing
from mlhw.models.filter_facts import filter_facts
from mlhw.models.preprocessing import Preprocessing, course
from mlhw.runs import store

MODEL = "squeezenet1_1"
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=np.float64)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "squeezenet.pth"
    torch.save(torchvision.models.squeezenet1_1().state_dict(), path)
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Dark on the left, light on the right, 120×90 pixels."""
    pixels = np.zeros((90, 120, 3), np.uint8)
    pixels[:, 60:] = (250, 200, 150)
    path = tmp_path / "half and half.png"
    Image.fromarray(pixels).save(path)
    return path


def run(weights: Path, picture: Path | None = None, /, *overrides: str, **flags: Any) -> dict[str, Any]:
    given = {f"pretrained.{key}": value for key, value in ({"model": MODEL} | flags).items()}
    asked = resolve(None, overrides, image=picture, weights=weights, flags=given)
    return filters(asked, from_environment(os.environ), Silent())


# -- what is written -----------------------------------------------------------------------------------------------------


def test_the_files_hold_what_torch_computes(weights: Path, picture: Path) -> None:
    summary = run(weights, picture, cam=True, filters=[5, 0], layer="features.3.expand3x3")
    folder = Path(summary["path"])
    assert summary == json.loads((folder / "summary.json").read_text("utf-8"))
    names = {"filters.png", "filters.svg", "responses.png", "cam.png"}
    assert {path.name for path in (folder / "plots").iterdir()} == names
    assert all(Path(file).is_file() for file in summary["files"])
    assert store.Run(folder).status() == "done"

    network = torchvision.models.squeezenet1_1(weights=None).eval()
    network.load_state_dict(torch.load(weights))
    x = torch.from_numpy(np.array(Image.open(picture).resize((224, 224), Image.Resampling.BILINEAR))) / 255
    x = (x - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    x = x.permute(2, 0, 1)[None]
    fire = network.features[3]
    with torch.no_grad():
        maps = fire.expand3x3(fire.squeeze_activation(fire.squeeze(network.features[:3](x))))[0, [5, 0]]
        probabilities = network(x)[0].softmax(0)
    with np.load(folder / "filters.npz") as arrays:
        assert arrays["indices"].tolist() == [5, 0]
        assert np.array_equal(arrays["weights"], fire.expand3x3.weight.detach()[[5, 0]].numpy())
        assert np.allclose(arrays["responses"], maps.numpy(), atol=1e-4)
        assert arrays["heat"].shape == maps.shape[1:]
        assert summary["cam"]["max"] == arrays["heat"].max()
        for row, map_ in zip(summary["filters"], arrays["responses"], strict=True):
            assert (row["response_min"], row["response_max"]) == (map_.min(), map_.max())
    predicted = summary["prediction"]
    assert predicted["class_index"] == int(probabilities.argmax())
    assert predicted["probability"] == pytest.approx(float(probabilities.max()), abs=1e-5)
    assert summary["layer_filters"] == 64
    assert summary["filter_shape"] == [16, 3, 3]
    assert summary["cam"]["layer"] == "features.3.expand3x3"


def test_a_run_is_a_folder_like_any_other(weights: Path, picture: Path) -> None:
    summary = run(weights, picture)
    run_ = store.Run(Path(summary["path"]))
    again = load_pretrained_file(run_.config_file)
    assert again.pretrained.image == str(picture)  # type: ignore[union-attr]
    assert again.pretrained.weights == {MODEL: str(weights)}
    environment = json.loads(run_.environment_file.read_text("utf-8"))
    assert environment["data"].startswith("half and half.png ")
    log = (run_.path / "log.txt").read_text("utf-8").splitlines()
    assert log[0].endswith(f"weights from {weights}")
    assert log[-1].endswith(" done")
    assert (run_.path / "findings.txt").read_text("utf-8").splitlines() == summary["findings"]
    assert filters(again, from_environment(os.environ), Silent())["signature"] == summary["signature"]


def test_without_a_picture_only_the_filters_are_drawn(weights: Path) -> None:
    summary = run(weights)
    assert [Path(file).name for file in summary["files"]] == [
        "filters.png",
        "filters.svg",
        "filters.npz",
        "findings.txt",
    ]
    assert summary["layer"] == "features.0"
    assert [row["index"] for row in summary["filters"]] == [0, 1, 2]
    assert len(summary["filters"][0]["channel_sums"]) == 3
    assert (summary["image"], summary["prediction"], summary["cam"]) == (None, None, None)
    assert "brighter" not in " ".join(summary["findings"])


def test_grad_cam_looks_at_the_last_map_where_no_layer_is_named(weights: Path, picture: Path) -> None:
    summary = run(weights, picture, cam=True, filters=[1, 1])
    assert (summary["layer"], summary["cam"]["layer"], summary["cam"]["after"]) == (
        "features.0",
        "classifier.1",
        ["ReLU"],
    )
    assert [row["index"] for row in summary["filters"]] == [1]
    assert any("brighter is higher" in said for said in summary["findings"])


# -- what is wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "error", "said"),
    [
        ({"layer": "features.O"}, ConfigError, "no layer 'features.O'. Its 26 convolutions are features.0, "),
        ({"layer": "features.1"}, ConfigError, "is a ReLU, no convolution"),
        ({"filters": [0, 64]}, ConfigError, "has 64 filters, 0 to 63; there is no filter 64"),
        ({"cam": True}, ConfigError, "--image"),
        ({"model": "squeezenet"}, ConfigError, "Did you mean squeezenet1_1"),
        ({"image": "none.png"}, DataMissing, "none.png: no such file"),
        ({"labels": "none.txt"}, DataMissing, "none.txt"),
        ({"model": "squeezenet1_0"}, DataError, "does not fit"),
    ],
)
def test_what_is_wrong_is_told_and_leaves_nothing_behind(
    weights: Path, flags: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as raised:
        run(weights, **flags)
    assert said in str(raised.value)
    assert not from_environment(os.environ).outputs.exists()


def test_a_bad_picture_is_told_with_its_reason(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n rest")
    with pytest.raises(DataError, match=r"torn\.png: .*(cut off|damaged)"):
        run(weights, tmp_path / "torn.png")


def test_keys_that_do_not_go_together_are_refused(weights: Path, picture: Path) -> None:
    with pytest.raises(ConfigError, match="weights for vgg16, but the model is squeezenet1_1"):
        run(weights, picture, "pretrained.weights.vgg16=/x")
    with pytest.raises(ConfigError, match="one picture"):
        run(weights, picture, "paths=[a.png]")


def test_the_command_s_answer_and_exit_codes(weights: Path, picture: Path, tmp_path: Path) -> None:
    base = ("pretrained", "filters", "--model", MODEL, "--weights", str(weights))
    good = CliRunner().invoke(app, [*base, "--filters", "0,4-5", "--image", str(picture), "--json"])
    assert good.exit_code == 0, good.stderr
    record = json.loads(good.stdout)
    assert [row["index"] for row in record["filters"]] == [0, 4, 5]
    assert record["path"] in good.stderr
    missing = CliRunner().invoke(app, [*base, "--image", str(tmp_path / "none.png")])
    assert (missing.exit_code, missing.stdout) == (3, "")
    assert "no such file" in missing.stderr


@pytest.mark.parametrize("text", ["", "a", "-1", "1,,2", "3-", "5-2", "0-64", "1.5", "9999999"])
def test_numbers_that_are_none_are_refused(text: str) -> None:
    from mlhw.cli.filters import _numbers

    with pytest.raises(ConfigError, match="--filters"):
        _numbers(text)
    assert _numbers("0, 3-5,2") == [0, 3, 4, 5, 2]


# -- what is said --------------------------------------------------------------------------------------------------------


def said_of(weights: np.ndarray, colour: bool = True) -> str:
    return words.filter_words(0, filter_facts(weights), colour)


@pytest.mark.parametrize(("turns", "towards"), [(0, "right"), (1, "top"), (2, "left"), (3, "bottom")])
def test_an_edge_detector_answers_most_where_it_is_said_to(turns: int, towards: str) -> None:
    kernel = np.rot90(SOBEL, turns)
    said = said_of(np.stack([kernel] * 3))
    assert f"an edge detector, highest where the picture gets lighter towards the {towards}" in said
    assert "Its weights cancel in each colour" in said
    lighter = {"right": (0, 1), "left": (0, -1), "bottom": (1, 0), "top": (-1, 0)}
    down, right = np.mgrid[-1:2, -1:2]

    def answer(way: tuple[int, int]) -> float:
        return float((kernel * (way[0] * down + way[1] * right > 0)).sum())

    assert max(lighter, key=lambda name: answer(lighter[name])) == towards


def test_colours_are_named_by_their_weights() -> None:
    def said(red: float, green: float, blue: float, kernel: np.ndarray = SOBEL) -> str:
        return said_of(np.array([red, green, blue])[:, None, None] * kernel)

    assert "red gains on blue towards the right" in said(1, 0, -0.9)
    assert "It sets red against blue" in said(1, 0, -0.9)
    assert "green and blue gain on red towards the right" in said(-0.9, 1, 1)
    assert "It looks at green almost alone" in said(0.1, 1, 0.1)
    assert "green grows towards the right" in said(0.1, 1, 0.1)
    mean = said(1, -0.5, -0.5, np.ones((3, 3)))
    assert "a local mean" in mean
    assert "cancel over the colours together, not in each: red +50 %, green −25 %, blue −25 %" in mean
    assert "sum to −100 % of their magnitudes" in said(-1, -1, -1, np.ones((3, 3)))


def test_shapes_are_named_only_where_they_are_so() -> None:
    spot = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], dtype=np.float64)
    assert "a detector of spots" in said_of(np.stack([spot] * 3))
    line = np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]], dtype=np.float64)
    assert "a detector of lines: horizontal stripes" in said_of(np.stack([line] * 3))
    assert "a detector of lines: vertical stripes" in said_of(np.stack([line.T] * 3))
    noise = said_of(np.random.default_rng(0).normal(size=(3, 5, 5)))
    assert "different patterns" in noise
    assert "detector" not in noise
    assert "all its weights are 0" in said_of(np.zeros((3, 3, 3)))
    slanted = np.array([[0, -1, -2], [1, 0, -1], [2, 1, 0]], dtype=np.float64)
    assert "towards the lower left" in said_of(np.stack([slanted] * 3))
    assert "stripes that fall to the right" in said_of(np.stack([slanted] * 3))


def test_of_deep_filters_the_strong_channels_are_named() -> None:
    kernel = np.zeros((20, 3, 3))
    kernel[7], kernel[3], kernel[12] = 2.0, 1.0, -0.5
    assert said_of(kernel, colour=False) == (
        "Filter 0: half of its squared weights lie in 1 of 20 channels, most in 7, 3, 12. "
        "Its weights sum to +71 % of their magnitudes."
    )
    assert "an edge detector, highest where the values grow" in said_of(SOBEL[None], colour=False)


def test_responses_and_heat_are_placed_where_they_are() -> None:
    values = np.full((4, 5), -1.0)
    values[3, 0] = 2.5
    assert words.response_words(values) == (
        "Its answers to the picture go from −1 to 2.5, above 0 in 5 % of 4×5 places; highest 10 % from the left and "
        "88 % from the top."
    )
    assert words.response_words(np.full((2, 2), 3.0)) == "Its answer to the picture is 3 everywhere."
    heat = np.array([[0.0, 3.0], [1.0, 2.0]])
    assert "half of the heat lies in 1 of its 2×2 places; hottest 75 % from the left" in words.heat_words("a", heat)
    assert "0 everywhere" in words.heat_words("a", np.zeros((2, 2)))
    assert "cannot tell where" in words.heat_words("a", np.ones((1, 1)))


# -- the picture in the figures ------------------------------------------------------------------------------------------

CROP = Preprocessing((256,), 224, InterpolationMode.BILINEAR, (0.5,) * 3, (0.5,) * 3)
OTHER = Preprocessing((300, 240), 224, InterpolationMode.BILINEAR, (0.5,) * 3, (0.5,) * 3)


@pytest.mark.parametrize("how", [course(), CROP, OTHER], ids=["course", "crop", "both sides"])
@pytest.mark.parametrize("size", [(400, 300), (300, 400), (2000, 260), (900, 900)])
def test_a_figure_shows_the_part_that_the_network_sees(how: Preprocessing, size: tuple[int, int]) -> None:
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)[None].round()
    pixels[..., 1] = np.linspace(0, 255, height)[:, None].round()
    image = Image.fromarray(pixels)
    shown = Image.fromarray(seen_part(image, how).pixels).resize((224, 224), Image.Resampling.BILINEAR)
    seen = how.picture(image).permute(1, 2, 0).numpy()
    assert np.abs(np.asarray(shown).astype(int) - seen).max() <= 4


def test_a_figure_keeps_the_shape_of_a_picture_as_far_as_it_can() -> None:
    views = {size: seen_part(Image.new("RGB", size), course()) for size in [(640, 480), (1, 1), (20_000, 10), (3, 900)]}
    shapes = {size: view.pixels.shape[1] / view.pixels.shape[0] for size, view in views.items()}
    assert shapes[640, 480] == pytest.approx(4 / 3, abs=0.01)
    assert shapes[1, 1] == 1
    assert shapes[20_000, 10] == pytest.approx(FLATTEST, abs=0.01)
    assert shapes[3, 900] == pytest.approx(1 / FLATTEST, abs=0.01)
    assert [bool(view.note) for view in views.values()] == [False, False, True, True]
    assert "20,000×10" in views[20_000, 10].note
    assert "the middle of 640×480" in seen_part(Image.new("RGB", (640, 480)), CROP).note
