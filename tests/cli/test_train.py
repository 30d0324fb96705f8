"""train, resume and what they leave behind, through the program itself."""

from __future__ import annotations

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mlhw.runs import checkpoint
from tests.cli.program import mlhw

QUICK = ("-s", "train.epochs=3")
KEYS = [
    *("run_id", "experiment", "status", "epochs", "parameters", "best_epoch", "path"),
    *(f"{split}_{what}" for split in ("train", "val", "test") for what in ("loss", "accuracy")),
    *("seconds_training", "seconds_total", "peak_memory_mb"),
]


def outputs() -> Path:
    return Path(os.environ["MLHW_OUTPUTS"])


def metrics(run: Path) -> list[dict[str, str]]:
    """The rows of metrics.csv without the seconds, which no two runs share."""
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def weights(run: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = checkpoint.to_arrays(checkpoint.load(run / "checkpoints" / "best.pt"))
    return found


def test_train_prints_one_json_object_and_leaves_a_whole_run_folder() -> None:
    done = mlhw("train", "digits-cnn", *QUICK, "--json")
    assert done.code == 0, done.err
    summary = done.json
    assert [key for key in KEYS if key not in summary] == []
    assert summary["val_accuracy"] is not None
    run = Path(summary["path"])
    files = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    wanted = "config.yaml metrics.csv environment.json log.txt summary.json test_predictions.csv checkpoints/last.pt "
    wanted += "checkpoints/best.pt plots/curves.png plots/curves.svg plots/samples.png plots/confusion.png"
    assert set(wanted.split()) <= files
    assert not [name for name in files if name.endswith(".tmp")]
    assert (run / "metrics.csv").read_text(encoding="utf-8").splitlines()[0] == "epoch,split,loss,accuracy,lr,seconds"
    assert json.loads((run / "summary.json").read_text(encoding="utf-8")) == summary
    assert [row["split"] for row in metrics(run)] == ["train", "val"] * 3 + ["test"]
    assert metrics(run)[-1]["epoch"] == str(summary["best_epoch"])


def test_a_run_without_val_reports_null_for_it_and_its_last_epoch() -> None:
    summary = mlhw("train", "digits-cnn-notebook", *QUICK, "--json", "-q").json
    assert summary["val_loss"] is None
    assert summary["best_epoch"] == summary["epochs"] == 3


def test_the_path_is_printed_first_and_last_and_progress_stays_off_stdout() -> None:
    done = mlhw("train", "digits-cnn-notebook", *QUICK)
    (run,) = outputs().glob("digits-cnn-notebook-*")
    assert done.err.splitlines()[-4] == f"run {run}"
    assert [line.split("  ")[0] for line in done.err.splitlines()[-3:]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert done.out.splitlines()[-1].strip() == str(run)
    assert "epoch 1/3" not in done.out


def test_print_config_trains_nothing_and_is_itself_an_experiment(tmp_path: Path) -> None:
    done = mlhw("train", "digits-cnn", "-s", "train.lr=0.02", "--print-config")
    assert done.code == 0
    assert yaml.safe_load(done.out)["train"]["lr"] == 0.02
    assert not outputs().exists()
    (tmp_path / "mine.yaml").write_text(done.out, encoding="utf-8")
    again = mlhw("train", str(tmp_path / "mine.yaml"), "--print-config")
    assert again.out == done.out


def test_a_run_s_own_config_runs_again_with_the_same_numbers() -> None:
    first = mlhw("train", "digits-cnn", *QUICK, "--json").json
    second = mlhw("train", str(Path(first["path"]) / "config.yaml"), "--json").json
    assert metrics(Path(first["path"])) == metrics(Path(second["path"]))
    assert first["signature"] == second["signature"]
    assert first["run_id"] != second["run_id"]


def test_a_name_names_the_folder_and_nothing_else() -> None:
    summary = mlhw("train", "digits-cnn-notebook", *QUICK, "--json", "--name", "my-try").json
    assert summary["run_id"].startswith("my-try-2")
    assert summary["experiment"] == "digits-cnn-notebook"


def test_init_from_starts_with_a_run_s_weights() -> None:
    first = mlhw("train", "digits-cnn-notebook", "-s", "train.epochs=20", "--json").json
    second = mlhw(
        "train", "digits-cnn-notebook", "-s", "train.epochs=1", "-s", f"train.init_from={first['run_id']}", "--json"
    ).json
    assert second["train_loss"] < 0.3


def test_early_stopping_says_why_it_stopped() -> None:
    overrides = [
        "-s",
        "train.patience_epochs=1",
        "-s",
        "train.epochs=500",
        "-s",
        "train.lr=0.5",
        "-s",
        "train.optimizer=sgd",
    ]
    summary = mlhw("train", "digits-cnn", *overrides, "--json").json
    assert summary["stopped_by"] == "patience"
    assert summary["epochs"] == summary["best_epoch"] + 1


def test_a_loss_that_is_not_finite_stops_the_run_with_epoch_and_step() -> None:
    done = mlhw("train", "digits-cnn-notebook", *QUICK, "-s", "train.lr=1e8", "-s", "train.optimizer=sgd")
    assert done.code == 1
    assert "epoch 1, step" in done.err
    assert "Traceback" not in done.err
    (run,) = outputs().glob("digits-cnn-notebook-*")
    assert "became" in json.loads((run / "error.json").read_text(encoding="utf-8"))["message"]
    assert "failed" in mlhw("runs").out


LONG = ("train", "digits-cnn", "-s", "train.epochs=300", "-q", "--json")

# A shell that starts a job in the background, as CI may, lets it ignore SIGINT, and so would the child.
LISTENING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[0] = "mlhw"
from mlhw.cli import main
main()
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The summary of a run of LONG that nothing disturbed."""
    summary: dict[str, Any] = mlhw(*LONG, MLHW_OUTPUTS=str(tmp_path_factory.mktemp("whole"))).json
    return summary


def start_and_stop(how: signal.Signals, after_epochs: int) -> subprocess.Popen[str]:
    """Start a training and send it ``how`` once it has a checkpoint and that many epochs."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENING, *LONG],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        lines = [len(path.read_bytes().splitlines()) for path in outputs().glob("*/metrics.csv")]
        if lines and lines[0] > 2 * after_epochs and list(outputs().glob("*/checkpoints/last.pt")):
            break
        time.sleep(0.01)
    process.send_signal(how)
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGKILL nor a SIGINT for another process")
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_stopped_run_resumes_bit_for_bit(how: str, undisturbed: dict[str, Any]) -> None:
    """Batch norm aside, this preset has all that must go on exactly: dropout, augmentation, schedule, averaging, best."""
    process = start_and_stop(signal.Signals[how], after_epochs=10)
    _, err = process.communicate(timeout=60)
    (run,) = outputs().glob("digits-cnn-*")
    if how == "SIGKILL":
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130
        assert f"mlhw resume {run.name}" in err
    assert not (run / "summary.json").exists()
    assert (
        0 < checkpoint.load(run / "checkpoints" / "last.pt")["loop"][0]["epoch"] < 300
    )  # else this would test nothing
    assert "interrupted" in mlhw("runs").out
    with (run / "metrics.csv").open("a", encoding="utf-8") as file:
        file.write("301,train,0.1")  # a torn tail, as a power cut leaves it

    resumed = mlhw("resume", "latest", "--json")
    assert resumed.code == 0, resumed.err
    whole = Path(undisturbed["path"])
    assert metrics(run) == metrics(whole)
    assert weights(run).keys() == weights(whole).keys()
    for name, value in weights(run).items():
        np.testing.assert_array_equal(value, weights(whole)[name])
    assert resumed.json["test_loss"] == undisturbed["test_loss"]
    assert not list(run.rglob("*.tmp"))


def test_a_run_without_a_checkpoint_starts_over_in_its_folder() -> None:
    first = mlhw("train", "digits-cnn", *QUICK, "--json").json
    run = Path(first["path"])
    for name in ("summary.json", "checkpoints/last.pt", "checkpoints/best.pt"):
        (run / name).unlink()
    resumed = mlhw("resume", run.name, "--json").json
    assert resumed["run_id"] == run.name
    assert resumed["test_loss"] == first["test_loss"]
    assert len(metrics(run)) == 7


def test_a_crash_after_the_test_row_doubles_no_row() -> None:
    run = Path(mlhw("train", "digits-cnn", *QUICK, "--json").json["path"])
    before = metrics(run)
    (run / "summary.json").unlink()
    assert mlhw("resume", run.name).code == 0
    assert metrics(run) == before


def test_resuming_a_finished_run_changes_nothing() -> None:
    run = Path(mlhw("train", "digits-cnn", *QUICK, "--json").json["path"])
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    done = mlhw("resume", run.name, "--json")
    assert done.code == 0
    assert done.json["run_id"] == run.name
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()} == before


def test_a_resume_uses_the_recorded_threads_and_says_what_else_differs() -> None:
    run = Path(mlhw("train", "digits-cnn", *QUICK, "--json", MLHW_THREADS="2").json["path"])
    (run / "summary.json").unlink()
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    assert environment["threads"] == 1  # the experiment's own word
    environment["threads"] = 2
    environment["packages"]["torch"] = "2.0.0"
    environment["data"] = "digits-0000000000000000"
    (run / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    done = mlhw("resume", run.name, MLHW_THREADS="1")
    assert "torch 2.0.0 then" in done.err
    assert "data digits-0000000000000000 then" in done.err
    assert "threads" not in done.err


def test_a_run_that_began_with_another_s_weights_begins_so_again() -> None:
    first = mlhw("train", "digits-cnn-notebook", "-s", "train.epochs=20", "--json").json
    second = mlhw("train", "digits-cnn-notebook", *QUICK, "-s", "train.init_from=latest", "--json").json
    run = Path(second["path"])
    assert f"init_from: {first['run_id']}" in (run / "config.yaml").read_text(encoding="utf-8")
    before = metrics(run)
    for name in ("summary.json", "checkpoints/last.pt", "checkpoints/best.pt"):
        (run / name).unlink()
    assert mlhw("resume", run.name).code == 0
    assert metrics(run) == before


def test_weights_that_break_in_the_last_step_do_not_pass_for_a_result() -> None:
    rate = ["-s", "train.lr=1e9", "-s", "train.weight_decay=1e9", "-s", "train.epochs=1", "-s", "train.batch_size=450"]
    done = mlhw("train", "digits-cnn", *rate, "-s", "train.optimizer=sgd", "-s", "train.augment=null")
    assert done.code == 1
    assert "val loss became" in done.err
    assert "RuntimeWarning" not in done.err
    assert "failed" in mlhw("runs").out


def test_a_reader_that_has_enough_ends_nothing_in_an_error() -> None:
    command = f"{shlex.quote(sys.executable)} -m mlhw list | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, env=os.environ, check=False
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_a_code_page_without_our_signs_ends_nothing() -> None:
    mlhw("train", "digits-cnn-notebook", "-s", "train.epochs=1")
    done = mlhw("runs", PYTHONIOENCODING="cp437")
    assert done.code == 0
    assert "digits-cnn-notebook" in done.out


def test_python_s_global_generator_is_left_as_found() -> None:
    code = """
import random
random.seed(7); found = random.getstate()
from mlhw.commands.display import Silent
from mlhw.commands.settings import from_environment
from mlhw.commands.train import train
from mlhw.config.load import load
train(load("digits-cnn", ["train.epochs=2"]), from_environment(), Silent())
assert random.getstate() == found
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
