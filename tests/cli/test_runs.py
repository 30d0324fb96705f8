"""runs, show, plot, export, rm, list and data, through the program itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from tests.cli.program import mlhw


def width(png: str) -> int:
    with Image.open(png) as image:
        return image.width


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def runs(outputs: Path) -> list[dict[str, Any]]:
    """Two runs that differ in the rate alone, in a folder that this module's tests share."""
    return [
        mlhw(
            "train",
            "digits-cnn",
            "-s",
            "train.epochs=3",
            "-s",
            f"train.lr={lr}",
            "--json",
            MLHW_OUTPUTS=str(outputs),
        ).json
        for lr in (0.003, 0.03)
    ]


@pytest.fixture
def program(outputs: Path, runs: list[dict[str, Any]]) -> Any:
    return lambda *arguments: mlhw(*arguments, MLHW_OUTPUTS=str(outputs))


def test_runs_lists_the_newest_first_as_a_table_and_as_json_lines(program: Any, runs: list[dict[str, Any]]) -> None:
    lines = [json.loads(line) for line in program("runs", "--json").out.splitlines()]
    assert [line["run_id"] for line in lines] == [runs[1]["run_id"], runs[0]["run_id"]]
    assert {line["status"] for line in lines} == {"done"}
    assert runs[0]["run_id"] in program("runs").out


def test_show_has_the_numbers_the_judgement_and_what_is_confused(program: Any, runs: list[dict[str, Any]]) -> None:
    record = program("show", "latest", "--json").json
    assert record["run_id"] == runs[1]["run_id"]
    assert record["test_accuracy"] == runs[1]["test_accuracy"]
    assert record["judgement"]["verdict"] in ("underfitting", "overfitting", "generalizing")
    assert record["judgement"]["train_accuracy"] is not None
    assert record["confused"][0]["count"] >= record["confused"][-1]["count"] > 0
    text = program("show", "latest").out
    assert record["judgement"]["reason"] in text
    assert "most confused" in text


def test_plot_draws_one_run_in_its_folder_and_several_on_one_figure(program: Any, runs: list[dict[str, Any]]) -> None:
    (png, svg) = program("plot", "latest", "--json").json["files"][:2]
    assert Path(png).parent == Path(runs[1]["path"]) / "plots"
    assert width(png) > 600
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    both = program("plot", *(run["run_id"] for run in runs), "--json").json["files"]
    text = Path(both[1]).read_text(encoding="utf-8")
    assert "lr 0.003" in text
    assert "lr 0.03" in text
    assert "epochs 3" not in text  # the legend has only what differs
    assert runs[1]["run_id"] in Path(svg).read_text(encoding="utf-8")  # one run is told by its id


def test_plot_writes_where_it_is_told(program: Any, tmp_path: Path) -> None:
    files = program("plot", "latest", "--out", str(tmp_path / "new"), "--json").json["files"]
    assert all(Path(file).parent == tmp_path / "new" for file in files)


def test_export_gives_the_checkpoint_s_weights_in_both_formats(
    program: Any, runs: list[dict[str, Any]], tmp_path: Path
) -> None:
    npz, safetensors = program("export", "latest", "--out", str(tmp_path), "--json").json["files"]
    wanted = torch.load(Path(runs[1]["path"]) / "checkpoints" / "best.pt", weights_only=True)
    for found in (dict(np.load(npz)), load_file(safetensors)):
        assert found.keys() == wanted.keys()
        assert all(np.array_equal(found[name], wanted[name].numpy()) for name in wanted)


