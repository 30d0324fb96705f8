"""A learner's own functions: right ones pass in every form of the contract, planted faults are named, misuse explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlhw.checks.calls import Fault
from mlhw.checks.maps import Check
from mlhw.checks.own import check_file

HEAD = "import numpy as np\n"
DENSE = HEAD + (
    "def forward(x, W, b):\n    return np.tanh(x @ W + b)\n"
    "def backward(d_out, x, W, b):\n"
    "    delta = d_out * (1 - forward(x, W, b) ** 2)\n"
    "    return delta @ W.T, x.T @ delta, delta.sum(axis=0)\n"
)
RETURN = "return delta @ W.T, x.T @ delta, delta.sum(axis=0)"
DB = "delta.sum(axis=0)"
SOFTMAX = HEAD + (
    "def softmax(z):\n    e = np.exp(z - z.max(axis=-1, keepdims=True))\n    return e / e.sum(axis=-1, keepdims=True)\n"
)


def check(tmp_path: Path, text: str, *, jacobians: bool = False, seed: int = 0, **names: str) -> list[Check]:
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    return check_file(path, jacobians=jacobians, seed=seed, **names)


def wrong(checks: list[Check]) -> dict[tuple[str, str], str]:
    return {(found.test, found.name): found.diagnosis for found in checks if not found.passed}


def examples() -> dict[str, str]:
    page = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
    return dict(re.findall(r"```python\n# (\S+)\n(.*?)```", page, re.DOTALL))


@pytest.mark.parametrize("name", ["dense.py", "activations.py", "loss.py"])
@pytest.mark.parametrize("jacobians", [False, True])
def test_the_page_s_examples_pass(name: str, jacobians: bool, tmp_path: Path) -> None:
    checks = check(tmp_path, examples()[name], jacobians=jacobians)
    assert wrong(checks) == {}
    assert {"taylor", "differences", "untouched"} <= {found.test for found in checks}


RIGHT = {
    "by name": DENSE.replace(RETURN, "return {'W': x.T @ delta, 'db': delta.sum(0), 'd_x': delta @ W.T}"),
    "memory": HEAD + "def forward(x, w, b):\n    return x @ w + b, (x, w)\n"
    "def backward(d_out, cache):\n    x, w = cache\n    return d_out @ w.T, x.T @ d_out, d_out.sum(0)\n",
    "scalar without d_out": HEAD + "def forward(p, Y):\n    return ((p - Y) ** 2).mean()\n"
    "def backward(p, Y):\n    return 2 * (p - Y) / p.size, None\n",
    "scalar with d_out": HEAD + "def forward(x):\n    return float((x ** 3).sum())\n"
    "def backward(d_out, x):\n    return 3 * d_out * x ** 2\n",
    "loss and d_loss": HEAD
    + "def mse(p, Y):\n    return ((p - Y) ** 2).mean()\ndef d_mse(p, Y):\n    return 2 * (p - Y) / p.size\n",
    "prefixed": DENSE.replace("forward", "dense_forward").replace("backward", "dense_backward"),
    "relu": HEAD + "def relu(z): return np.maximum(z, 0)\ndef d_relu(a): return a > 0\n",
    "only positive": HEAD
    + "def root(z):\n    assert (z > 0).all()\n    return np.sqrt(z)\ndef d_root(a): return 0.5 / a\n",
    "rows": SOFTMAX.replace("axis=-1", "axis=1")
    + "def d_softmax(s):\n    return np.einsum('ij,jk->ijk', s, np.eye(s.shape[1])) - s[:, :, None] * s[:, None, :]\n",
    "row by row maximum": HEAD + "def forward(x): return x.max(axis=1)\n"
    "def backward(d_out, x):\n    g = np.zeros_like(x)\n    g[np.arange(len(x)), x.argmax(1)] = d_out\n    return g\n",
    "lists": "def forward(x):\n    return x.sum()\ndef backward(x):\n    return [[1.0] * 4] * 5\n",
    "torch": "import torch\ndef sigmoid(z): return 1 / (1 + torch.exp(-z))\ndef d_sigmoid(a): return a * (1 - a)\n"
    "def forward(x, W): return torch.relu(x @ W)\n"
    "def backward(d_out, x, W):\n    d = d_out * (x @ W > 0)\n    return d @ W.T, x.T @ d\n",
}


@pytest.mark.parametrize("form", RIGHT)
def test_every_form_of_the_contract(form: str, tmp_path: Path) -> None:
    seed = list(RIGHT).index(form)
    assert wrong(check(tmp_path, RIGHT[form], jacobians=seed % 2 == 1, seed=seed)) == {}


FAULTS = {
    "a sign": (DENSE.replace("x.T @ delta,", "-x.T @ delta,"), "W", "dW has the wrong sign everywhere"),
    "a forgotten bias": (
        DENSE.replace(DB, "0 * b"),
        "b",
        "db is 0 everywhere: the bias was forgotten",
    ),
    "a transposed weight": (
        DENSE.replace("x.T @ delta,", "(x.T @ delta).T,"),
        "W",
        "dW has shape (3, 4), should be (4, 3): it is the transpose",
    ),
    "a square transposed weight": (
        DENSE.replace("x.T @ delta,", "(x.T @ delta).T,")
        + "def example(rng):\n    return {'x': rng.random((5, 3)), 'W': rng.random((3, 3)), 'b': rng.random(3)}\n",
        "W",
        "dW is the transpose of what it should be",
    ),
    "a missing 1/m": (
        HEAD + "def forward(x, W):\n    return ((x @ W) ** 2).sum(axis=1).mean() / 2\n"
        "def backward(x, W):\n    return x @ W @ W.T / 5, x.T @ (x @ W)\n",
        "W",
        "dW is m = 5 times too large everywhere: a 1/m is missing",
    ),
    "a missing sum": (
        DENSE.replace(DB, "delta"),
        "b",
        "db has shape (5, 3), should be (3,): the sum over the 5 rows is missing",
    ),
    "a missing skip": (
        HEAD + "def forward(x, W, b, V):\n    return x + np.tanh(x @ W + b) @ V\n"
        "def backward(d_out, x, W, b, V):\n    h = np.tanh(x @ W + b)\n    d = (d_out @ V.T) * (1 - h * h)\n"
        "    return d @ W.T, x.T @ d, d.sum(0), h.T @ d_out\n",
        "x",
        "dx lacks d_out",
    ),
    "one entry": (
        DENSE.replace(
            "    return delta @ W.T", "    dW = x.T @ delta\n    dW[2, 1] *= 1.1\n    return delta @ W.T"
        ).replace("x.T @ delta,", "dW,"),
        "W",
        "Only one entry of dW is wrong. dW[2, 1] is",
    ),
    "the notebook's d_softmax": (
        SOFTMAX + "def d_softmax(s):\n    return (np.diag(s) - np.outer(s, s)).sum(axis=1)\n",
        "z",
        "d_softmax returns the row sums of the Jacobian, which are 0 by construction; the derivative is the full Jacobian "
        "diag(s) - s sᵀ",
    ),
    "the diagonal alone": (
        SOFTMAX + "def d_softmax(s):\n    return s * (1 - s)\n",
        "z",
        "d_softmax returns the diagonal of the Jacobian alone; the derivative is the full Jacobian",
    ),
    "a wrong sign in an activation": (
        HEAD + "def tanh(z): return np.tanh(z)\ndef d_tanh(a): return a * a - 1\n",
        "z",
        "d_tanh has the wrong sign everywhere",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_and_named(fault: str, tmp_path: Path) -> None:
    text, name, words = FAULTS[fault]
    seed = list(FAULTS).index(fault)
    found = wrong(check(tmp_path, text, jacobians=seed % 2 == 1, seed=seed))
    assert {of for _, of in found} <= {name, ""}  # nothing but what is wrong
    assert any(said.startswith(words) for said in found.values())
    if ("shape", name) not in found and "softmax" not in fault and "alone" not in fault:
        assert ("differences", name) in found
        assert any(test == "taylor" for test, _ in found)


CONDUCT = {
    "changes x": (
        DENSE.replace("    return delta @ W.T", "    x *= 2\n    return delta @ W.T").replace("x.T @", "x.T / 2 @"),
        "untouched",
        "backward changes its argument x in place",
    ),
    "random": (
        DENSE.replace("x @ W + b)\n", "x @ W + b) + np.random.default_rng().random()\n", 1),
        "repeatable",
        "forward returns something else when called again",
    ),
    "float32": (
        DENSE.replace("np.tanh(x @ W + b)", "np.tanh(x @ W + b).astype('f')"),
        "float64",
        "forward returns float32 for float64 arguments",
    ),
    "float32 gradient": (DENSE.replace(DB, "delta.sum(axis=0).astype('f')"), "float64", "db is float32"),
    "no d_out": (DENSE.replace("d_out *", "1.0 *"), "linear", "backward does not use d_out in dx, dW, db"),
    "d_out squared": (
        DENSE.replace("d_out *", "d_out ** 2 *"),
        "linear",
        "backward is not linear in d_out in dx, dW, db",
    ),
    "not finite": (
        DENSE.replace("np.tanh(", "0 / 0 * np.tanh(").replace("0 / 0", "np.nan"),
        "finite",
        "forward returns nan at [0, 0]",
    ),
    "gradient not finite": (
        DENSE.replace("x.T @ delta,", "x.T @ delta * np.inf,"),
        "differences",
        "dW is not finite everywhere: dW[0, 0] is",
    ),
}


@pytest.mark.parametrize("case", CONDUCT)
def test_misconduct_is_named(case: str, tmp_path: Path) -> None:
    text, test, words = CONDUCT[case]
    assert words in " ".join(said for (kind, _), said in wrong(check(tmp_path, text)).items() if kind == test)


REFUSED = {
    "def forward(x, W, b)\n    return 1": ("file", "mine.py, line 1: SyntaxError: expected ':'"),
    "": ("file", "nothing to check. It needs forward and backward"),
    "class Dense: pass\ndef forwards(x): pass": ("file", "It defines: forwards. Dense is a class"),
    "\x00": ("file", "mine.py"),
    "import no_such_module": ("file", "line 1: ModuleNotFoundError: No module named 'no_such_module'"),
    "raise SystemExit(3)": ("file", "line 1: sys.exit(3) ends Python"),
    DENSE.replace("x, W, b", "x, foo, b"): ("file", "no shape can be guessed for 'foo'. Define example(rng)"),
    DENSE + "def example(rng): return 3": ("file", "example returns int, should be a dict of x, W and b"),
    DENSE + "def example(rng): return {'x': 1}": ("file", "example lacks W and b"),
    DENSE.replace("d_out, x, W, b", "x, W, b"): (
        "file",
        "takes no d_out, but forward returns an array of shape (5, 3)",
    ),
    DENSE.replace("d_out, x, W, b", "d_out"): ("file", "backward(d_out) should take d_out and then what forward takes"),
    "def forward(): return 1\ndef backward(d): return 1": ("file", "takes no arguments"),
    "def forward(y): return y\ndef backward(d, y): return y": ("file", "takes no floating-point array"),
    DENSE.replace("x @ W + b", "x @ W.T + b"): (
        "work",
        "mine.py, line 3, in forward: ValueError: matmul",
    ),
    DENSE.replace("return np", "np"): ("work", "what forward returns is None: is a return missing?"),
    DENSE.replace("return np.tanh(x @ W + b)", "return 'text'"): ("work", "is of type str, should be an array"),
    DENSE.replace(", delta.sum(axis=0)", ""): (
        "work",
        "backward returns 2 gradients, should be 3: one for each of x, W and b",
    ),
    DENSE.replace("return delta @", "return {'q': 1}, delta @").replace(", x.T @ delta, delta.sum(axis=0)", ""): (
        "work",
        "returns 2 gradients",
    ),
    DENSE.replace(RETURN, "return {'q': 1}"): ("work", "returns q, which no argument"),
    DENSE.replace(RETURN, "return None"): ("work", "backward returns None"),
    DENSE.replace(RETURN, "return None, None, None"): ("work", "None for every argument"),
    DENSE.replace("return delta @", "input()\n    return delta @"): ("work", "in backward: "),
    DENSE.replace("return delta @", "raise SystemExit\n    return delta @"): ("work", "sys.exit() ends Python"),
}


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_checked_is_explained_with_the_learner_s_own_line(text: str, tmp_path: Path) -> None:
    kind, words = REFUSED[text]
    with pytest.raises(Fault) as caught:
        check(tmp_path, text)
    assert caught.value.kind == kind
    assert words in str(caught.value)


def test_two_functions_can_be_picked_by_any_name(tmp_path: Path) -> None:
    text = DENSE.replace("forward", "ahead").replace("backward", "home")
    assert wrong(check(tmp_path, text, forward="ahead", backward="home")) == {}
    with pytest.raises(Fault, match=r"defines no function back\. It defines: ahead and home"):
        check(tmp_path, text, forward="ahead", backward="back")


def test_a_derivative_in_terms_of_the_input_passes_and_that_is_said(tmp_path: Path) -> None:
    checks = check(tmp_path, HEAD + "def tanh(z): return np.tanh(z)\ndef d_tanh(z): return 1 - np.tanh(z) ** 2\n")
    assert wrong(checks) == {}
    assert any("right in terms of its input z" in found.diagnosis for found in checks)


def test_an_example_on_a_kink_is_moved_off_it(tmp_path: Path) -> None:
    text = HEAD + (
        "def forward(x): return np.maximum(x, 0)\ndef backward(d_out, x): return d_out * (x > 0)\n"
        "def example(rng): return {'x': np.array([[0.0, 1.0], [-1.0, 0.0]])}\n"
    )
    for jacobians in (False, True):
        checks = check(tmp_path, text, jacobians=jacobians)
        assert wrong(checks) == {}
        assert any("sits on a kink" in found.diagnosis for found in checks)


def test_an_argument_without_gradient_is_said_to_be_left_out(tmp_path: Path) -> None:
    checks = check(tmp_path, DENSE.replace("return delta @ W.T,", "return None,"))
    assert wrong(checks) == {}
    assert "not checked, since backward returns None: dx" in [found.diagnosis for found in checks]
    assert not any(found.name == "x" for found in checks)


def test_a_neighbouring_file_can_be_imported_and_prints_are_heard_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "helping.py").write_text(DENSE.replace("return np", "print('called')\n    return np"), encoding="utf-8")
    assert wrong(check(tmp_path, "from helping import forward, backward\n")) == {}
    # forward is called a few hundred times, by us and by backward: its own words are heard on each first call alone
    assert capsys.readouterr().out.count("called") == 2


def test_guessed_arguments_that_do_not_fit_say_how_to_choose_others(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"called with x \(5, 4\), W \(4, 3\), b \(3,\)\n.*define example\(rng\)"):
        check(tmp_path, DENSE.replace("x @ W + b", "W @ x + b"))
