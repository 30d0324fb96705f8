"""What TensorBoard itself reads back is what metrics.csv holds: after training, while training, and after every cut."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pytest

import mlhw as api
from mlhw.commands import tracking
from mlhw.commands.settings import from_environment
from mlhw.errors import ConfigError, Interrupted
from mlhw.protocols import EpochRow
from mlhw.runs.metrics import read_metrics
from mlhw.runs.store import Run
from mlhw.trackers.events import EventLog
from tests.cli.program import mlhw

pytest.importorskip("tensorboard", reason="TensorBoard is not installed: pip install tensorboard")

TWO = ("-s", "train.epochs=2")


def accumulated(folder: Path) -> Any:
    """``folder`` as TensorBoard reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    found.Reload()
    return found


def scalars(found: Any) -> dict[tuple[str, int], float]:
    """Values by tag and step; each step is there once."""
    events = [(tag, event.step, event.value) for tag in found.Tags()["scalars"] for event in found.Scalars(tag)]
    assert len({(tag, step) for tag, step, _ in events}) == len(events)
    return {(tag, step): value for tag, step, value in events}


def told_by(rows: list[EpochRow]) -> dict[tuple[str, int], float]:
    found = {
        (f"{what}/{row.split}", row.epoch): getattr(row, what)
        for row in rows
        for what in ("loss", "accuracy", "seconds")
    }
    return found | {("lr", row.epoch): row.lr for row in rows if row.split == "train"}


def holds(folder: Path, run: Path) -> None:
    """The events in ``folder`` are the rows of ``run``, no fewer and no more."""
    expected = told_by(read_metrics(run / "metrics.csv"))
    assert scalars(accumulated(folder)) == pytest.approx(expected, rel=1e-6)  # TensorBoard keeps float32


def test_an_export_has_every_epoch_and_split_the_config_and_the_figures() -> None:
    run = api.train("digits-cnn", epochs=2)
    for _ in range(2):  # again: it replaces what is there
        done = mlhw("export", "latest", "--to", "tensorboard", "--json")
        assert done.code == 0, done.err
        (path,) = map(Path, done.json["files"])
        assert path.parent == run.path / "export" / "tensorboard"
        assert [file for file in path.parent.iterdir() if file.stat().st_size] == [path]
        holds(path.parent, run.path)
    found = accumulated(path.parent)
    assert sorted(found.Tags()["images"]) == sorted(f"plots/{path.stem}" for path in (run.path / "plots").glob("*.png"))
    (image,) = found.Images("plots/curves")
    assert image.encoded_image_string == (run.path / "plots" / "curves.png").read_bytes()
    assert image.width > image.height > 100
    (text,) = found.Tensors("config")
    assert b"    name: digits-cnn\n" in text.tensor_proto.string_val[0]
    from tensorboard.plugins.hparams import plugin_data_pb2

    plugin = plugin_data_pb2.HParamsPluginData.FromString(
        found.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    )
    assert plugin.session_start_info.hparams["train.epochs"].number_value == 2
    assert plugin.session_start_info.hparams["data.kind"].string_value == "digits"


def test_several_runs_have_a_folder_each_and_the_same_run_makes_the_same_scalars(tmp_path: Path) -> None:
    runs = [api.train("gmm-softmax", epochs=2, seed=seed) for seed in (0, 1)]
    ids = [run.id for run in runs]
    for folder in ("a", "b"):
        done = mlhw("export", *ids, "--to", "tensorboard", "--out", str(tmp_path / folder))
        assert done.code == 0, done.err
    for run in runs:
        holds(tmp_path / "a" / run.id, run.path)
        one, other = (accumulated(tmp_path / folder / run.id) for folder in ("a", "b"))
        for tag in one.Tags()["scalars"]:
            assert one.Scalars(tag) == other.Scalars(tag)  # their times too
    done = mlhw("export", *ids, "--out", str(tmp_path / "weights"), "--json")
    assert {Path(path).parent.name for path in done.json["files"]} == set(ids)


