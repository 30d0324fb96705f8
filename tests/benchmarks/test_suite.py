"""The suite's own laws: who takes turns with whom, what is kept and gone on with, what the page says. No wall clock."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import __main__ as program
from benchmarks import growth, parts, store
from benchmarks.parts import Part
from benchmarks.peers import footprint, rounds
from benchmarks.peers.tables import SYSTEMS, WORKLOADS, Workload
from benchmarks.tell import floor_seconds, tell
from benchmarks.workplace import make_mnist


class Scripted:
    """A system that takes the given seconds, one after another, and notes its turns."""

    def __init__(self, name: str, turns: list[str], *seconds: float) -> None:
        self.name, self.turns, self.seconds = name, turns, iter(seconds)

    def warm(self) -> dict[str, Any]:
        self.turns.append(f"warm {self.name}")
        return {}

    def run(self) -> dict[str, Any]:
        self.turns.append(self.name)
        for second in self.seconds:
            return {"seconds": second, "cpu_seconds": second / 2}
        raise RuntimeError("no more\nand why")


def test_systems_take_turns_forwards_and_backwards() -> None:
    turns: list[str] = []
    outcome = rounds.in_turn({name: Scripted(name, turns, 1.0, 2.0) for name in "abc"}, 2)
    assert turns == ["warm c", "warm b", "warm a", "a", "b", "c", "c", "b", "a"]
    assert [run["seconds"] for run in outcome.measured["b"]] == [1.0, 2.0]


def test_a_system_that_fails_is_left_out_and_the_others_go_on() -> None:
    turns: list[str] = []
    outcome = rounds.in_turn({"a": Scripted("a", turns, 1.0, 1.0), "b": Scripted("b", turns, 1.0)}, 2)
    assert list(outcome.measured) == ["a"]
    assert len(outcome.measured["a"]) == 2
    assert outcome.absent == {"b": "failed: no more\nand why"}


def test_a_worker_measures_and_says_why_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two real processes: mlhw and the floor train the same rows, and both learn them."""
    make_mnist(tmp_path / "data", {"train": 6000, "t10k": 50})
    environ = {"MLHW_DATA": str(tmp_path / "data"), "MLHW_CACHE": str(tmp_path / "cache")}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    systems = ["mlhw", "floor"]
    with rounds.workers("numpy-mlp-notebook", systems, dict(rounds.os.environ), quick=True) as runners:
        found = {name: runner.run() for name, runner in runners.items()}
        assert all(run["seconds"] > 0 and run["cpu_seconds"] > 0 for run in found.values())
        assert 0.0 <= found["mlhw"]["accuracy"] <= 1.0
        assert found["floor"]["accuracy"] is None
    with (
        rounds.workers("digits-cnn-notebook", ["nosuch"], dict(rounds.os.environ), quick=True) as runners,
        pytest.raises(RuntimeError, match="nosuch"),
    ):
        runners["nosuch"].run()


def test_every_address_of_the_tables_can_be_found() -> None:
    for workload in WORKLOADS.values():
        module, _, function = workload.task.partition(":")
        assert callable(getattr(importlib.import_module(module), function))
        assert set(workload.systems) <= set(SYSTEMS)
    for system in SYSTEMS.values():
        if not system.needs:
            module, _, function = system.address.partition(":")
            assert callable(getattr(importlib.import_module(module), function))


