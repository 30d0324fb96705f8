"""summary, through the program itself and on terminals of several widths."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from mlhw.cli import screen
from mlhw.cli import summary as command
from mlhw.commands.settings import from_environment
from mlhw.commands.summary import summary
from mlhw.config.load import load
from tests.cli.program import mlhw
from tests.cli.test_start import loaded_by


def printed(width: int, monkeypatch: pytest.MonkeyPatch, *arguments: str, blocks: bool = False) -> tuple[str, str]:
    """Standard output and standard error of the command on a terminal of ``width`` columns."""
    out, err = io.StringIO(), io.StringIO()

    def made(self: Any, *, stderr: bool) -> None:
        file = err if stderr else out
        self.console = Console(
            file=file, width=width, force_terminal=True, soft_wrap=True, color_system=None, highlight=False
        )

    monkeypatch.setattr(screen.Screen, "__init__", made)
    name, *overrides = arguments
    command.summary(name, overrides, blocks=blocks)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("name", ["digits-cnn", "grocery-cnn", "grocery-cnn-notebook", "mnist-mlp", "gmm-net"])
def test_every_line_fits_and_a_column_that_does_not_is_named(
    name: str, width: int, blocks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = printed(width, monkeypatch, name, blocks=blocks)
    assert max(map(len, out.splitlines())) <= width
    header = next(line for line in out.splitlines() if line.startswith("layer "))
    for column in ("kind", "output", "params", "sees"):
        assert column in header
    for column in ("MACs", "output size by hand"):
        windows = column == "MACs" or "cnn" in name
        assert (column in header) == (windows and column not in err)
    assert (err == "") or width < 120
    assert "…" not in out


def test_a_table_of_layers_has_a_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = printed(120, monkeypatch, "digits-cnn")
    lines = [line.split() for line in out.splitlines()]
    names = [line[0] for line in lines[2:12]]
    assert names == ["input", *map(str, range(8)), "total"]
    assert " ".join(lines[3]) == "0 Conv2d 3×3 pad 1 16×8×8 160 9,216 3×3 ⌊(8 - 3 + 2·1)/1⌋ + 1 = 8"
    assert " ".join(lines[11]) == "total 9,930 309,248"
    assert "9,930 parameters, 0 buffers, 309,248 multiply-adds an example" in out
    assert "as float32: 39.7 kB of weights, 28.7 kB of activations an example" in out


def test_blocks_sum_up_their_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = printed(120, monkeypatch, "grocery-cnn", blocks=True)
    assert "InvertedResidual of 12 layers" in out
    assert out.count("InvertedResidual") == 7
    assert "parameters 99491 (expected < 100000): held" in out
    layers = summary(load("grocery-cnn"), from_environment(), lambda what, done, total: None)["layers"]
    found = command._in_blocks(layers)
    assert [line["name"] for line in found] == [str(number) for number in range(14)]
    for key in ("parameters", "multiply_adds"):
        assert sum(line[key] for line in found) == sum(layer[key] for layer in layers)
    last = {layer["name"].partition(".")[0]: layer for layer in layers}
    assert all(line["output_shape"] == last[line["name"]]["output_shape"] for line in found)


def test_json_is_one_object_with_every_layer() -> None:
    done = mlhw("summary", "digits-cnn", "-s", "model.channels=[4, 6]", "--json")
    assert done.code == 0
    assert done.err == ""
    record = done.json
    assert {"experiment", "model", "input_shape", "classes", "layers", "parameters", "buffers"} < record.keys()
    assert {"multiply_adds", "kept_values", "weight_bytes", "activation_bytes", "expectations"} < record.keys()
    assert record["parameters"] == (9 * 4 + 4) + (4 * 9 * 6 + 6) + (6 * 16 * 10 + 10)
    assert record["layers"][4] == {
        "name": "4",
        "kind": "MaxPool 2×2 stride 2",
        "output_shape": [6, 4, 4],
        "parameters": 0,
        "buffers": 0,
        "multiply_adds": 0,
        "receptive_field": [6, 6],
        "sees_all": False,
        "kept_values": 96,
        "by_hand": "⌊(8 - 2 + 2·0)/2⌋ + 1 = 4",
        "block": "",
    }


def test_piped_output_and_the_networks_by_hand() -> None:
    done = mlhw("summary", "numpy-mlp-notebook")
    assert done.code == 0
    assert "Dense sigmoid" in done.out
    assert "12,720 parameters" in done.out
    assert done.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grocery-cnn-notebook", "-s", "data.image_size_pixels=32"], "at least 64×64 pixels"),
        (["no-such-experiment"], "no experiment named"),
        (["digits-cnn", "-s", "model.chanels=[1, 2]"], "channels"),
    ],
)
def test_what_cannot_be_built_exits_2(arguments: list[str], said: str) -> None:
    done = mlhw("summary", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert said in done.err
    assert "Traceback" not in done.err


def test_missing_data_exits_3() -> None:
    done = mlhw("summary", "digits-cnn", "-s", "data={kind: folder, path: nowhere}")
    assert done.code == 3
    assert "nowhere" in done.err


def test_a_network_in_numpy_is_summed_up_without_torch() -> None:
    assert loaded_by("summary", "numpy-mlp") == "LOADED []"