def test_export_keeps_the_shape_of_a_count_and_files_are_for_all_who_may_read_the_folder(
    program: Any, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndata: {kind: digits}\nmodel: {kind: grocery-cnn, stages: [[8, 1, 1, 1]]}\n"
        "train: {epochs: 1, batch_size: 100, lr: 0.1}\n",
        encoding="utf-8",
    )
    run = program("train", str(tmp_path / "mine.yaml"), "--json").json
    npz, safetensors = program("export", run["run_id"], "--json").json["files"]
    assert np.load(npz)["1.num_batches_tracked"].shape == ()
    assert load_file(safetensors)["1.num_batches_tracked"].shape == ()
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        assert Path(npz).stat().st_mode & 0o777 == 0o666 & ~mask
    program("rm", run["run_id"])


def test_a_run_of_another_version_s_config_can_still_be_shown_and_plotted(program: Any, tmp_path: Path) -> None:
    run = program("train", "digits-cnn-notebook", "-s", "train.epochs=2", "--json").json
    config = Path(run["path"]) / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "key_of_yesterday: 1\n", encoding="utf-8")
    assert program("show", run["run_id"]).code == 0
    assert program("plot", run["run_id"], "latest").code == 0
    program("rm", run["run_id"])


def test_rm_takes_one_run_and_leaves_the_rest(program: Any, runs: list[dict[str, Any]]) -> None:
    extra = program("train", "digits-cnn-notebook", "-s", "train.epochs=1", "--json").json
    assert program("rm", extra["run_id"], "--json").json == {"removed": [extra["run_id"]]}
    assert not Path(extra["path"]).exists()
    assert all(Path(run["path"]).is_dir() for run in runs)


def test_a_hand_written_network_s_weights_have_their_names(program: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndata: {kind: digits, normalize: standard}\nmodel: {kind: tensor-mlp, hidden_sizes: [9]}\n"
        "train: {epochs: 2, batch_size: 50, lr: 0.1}\n",
        encoding="utf-8",
    )
    run = program("train", str(tmp_path / "mine.yaml"), "--json").json
    weights = torch.load(Path(run["path"]) / "checkpoints" / "best.pt", weights_only=True)
    assert {name: tuple(value.shape) for name, value in weights.items()} == {
        "W1": (64, 9),
        "b1": (9,),
        "W2": (9, 10),
        "b2": (10,),
    }
    program("rm", run["run_id"])


def test_list_shows_every_experiment_and_warns_of_a_broken_local_one(tmp_path: Path) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "broken.yaml").write_text("name: [", encoding="utf-8")
    done = mlhw("list", cwd=tmp_path)
    assert done.code == 0
    assert "grocery-cnn-notebook" in done.out
    assert "experiments/broken.yaml" in done.err.replace("\\", "/")
    records = [json.loads(line) for line in mlhw("list", "--json").out.splitlines()]
    assert {"name", "description", "source", "data", "result"} <= records[0].keys()


def test_no_runs_is_no_error() -> None:
    done = mlhw("runs")
    assert done.code == 0
    assert "mlhw train digits-cnn" in done.out
    assert mlhw("runs", "--json").out == ""


def test_data_list_and_preview_of_what_comes_with_a_library(tmp_path: Path) -> None:
    records = {line["name"]: line for line in map(json.loads, mlhw("data", "list", "--json").out.splitlines())}
    assert records["digits"]["status"] == "embedded"
    assert records["mnist"]["status"] == "missing"
    preview = mlhw("data", "preview", "digits", "--out", str(tmp_path / "p.png"), "--json").json
    assert preview["rows"] == {"train": 500, "test": 1297}
    assert width(preview["path"]) > 300


def test_fetching_offline_says_which_file_goes_where() -> None:
    done = mlhw("data", "fetch", "mnist", MLHW_OFFLINE="1")
    assert done.code == 3
    assert "train-images-idx3-ubyte" in done.err
    assert "Traceback" not in done.err
    assert mlhw("data", "fetch", "nothing").code == 2
    assert mlhw("data", "verify", "mnist").code == 3


def test_json_has_no_nan_and_help_names_every_command() -> None:
    text = mlhw("--help").out
    for command in ("list", "train", "resume", "runs", "show", "plot", "export", "rm", "data"):
        assert f" {command} " in text
