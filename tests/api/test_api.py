"""The functions do what the commands do, by the same code, and leave the process as they found it."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import torch

import mlhw
from mlhw.errors import ConfigError, Interrupted, RunError
from mlhw.runs import store
from tests.cli.program import mlhw as program

GMM = {"train.epochs": 2}  # a numpy model of 30 parameters: a run takes a fraction of a second


def small(**how: Any) -> mlhw.Run:
    """A run of softmax regression on generated rows."""
    return mlhw.train("gmm-softmax", epochs=2, **how)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> mlhw.Run:
    """A run that tests read and do not change."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLHW_OUTPUTS", str(tmp_path_factory.mktemp("outputs")))
        return mlhw.train("digits-cnn", epochs=2, seed=3)


def without_seconds(run: Path) -> list[str]:
    return [line.rpartition(",")[0] for line in (run / "metrics.csv").read_text(encoding="utf-8").splitlines()]


def read_exactly(path: Path) -> pd.DataFrame:
    """A CSV file with every number as Python reads it; pandas' own reader may be off by the last digit."""
    text = pd.read_csv(path, dtype=str)
    kinds = {"epoch": int, "split": str, "row": int, "target": int, "predicted": int}
    return pd.DataFrame({name: [kinds.get(name, float)(cell) for cell in text[name]] for name in text})


def test_it_trains_what_the_command_trains_to_the_last_bit(digits: mlhw.Run) -> None:
    keys = ("train.epochs=2", "seed.init=3", "seed.data=3")
    done = program("train", "digits-cnn", *(word for key in keys for word in ("-s", key)), "--json")
    assert done.code == 0, done.err
    other = Path(done.json["path"])
    assert without_seconds(digits.path) == without_seconds(other)
    assert (digits.path / "config.yaml").read_bytes() == (other / "config.yaml").read_bytes()
    assert (digits.path / "test_predictions.csv").read_bytes() == (other / "test_predictions.csv").read_bytes()
    assert {path.name for path in digits.path.rglob("*")} == {path.name for path in other.rglob("*")}
    kept = [key for key in done.json if not key.startswith(("run_id", "path", "seconds", "peak"))]
    assert {key: digits.summary[key] for key in kept} == {key: done.json[key] for key in kept}
    assert without_seconds(mlhw.train("digits-cnn", epochs=2).path) != without_seconds(other)  # another seed


def test_the_recorded_command_does_the_same(digits: mlhw.Run) -> None:
    command = digits.environment["command"]
    assert command[:3] == ["mlhw", "train", "digits-cnn"]
    done = program(*command[1:], "--print-config")
    assert done.out == (digits.path / "config.yaml").read_text(encoding="utf-8")


def test_metrics_and_predictions_are_those_of_the_files(digits: mlhw.Run) -> None:
    pd.testing.assert_frame_equal(digits.metrics, read_exactly(digits.path / "metrics.csv"), check_exact=True)
    assert digits.metrics.groupby("split").epoch.max().to_dict() == {"train": 2, "val": 2, "test": 2}
    found = digits.predictions
    written = read_exactly(digits.path / "test_predictions.csv")
    pd.testing.assert_frame_equal(found[written.columns.to_list()], written, check_exact=True)
    assert (found.target == found.predicted).mean() == digits.summary["test_accuracy"]
    assert found.target_name.tolist() == [str(target) for target in found.target]


def test_what_a_run_says_of_itself_is_what_show_says(digits: mlhw.Run) -> None:
    shown = program("show", digits.id, "--json", MLHW_OUTPUTS=str(digits.path.parent)).json
    assert digits.status == shown["status"] == "done"
    assert digits.verdict is not None
    assert digits.verdict.reason == shown["judgement"]["reason"]
    assert digits.config["seed"] == {"init": 3, "data": 3}
    assert sum(array.size for array in digits.weights.values()) == digits.summary["parameters"]
    assert f"test {100 * shown['test_accuracy']:.2f} %" in repr(digits)


def test_the_html_escapes_what_strangers_wrote(digits: mlhw.Run, tmp_path: Path) -> None:
    for text in (digits._repr_html_(), digits.verdict._repr_markdown_() if digits.verdict else ""):
        assert digits.verdict is not None
        assert digits.verdict.verdict in text
    folder = tmp_path / "evil-20260101-000000-0000"
    folder.mkdir()
    (folder / "error.json").write_text(json.dumps({"kind": "X", "message": "<script>x</script>\x1b[2J"}))
    html = mlhw.Run(folder)._repr_html_()
    assert "<script" not in html
    assert "\x1b" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("kind", ["curves", "confusion", "classes", "confused"])
