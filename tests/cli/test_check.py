"""check gradients and check jacobians, through the program itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import mlhw

FAULTY = '''
import numpy as np

print("loading")


def sign_forward(x, W, b):
    return np.tanh(x @ W + b)


def sign_backward(d_out, x, W, b):
    delta = d_out * (1 - sign_forward(x, W, b) ** 2)
    return delta @ W.T, -x.T @ delta, delta.sum(axis=0)


def bias_forward(x, W, b):
    return x @ W + b


def bias_backward(d_out, x, W, b):
    return d_out @ W.T, x.T @ d_out, np.zeros_like(b)


def turned_forward(x, W):
    return x @ W


def turned_backward(d_out, x, W):
    return d_out @ W.T, d_out.T @ x


def mean_forward(p, Y):
    return ((p - Y) ** 2).sum(axis=1).mean() / 2


def mean_backward(p, Y):
    return p - Y, None


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def d_softmax(s):
    """As one of the notebooks has it."""
    return np.stack([np.sum(np.diag(row) - np.outer(row, row), axis=1) for row in s])


def right_forward(x):
    return x**2


def right_backward(d_out, x):
    return 2 * x * d_out
'''
NAMED = (
    "sign: dW has the wrong sign everywhere",
    "bias: db is 0 everywhere: the bias was forgotten",
    "turned: dW has shape (3, 4), should be (4, 3): it is the transpose",
    "mean: dp is m = 5 times too large everywhere: a 1/m is missing",
    "d_softmax returns the row sums of the Jacobian, which are 0 by construction; the derivative is the full Jacobian",
)
RIGHT = "def forward(x, W):\n    return x @ W\ndef backward(d_out, x, W):\n    return d_out @ W.T, x.T @ d_out\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_layer.py"
    path.write_text(FAULTY, encoding="utf-8")
    return path


def test_planted_faults_in_a_file_are_all_caught_and_named(file: Path) -> None:
    done = mlhw("check", "jacobians", "--file", str(file), COLUMNS="80")
    assert done.code == 1
    for words in NAMED:
        assert f"wrong  {words}" in done.out
    assert not any(line.startswith("wrong  right") for line in done.out.splitlines())
    assert "Traceback" not in done.err
    assert "loading" in done.err  # what the file prints is no result
    last = done.err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    for function in ("sign W (", "bias b (", "turned W (", "mean p (", "softmax z ("):
        assert function in last


def test_they_are_named_by_gradients_too_and_json_is_alone_on_stdout(file: Path) -> None:
    done = mlhw("check", "gradients", "--file", str(file), "--json")
    assert done.code == 1
    record = done.json
    assert record["file"] == str(file)
    assert record["passed"] is False
    keys = {"test", "of", "name", "passed", "error", "entry", "got", "expected", "diagnosis", "slope"}
    assert all(keys <= found.keys() for found in record["checks"])
    said = [found["diagnosis"] for found in record["checks"] if not found["passed"]]
    for words in NAMED:
        assert any(words.partition(": ")[2] in found or words in found for found in said)
    (sign,) = [c for c in record["checks"] if (c["of"], c["name"], c["test"]) == ("sign", "W", "differences")]
    assert sign["got"] == pytest.approx(-sign["expected"], rel=1e-6)
    assert all(Path(name).is_file() for name in record["files"])


def test_a_right_file_passes_and_its_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "fine.py"
    path.write_text(RIGHT, encoding="utf-8")
    done = mlhw("check", "jacobians", "--file", str(path), "--out", str(tmp_path / "out"))
    assert (done.code, done.err) == (0, "")
    assert str(tmp_path / "out" / "taylor.png") in done.out
    assert "exact" in done.out
    assert sorted(found.name for found in tmp_path.iterdir()) == ["fine.py", "out"]


def test_an_experiment_s_table_fits_80_columns_and_its_figure_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndata: {kind: digits, normalize: standard}\n"
        "model: {kind: numpy-resnet, activation: leaky-relu, dropout: 0.1, layers: [{kind: residual, units: 12}]}\n"
        "train: {epochs: 1, batch_size: 10, lr: 0.1}\n",
        encoding="utf-8",
    )
    done = mlhw("check", "jacobians", str(tmp_path / "mine.yaml"), "--rows", "4", "-q", COLUMNS="80")
    assert (done.code, done.err) == (0, "")
    table = [line for line in done.out.splitlines() if not line.endswith((".png", ".svg", ".json"))]
    assert max(map(len, table)) <= 80
    assert "the first 4 training rows of digits" in done.out
    assert "wrong" not in done.out
    assert len(list((tmp_path / "outputs" / "checks").glob("mine-*/taylor.png"))) == 1


def test_every_layer_that_mlhw_has_passes() -> None:
    done = mlhw("check", "jacobians", "--layers", "--json")
    assert done.code == 0
    assert done.json["passed"]
    assert {"convolution", "max pool", "dense elu", "residual relu", "softmax"} <= {
        c["of"] for c in done.json["checks"]
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gradients"], "name an experiment"),
        (["gradients", "numpy-mlp", "--file", "x.py"], "two different things"),
        (["jacobians", "--file", "x.py", "-s", "a=1"], "-s is for experiments"),
        (["gradients", "numpy-mlp", "--forward", "f"], "--forward names a function of your own file"),
        (["jacobians", "--layers", "numpy-mlp"], "--layers checks mlhw's own"),
        (["gradients", "--file", "nowhere.py"], "nowhere.py: is not there"),
    ],
)
def test_misuse_is_refused(arguments: list[str], words: str) -> None:
    done = mlhw("check", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_syntax_error_is_2_and_an_endless_loop_is_1(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def forward(x:\n", encoding="utf-8")
    done = mlhw("check", "gradients", "--file", str(path))
    assert (done.code, done.out) == (2, "")
    assert "mine.py, line 1: SyntaxError" in done.err
    path.write_text(RIGHT.replace("    return x @ W\n", "    while True: pass\n"), encoding="utf-8")
    done = mlhw("check", "gradients", "--file", str(path), "--time-limit", "1.5", "--json")
    assert (done.code, done.out) == (1, "")
    assert "mine.py: not finished in forward after 1.5 s. An endless loop?" in done.err


def test_help_shows_the_contract() -> None:
    done = mlhw("check", "gradients", "--help", COLUMNS="80")
    for words in ("backward(d_out, x, W, b)", "d_NAME(out)", "example(rng)", "docs/check.md", "--time-limit"):
        assert words in done.out
    assert done.err == ""