def test_a_log_is_there_after_every_epoch_and_a_cut_costs_and_doubles_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlhw.api.progress import Logging
    from mlhw.commands.train import train
    from mlhw.config.load import load

    seen: list[int] = []

    def look(self: Any, members: Any) -> None:
        (run,) = Path(os.environ["MLHW_OUTPUTS"]).iterdir()
        holds(run / "tensorboard", run)  # as TensorBoard would see it now
        seen.append(members[0].state.epoch)
        if seen == [1, 2, 3]:
            raise KeyboardInterrupt

    experiment, settings = load("gmm-softmax", ["train.epochs=6"]), from_environment()
    with monkeypatch.context() as patch:
        patch.setattr(Logging, "on_epoch", look)
        with pytest.raises(Interrupted):
            train(experiment, settings, Logging(), log="tensorboard")
    run = api.load_run()
    folder = run.path / "tensorboard"
    before = accumulated(folder)  # a TensorBoard that looks on all the while
    (log,) = folder.iterdir()
    log.write_bytes(log.read_bytes()[:-7])  # as a kill may leave it: the last event torn
    with (run.path / "metrics.csv").open("a") as file:
        file.write("99,train,1.0,1.0,1.0,1.0\n")  # rows newer than the checkpoint, which are dropped
    assert mlhw("resume", run.id).code == 0
    holds(folder, run.path)
    assert {epoch for _, epoch in scalars(accumulated(folder))} == set(range(1, 7))
    before.Reload()
    assert scalars(before) == scalars(accumulated(folder))
    assert [row[1] for row in api.resume(run).metrics[["epoch", "split"]].itertuples(index=False)].count("train") == 6


def test_a_run_without_a_log_gets_none_and_one_with_it_says_so_where_tensorboard_is_gone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from mlhw.api.progress import Logging

    run = Run(api.train("gmm-softmax", epochs=1).path)
    assert not run.tensorboard.exists()
    assert tracking.live_log(run, Logging()) is tracking.NO_LOG
    run.tensorboard.mkdir()
    assert tracking.live_log(run, Logging()) is not tracking.NO_LOG
    monkeypatch.setattr("mlhw.trackers.extras.find_spec", lambda name: None)
    assert tracking.live_log(run, Logging()) is tracking.NO_LOG
    assert "stays as it is" in caplog.text


@pytest.mark.parametrize(
    "arguments", [("train", "gmm-softmax", "--log", "tensorboard"), ("export", "latest", "--to", "mlflow")]
)
def test_without_the_extra_it_says_what_to_install(arguments: tuple[str, ...], tmp_path: Path) -> None:
    api.train("gmm-softmax", epochs=1)
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name in ('tensorboard', 'mlflow') else real(name, *rest)\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = mlhw(*arguments, PYTHONPATH=path)
    assert done.code == 2
    assert f"pip install 'mlhw[{arguments[-1]}]'" in done.err
    assert len(api.list_runs()) == 1


def test_unknown_trackers_are_refused() -> None:
    for arguments in (("train", "gmm-softmax", "--log", "tensorbord"), ("train", "gmm-softmax", "--log", "mlflow")):
        done = mlhw(*arguments)
        assert done.code == 2
        assert "should be tensorboard" in done.err
    with pytest.raises(ConfigError, match="Did you mean tensorboard"):
        tracking.export(from_environment(), ["latest"], "tensorbord", None)


def test_the_law_of_no_step_lost_or_doubled_can_fail(tmp_path: Path) -> None:
    rows = [EpochRow(epoch, "train", 1 / epoch, 0.5, 0.1, 0.25) for epoch in (1, 2, 3)]
    log = EventLog(tmp_path / "log", "20260101-000000")
    log.rows(rows)
    log.close()
    (file,) = (tmp_path / "log").iterdir()
    assert scalars(accumulated(file.parent)) == pytest.approx(told_by(rows), rel=1e-6)
    content, second = file.read_bytes(), 0
    again = file.with_name(file.name + ".again")
    again.write_bytes(content)  # it begins with "forget what there was": every step is still there once
    assert len(scalars(accumulated(file.parent))) == 12
    records = []
    while second < len(content):
        end = second + 16 + int.from_bytes(content[second : second + 8], "little")
        records.append(content[second:end])
        second = end
    again.write_bytes(b"".join([records[0], *records[2:]]))  # without those words, as a naive resume would write it
    with pytest.raises(AssertionError):
        scalars(accumulated(file.parent))