def test_figures_are_the_saved_ones_and_a_notebook_can_show_them(digits: mlhw.Run, kind: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in digits.path.rglob("*")}
    figure = digits.plot(kind)
    png, how = figure._repr_png_()  # type: ignore[attr-defined]
    assert png.startswith(b"\x89PNG")
    assert how["width"] == round(96 * figure.get_figwidth())
    saved = (digits.path / "plots" / f"{kind}.png").read_bytes()
    assert np.array_equal(*(matplotlib.image.imread(io.BytesIO(picture)) for picture in (png, saved)))
    assert {path: path.stat().st_mtime_ns for path in digits.path.rglob("*")} == before


def test_figures_that_there_are_not_are_named(digits: mlhw.Run) -> None:
    with pytest.raises(ConfigError, match=r"no figure 'confusio'\. Did you mean confusion"):
        digits.plot("confusio")
    with pytest.raises(ConfigError, match="no regions"):
        digits.plot("regions")
    assert mlhw.train("peaks-softmax", epochs=1).plot("regions").axes


def world() -> dict[str, Any]:
    """What a process has of its own that a training could leave otherwise.

    Of Python's own generator the test below says it: beartype, which checks shapes in tests, draws from it here.
    """
    return {
        "threads": torch.get_num_threads(),
        "torch": torch.get_rng_state().tolist(),
        "numpy": [str(part) for part in np.random.get_state()],  # noqa: NPY002  (it is the global one that is watched)
        "matplotlib": dict(matplotlib.rcParams),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "signals": [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)],
        "errors": np.geterr(),
        "type": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "logging": list(logging.getLogger("mlhw").handlers),
        "processes": threading.active_count(),
    }


def test_many_runs_in_one_process_are_the_same_and_leave_it_as_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLHW_THREADS", "1")
    torch.set_num_threads(2)
    torch.manual_seed(5)
    before = world()
    runs = [small(), mlhw.train("digits-cnn", epochs=1), small(), mlhw.train("digits-cnn", epochs=1), small(seed=1)]
    after = world()
    assert {key for key in before if before[key] != after[key]} == set()
    first, second, third, fourth, other = (without_seconds(run.path) for run in runs)
    assert first == third != other
    assert second == fourth
    torch.set_num_threads(1)
    assert {key for key in before if before[key] != world()[key]} == {"threads"}  # the law can fail