@pytest.fixture
def _measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three parts that cost nothing; one of them crashes."""
    contest = {
        "systems": {
            "mlhw": [{"seconds": s, "cpu_seconds": s, "peak_mb": 9.0, "accuracy": 0.5} for s in (1.0, 3.0, 2.0)],
            "floor": [{"seconds": 1.0, "cpu_seconds": 1.0} for _ in range(3)],
            "notebook": [{"seconds": 4.0, "cpu_seconds": 4.0} for _ in range(3)],
        },
        "absent": {"keras": "failed: a | pipe\nand more"},
        "cores": 2,
    }
    points = {"points": [[size, [1e-5 * size, 1.2e-5 * size]] for size in (100, 1000)]}

    def crash(how: Any) -> dict[str, Any]:
        raise RuntimeError("no luck")

    made = {
        "mnist-mlp-notebook": Part("workload", "w", True, lambda how: contest),
        "growth-runs": Part("growth", "g", True, lambda how: points),
        "convolution": Part("check", "c", True, crash),
        "workers": Part("check", "by name", False, crash),
    }
    for module in ("benchmarks.__main__", "benchmarks.tell"):
        monkeypatch.setattr(f"{module}.PARTS", made)
    return


@pytest.mark.usefixtures("_measured")
def test_what_was_measured_is_kept_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert program.main(["--out", str(tmp_path)]) == 1  # a part crashed, the others are there
    kept = json.loads((tmp_path / "results.json").read_text())["parts"]
    assert set(kept) == {"mnist-mlp-notebook", "growth-runs"}
    made = dict(program.PARTS)
    made["convolution"] = Part("check", "c", True, lambda how: {"results": []})
    made["mnist-mlp-notebook"] = Part("workload", "w", True, lambda how: pytest.fail("measured twice"))
    monkeypatch.setattr("benchmarks.__main__.PARTS", made)
    assert program.main(["--out", str(tmp_path)]) == 0
    again = json.loads((tmp_path / "results.json").read_text())["parts"]
    assert again["growth-runs"] == kept["growth-runs"]
    assert "convolution" in again


@pytest.mark.usefixtures("_measured")
def test_other_settings_are_not_mixed_in(tmp_path: Path) -> None:
    program.main(["mnist-mlp-notebook", "--out", str(tmp_path)])
    program.main(["growth-runs", "--out", str(tmp_path), "--repeats", "7"])
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["settings"]["repeats"] == 7
    assert set(found["parts"]) == {"growth-runs"}


@pytest.mark.usefixtures("_measured")
def test_the_page_tells_ratios_limits_and_who_failed(tmp_path: Path) -> None:
    program.main(["mnist-mlp-notebook", "growth-runs", "--out", str(tmp_path)])
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith("| `mnist-mlp-notebook`")]
    assert line == (
        "| `mnist-mlp-notebook` | 2.00 s [1.00 to 3.00] | 1.00 s [1.00 to 1.00] | 2.00 [1.00 to 3.00] | 1.2 | missed | "
        "notebook | 2.00 [1.33 to 4.00] |"
    )
    assert "Not measured: keras: failed: a | pipe" in page
    assert "| `mlhw runs --all` | runs | 100 to 1,000 | 1.00 | 0.011 ms |" in page
    assert "| held |" in page
    assert {file.name for file in tmp_path.iterdir()} == {"results.json", "results.md", "growth.png", "growth.svg"}


def test_the_floor_of_classifying_shares_the_decoding_among_the_cores() -> None:
    runs = {"mlhw": 2.0, "forward": 1.0, "decoding": 1.0, "notebook": 3.0}
    part = {"systems": {name: [{"seconds": s, "cpu_seconds": s}] for name, s in runs.items()}, "cores": 4, "absent": {}}
    assert floor_seconds(WORKLOADS["classify-resnet18"], part) == [1.25]
    assert floor_seconds(WORKLOADS["classify-resnet18"], part, "cpu") == [2.0]
    del part["systems"]["decoding"]  # it failed
    assert floor_seconds(WORKLOADS["classify-resnet18"], part) == []
    assert isinstance(WORKLOADS["classify-resnet18"], Workload)


def test_nothing_measured_is_a_page_too(tmp_path: Path) -> None:
    results = store.Results(tmp_path / "results.json", {"repeats": 1, "quick": True, "note": "made data"})
    page = tell(results.value, tmp_path)
    assert "No numbers to quote" in page
    assert "made data" in page
    assert "##" not in page


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_slopes_are_those_of_powers(power: float) -> None:
    sizes = [10.0, 20.0, 40.0, 90.0]
    assert growth.slope(sizes, [3e-4 * size**power for size in sizes]) == pytest.approx(power)
    assert growth.each(sizes, [7.0 + 0.25 * size for size in sizes]) == pytest.approx(0.25)


def test_sizes_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.harness.gc.collect", lambda: 0)
    ran: list[int] = []
    law = growth.Law("w", "u", (1, 2), lambda size, folder: lambda: lambda: ran.append(size))
    found = dict(growth.points(law, 2, tmp_path))
    assert ran == [1, 2, 2, 1, 1, 2] or ran == [2, 1, 1, 2, 2, 1]
    assert {size: len(times) for size, times in found.items()} == {1: 2, 2: 2}


def test_needed_memory_counts_rows_model_and_activations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_mnist(tmp_path / "data", {"train": 96, "t10k": 20})
    monkeypatch.setenv("MLHW_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MLHW_CACHE", str(tmp_path / "cache"))
    needs = footprint.needs("mnist-mlp-notebook")
    model = 4 * (784 * 128 + 128 + 1280 + 10)
    assert needs["data"] * 2**20 == pytest.approx(4 * 784 * 116)
    assert needs["model"] * 2**20 == pytest.approx(model)
    assert needs["gradients, optimiser, average"] == needs["model"]
    assert needs["activations"] * 2**20 == pytest.approx(2 * 4 * 32 * (784 + 128 + 10))


def test_a_footprint_is_what_was_taken_by_what_is_needed() -> None:
    assert footprint.Footprint(700.0, 400.0, {"data": 150.0, "model": 50.0}).ratio == 1.5


def test_the_list_names_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(parts.PARTS)


def test_an_unknown_name_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(["nosuch"])
    assert ended.value.code == 2
    assert "digits-cnn-notebook" in capsys.readouterr().err


def test_the_notebook_s_numpy_loop_is_our_network() -> None:
    """Equal weights, one step on equal rows: mlhw's gradients, to rounding."""
    from benchmarks.peers.notebook import _numpy_epoch
    from benchmarks.peers.tasks import Rows, Task
    from mlhw.models.numpy_mlp import build

    rng = np.random.default_rng(3)
    rows = Rows(rng.random((8, 784)), rng.integers(0, 10, 8))
    task = Task("numpy-mlp-notebook", (), lambda: (rows, rows), 10, 1, 8, 1.0, units=16, squash_scores=True)
    model = build(
        input_shape=(784,),
        classes=10,
        seed=1,
        hidden_sizes=(16,),
        init="uniform",
        bias="input",
        squash_scores=True,
        dtype="float64",
    )
    weights = [model.parameters[name].copy() for name in ("W1", "W2")]
    inputs = np.concatenate([rows.inputs, np.ones((8, 1))], axis=1)
    _, gradients = model.loss_and_grads(inputs, rows.targets)
    before = [weight.copy() for weight in weights]
    _numpy_epoch(weights, inputs, np.eye(10)[rows.targets], task, rng)
    np.testing.assert_allclose(before[0] - weights[0], gradients["W1"], atol=1e-12)
    np.testing.assert_allclose(before[1] - weights[1], gradients["W2"], atol=1e-12)
