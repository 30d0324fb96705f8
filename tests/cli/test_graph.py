"""`mlhw graph`: what it prints and writes, and what it says to bad input."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mlhw.cli.app import app
from mlhw.cli.graph import separated
from tests.cli.program import mlhw

EXAMPLE = ("exp(-(w1*x1 + w2*x2))", "w1=0.1", "x1=0.3", "w2=-0.2", "x2=0.4", "--target", "1")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    found = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, found)


def run(*arguments: str, code: int = 0) -> str:
    """Stdout of ``mlhw graph``, run in this process; stderr where it is to fail."""
    done = CliRunner().invoke(app, ["graph", *arguments])
    assert done.exit_code == code, (done.stdout, done.stderr)
    return done.stderr if code else done.stdout


def record(*arguments: str) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json"))


def refused(*arguments: str, code: int = 2) -> str:
    """The message of a bad call: nothing on stdout, no traceback, no folder left behind."""
    done = CliRunner().invoke(app, ["graph", *arguments])
    assert done.exit_code == code, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert "bug in mlhw" not in done.stderr
    assert not Path(os.environ["MLHW_OUTPUTS"]).exists()
    return done.stderr


# --- what it prints -----------------------------------------------------------------------------------------------------


def test_the_example_as_a_user_runs_it(tmp_path: Path) -> None:
    done = mlhw("graph", *EXAMPLE, "--grad", "w1,w2", "--out", str(tmp_path / "here"))
    assert done.code == 0
    assert done.err == ""
    rows = {line.split()[0]: line.split() for line in done.out.splitlines() if line}
    assert rows["w1"] == ["w1", "0.100", "-0.315381"]
    assert rows["z1"] == ["z1", "w1·x1", "0.030", "-1.05127"]
    assert rows["z2"] == ["z2", "w2·x2", "-0.080", "-1.05127"]
    assert rows["z3"] == ["z3", "z1", "+", "z2", "-0.050", "-1.05127"]
    for line in ("f = 1.05127", "e = 0.0512711", "de/dw1 = -0.315381", "de/dw2 = -0.420508"):
        assert line in done.out.splitlines()
    assert "de/dx1" not in done.out
    assert "autograd agrees: the largest difference is" in done.out
    files = [tmp_path / "here" / f"graph.{kind}" for kind in ("png", "svg", "dot")]
    assert done.out.splitlines()[-3:] == [str(path) for path in files]
    assert all(path.stat().st_size > 100 for path in files)


def test_the_example_as_json() -> None:
    found = record(*EXAMPLE)
    assert found["expression"] == EXAMPLE[0]
    assert found["target"] == 1.0
    assert found["result"] == pytest.approx(math.exp(0.05), rel=1e-15)
    assert found["error"] == pytest.approx(math.exp(0.05) - 1, rel=1e-12)
    assert {name: round(value, 4) for name, value in found["gradients"].items()} == {
        "w1": -0.3154,
        "x1": -0.1051,
        "w2": -0.4205,
        "x2": 0.2103,
    }
    assert found["autograd_difference"] < 1e-15
    by_name = {node["name"]: node for node in found["nodes"]}
    assert list(by_name) == ["w1", "x1", "w2", "x2", "z1", "z2", "z3", "z4", "f", "e"]
    assert by_name["f"]["gradient"] == 1.0
    assert by_name["z1"]["operation"] == "multiply"
    assert by_name["z1"]["operands"] == ["w1", "x1"]
    assert by_name["e"]["formula"] == "f − 1"


def test_the_folder_follows_from_expression_values_and_target() -> None:
    first, again, other = (record("w1*x1", f"w1={value}", "x1=2") for value in (1, 1, 2))
    assert first["files"] == again["files"]
    assert first["files"] != other["files"]
    folder = Path(first["files"][0]).parent
    assert folder.parent.name == "graphs"
    assert folder.name.startswith("w1-x1-")
    assert len(folder.name) == len("w1-x1-") + 6
    assert [Path(path).name for path in first["files"]] == ["graph.png", "graph.svg", "graph.dot"]


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        (["-x^2", "x=3"], -9),
        (["-sin(x)*h", "x=1", "h=-1"], math.sin(1)),
        (["-x", "x=1", "--json"], -1),
        (["--", "--x", "x=1"], 1),
        (["-(a+b)", "a=-1", "b=-2"], 3),
        (["x", "x=-1e-3", "--target", "-1"], -1e-3),
        (["--target=-2", "-h*s", "h=2", "s=3"], -6),
    ],
)
def test_minus_signs_are_no_options(arguments: list[str], result: float) -> None:
    json_first = ["--json", *(word for word in arguments if word != "--json")]
    assert json.loads(run(*json_first))["result"] == pytest.approx(result)


def test_options_are_told_from_words() -> None:
    found = separated(
        ["-a", "--flag", "--out", "-here", "w=-1", "--misspelt=1", "-s", "k=v"], {"--flag"}, {"--out", "-s"}
    )
    assert found == ["--flag", "--out", "-here", "--misspelt=1", "-s", "k=v", "--", "-a", "w=-1"]
    assert separated(["--flag"], {"--flag"}, set()) == ["--flag"]
    assert separated(["--", "--flag"], {"--flag"}, set()) == ["--", "--flag"]


def test_grad_may_ask_for_any_node() -> None:
    assert record("w*x", "w=2", "x=3", "--target", "1", "--grad", "f, e")["gradients"] == {"f": 1.0, "e": 1.0}


def test_a_graph_too_large_for_a_picture_is_still_computed() -> None:
    done = CliRunner().invoke(app, ["graph", "+".join(["x"] * 3000), "x=1", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["result"] == 3000
    assert [Path(path).name for path in found["files"]] == ["graph.dot"]
    assert not found["drawn"]


def test_a_disagreement_with_autograd_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlhw.graphs.operations import FUNCTIONS

    wrong = FUNCTIONS["sin"]._replace(derivative=lambda out, a: (math.cos(a) + 1e-6,))
    monkeypatch.setitem(FUNCTIONS, "sin", wrong)
    done = CliRunner().invoke(app, ["graph", "sin(x)", "x=1"])
    assert done.exit_code == 1
    assert "autograd does not agree: the gradient of x" in done.stderr
    assert "autograd agrees" not in done.stdout


# --- bad input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["no expression", "mlhw graph '"]),
        ([""], ["empty"]),
        (["w1=0.1", "x1=0.3"], ["unexpected '='", "after the expression"]),
        (["x+*y"], ["got '*'", "\n  x+*y\n    ^"]),
        (["tahn(x)", "x=1"], ["Did you mean tanh?"]),
        (["x*y+z", "x=1"], ["no value for y, z", "\n  x*y+z\n    ^ ^"]),
        (["x", "x=1", "y=2"], ["'y'", "Known: x"]),
        (["x", "x=one"], ["'one'", "1e-3"]),
        (["x", "x=1", "x=2"], ["two values"]),
        (["x", "1"], ["'1' is no value"]),
        (["__import__('os').system('touch ran')"], ["unexpected '''"]),
        (["__import__(os)"], ["no function '__import__'"]),
        (["x.__class__", "x=1"], ["unexpected '.'"]),
        (["1/x", "x=0"], ["division by zero", "x = 0"]),
        (["log(x)", "x=0"], ["greater than 0", "x = 0"]),
        (["sqrt(x)", "x=-1"], ["at least 0", "x = -1"]),
        (["exp(x)", "x=1000"], ["too large", "x = 1000"]),
        (["(" * 4000 + "x" + ")" * 4000, "x=1"], ["nested more than 200 deep"]),
        (["-" * 9999 + "x", "x=1"], ["nested more than 200 deep"]),
        (["exp(" * 1500 + "x" + ")" * 1500, "x=1"], ["nested more than 200 deep"]),
        (["x" * 10_001], ["10,001 characters"]),
        (["x", "x=1", "--grad", "y"], ["--grad", "no node 'y'"]),
        (["x", "x=1", "--target", "high"], ["--target", "'high'"]),
        (["x", "x=1", "-s", "train.lr=1"], ["--set", "an expression"]),
        (["x", "--experiment", "digits-cnn"], ["an expression", "--experiment"]),
        (["--experiment", "digits-cnn", "--target", "1"], ["--target", "--experiment"]),
        (["--experiment", "digts-cnn"], ["digits-cnn"]),
        (["--experiment", "digits-cnn", "-s", "model.channel=[1,2]"], ["model.channel"]),
    ],
)
def test_bad_input(arguments: list[str], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    message = refused(*arguments)
    for word in words:
        assert word in message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("arguments", [["--jsn", "x", "x=1"], ["x", "x=1", "--target"]])
def test_a_misspelt_option_is_a_usage_error(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, ["graph", *arguments])
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


def test_deep_nesting_in_a_process_of_its_own() -> None:
    done = mlhw("graph", "(" * 4999 + "x" + ")" * 4999, "x=1")
    assert done.code == 2
    assert "nested more than 200 deep" in done.err
    assert "Traceback" not in done.err


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "file" in refused("x", "x=1", "--out", str(tmp_path / "file" / "folder"), code=1)


# --- experiments --------------------------------------------------------------------------------------------------------


def operations(found: dict[str, Any]) -> list[str]:
    return [node["operation"] for node in found["nodes"] if node["kind"] == "operation"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mnist-mlp-notebook", ["a @ W", "+", "sigmoid", "a @ W", "+", "log-softmax", "nll"]),
        ("numpy-mlp-notebook", ["a @ W", "sigmoid", "a @ W", "sigmoid", "log-softmax", "nll"]),
        (
            "digits-cnn-notebook",
            ["conv2d", "relu", "conv2d", "relu", "max pool", "reshape", "a @ Wᵀ + b", "log-softmax", "nll"],
        ),
    ],
)
def test_the_loss_of_an_experiment_needs_no_data(name: str, expected: list[str]) -> None:
    found = record("--experiment", name)
    assert [name for name in operations(found) if name != "mean"] == expected  # nll takes the mean itself, or not
    assert (found["nodes"][0]["name"], found["nodes"][0]["shape"][0]) == ("x", "N")
    assert any("y" in node["operands"] for node in found["nodes"] if node["operation"] == "nll")
    assert all(Path(path).is_file() for path in found["files"])


def test_a_network_with_residuals_gates_and_label_smoothing_is_drawn() -> None:
    out = run(
        "--experiment", "grocery-cnn", "-s", "model.stages=[[8,2,1,1],[12,2,3,2]]", "-s", "data.image_size_pixels=32"
    )
    assert "hard sigmoid" in out
    assert "batch norm" in out
    assert "one number" in out
    assert "loss" in out
    assert out.strip().endswith("graph.dot")


def test_a_pixel_budget_that_the_model_cannot_take() -> None:
    message = run("--experiment", "grocery-cnn-notebook", "-s", "data.image_size_pixels=32", code=2)
    assert "64" in message