def test_python_s_own_generator_is_left_as_found() -> None:
    code = (
        "import random, torch, mlhw\nbefore = random.getstate()\n"
        "mlhw.train('digits-cnn', epochs=1)\nprint(random.getstate() == before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"  # and not a word more
    assert done.stderr == ""


def test_any_key_of_any_kind_can_be_set_and_faults_are_those_of_the_command() -> None:
    run = small(settings={"train.lr": np.float32(0.25), "train.optimizer": "adam"}, name="my-try")
    assert run.config["train"]["lr"] == 0.25
    assert run.config["train"]["optimizer"]["kind"] == "adam"
    assert run.id.startswith("my-try-")
    done = program("train", "gmm-softmax", "-s", "train.lrr=1")
    with pytest.raises(ConfigError) as caught:
        small(settings={"train.lrr": 1})
    assert str(caught.value) == done.err.removeprefix("error: ").strip()
    for bad, words in (({"lr": 0.1}, "there twice"), ({"settings": {"a": object()}}, "cannot stand in an experiment")):
        with pytest.raises(ConfigError, match=words):
            small(**{"settings": {"train.lr": 0.1}, **bad})
    with pytest.raises(ConfigError, match="lower-case letters"):
        small(name="../up")
    with pytest.raises(mlhw.MlhwError, match="Did you mean digits-cnn"):
        mlhw.train("digitscnn")
    assert len(mlhw.list_runs()) == 1  # what is wrong leaves nothing behind


def test_a_run_that_was_interrupted_goes_on_to_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mlhw.train("gmm-softmax", epochs=4)

    def stop(rows: Any, self: Any, members: Any) -> None:
        if members[0].state.epoch == 2:
            raise KeyboardInterrupt

    from mlhw.api.progress import Logging

    with monkeypatch.context() as patch:
        patch.setattr(Logging, "on_epoch", lambda self, members: stop(None, self, members))
        with pytest.raises(Interrupted, match="mlhw resume gmm-softmax-"):
            mlhw.train("gmm-softmax", epochs=4, name="gmm-softmax-cut")
    cut = next(mlhw.load_run(name) for name in mlhw.list_runs().run_id if name.startswith("gmm-softmax-cut"))
    assert cut.status == "interrupted"
    assert cut.summary == {}
    with pytest.raises(RunError, match="has no predictions"):
        _ = cut.predictions
    assert without_seconds(mlhw.resume(cut).path) == without_seconds(whole.path)
    assert mlhw.resume(cut.id) == cut
    assert cut.status == "done"


def test_lists_and_names() -> None:
    assert mlhw.list_runs().columns.to_list()[:3] == ["run_id", "experiment", "status"]
    with pytest.raises(RunError, match="there are no runs"):
        mlhw.load_run()
    run = small()
    assert mlhw.load_run() == mlhw.load_run("latest") == mlhw.load_run(run.id[:-1]) == run
    assert mlhw.list_runs().run_id.to_list() == [run.id]
    assert run.path.is_absolute()
    listed = [json.loads(line)["name"] for line in program("list", "--json").out.splitlines()]
    assert mlhw.list_experiments().name.to_list() == listed


def test_a_comparison_has_what_the_command_prints(caplog: pytest.LogCaptureFixture) -> None:
    runs = [small(lr=lr) for lr in (0.1, 0.01)]
    found = mlhw.compare(*runs)
    printed = program("compare", *(run.id for run in runs), "--json").json
    assert found.columns.to_list() == printed["columns"][1:]
    assert found.index.to_list() == [row["run_id"] for row in printed["rows"]]
    assert found.val_accuracy.to_list() == [row["metrics"]["val_accuracy"] for row in printed["rows"]]
    assert mlhw.plot(*runs).axes
    assert not caplog.messages
    mlhw.compare(runs[0], mlhw.train("peaks-softmax", epochs=1))
    assert any("of different data" in message for message in caplog.messages)
    with pytest.raises(RunError, match="no run to plot"):
        mlhw.plot()


def test_a_sweep_is_that_of_the_command_and_is_not_trained_twice(caplog: pytest.LogCaptureFixture) -> None:
    rates = np.array([0.01, 0.1])
    found = mlhw.sweep("gmm-softmax", grid={"train.lr": rates}, seeds=2, settings=GMM, jobs=1)
    assert [run.config["train"]["lr"] for run in found.runs] == [0.01, 0.1, 0.01, 0.1]
    assert found.trials.status.to_list() == ["done"] * 4
    assert found.table.n.to_list() == [2, 2]
    means = found.trials.groupby("variant").val_accuracy.mean()
    assert found.table.val_accuracy.to_dict() == pytest.approx(means.to_dict())
    assert mlhw.compare(found).val_accuracy_sd.notna().all()
    assert found.plot("accuracy").axes
    assert "lr=0.01" in found._repr_html_()
    with pytest.raises(ConfigError, match="no figure 'curve'"):
        found.plot("curve")
    grid = ("--grid", "train.lr=0.01,0.1", "--seeds", "2", "-s", "train.epochs=2")
    assert program("sweep", "gmm-softmax", *grid, "--json").json["sweep_id"] == found.id
    assert len(store.all_runs(Path(os.environ["MLHW_OUTPUTS"]))) == 4
    for bad in ({"train.lr": 0.1}, {"train.lr": "0.1"}, {"train.lr": []}):
        with pytest.raises(ConfigError, match=r"grid train\.lr"):
            mlhw.sweep("gmm-softmax", grid=bad)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="seeds should be"):
        mlhw.sweep("gmm-softmax", seeds=0)
    assert not caplog.messages


def test_warnings_are_logged_and_messages_only_for_who_asks(caplog: pytest.LogCaptureFixture) -> None:
    small()
    assert not caplog.messages
    with caplog.at_level(logging.INFO, logger="mlhw"):
        small()
    assert any(message.startswith("run ") for message in caplog.messages)
