"""The figures and numbers of the tutorials, made by mlhw's own commands on data that is there without a download.

Where ``MLHW_DATA`` has MNIST it is used, and digits stand in for it elsewhere. What was made is kept in ``docs/_made`` and made
anew where a command, the version or the data is another; ``python -m manual.making`` (in ``docs/``) makes all of it anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

DIGITS = ("-s", "data={kind: digits, normalize: standard, val_fraction: 0.1}")


@dataclass(frozen=True)
class Recipe:
    """A command of mlhw whose ``--json`` becomes the numbers ``name``, and which of its figures are shown.

    ``instead`` is added where there is no MNIST; ``figures`` are looked for in the run's or sweep's folder or among its files.
    """

    name: str
    command: tuple[str, ...]
    figures: tuple[str, ...] = ()
    mnist: bool = False
    instead: tuple[str, ...] = DIGITS

    def words(self, *, has_mnist: bool) -> tuple[str, ...]:
        """The command as it is typed here."""
        return self.command if has_mnist or not self.mnist else (*self.command, *self.instead)


RECIPES = (
    Recipe("softmax", ("train", "peaks-softmax"), ("plots/curves.svg", "plots/regions.png")),
    Recipe("net", ("train", "peaks-net"), ("plots/curves.svg", "plots/regions.png")),
    Recipe("mlp", ("train", "numpy-mlp"), ("plots/curves.svg", "plots/confusion.png"), mnist=True),
    Recipe("cnn", ("train", "digits-cnn"), ("plots/curves.svg", "plots/confusion.png", "plots/mistakes.png")),
    Recipe("rates", ("sweep-lr", "mnist-mlp", "--lrs", "0.01,0.1,1"), ("curves.svg", "final.svg"), mnist=True),
    Recipe("gradients", ("check", "gradients", "gmm-net"), ("taylor.svg",)),
    Recipe("jacobians", ("check", "jacobians", "peaks-net"), ("taylor.svg",)),
    Recipe(
        "graph", ("graph", "exp(-(w1*x1 + w2*x2))", "w1=0.1", "x1=0.3", "w2=-0.2", "x2=0.4", "--target", "1"), (".svg",)
    ),
    Recipe("unit", ("graph", "1/(1+exp(-(w0*x0+w1*x1+w2)))", "w0=2", "x0=-1", "w1=-3", "x1=-2", "w2=-3"), (".svg",)),
    Recipe("digits_layers", ("summary", "digits-cnn")),
    Recipe("fashion_layers", ("summary", "fashion-cnn")),
    Recipe("grocery_layers", ("summary", "grocery-cnn")),
    Recipe("course_layers", ("summary", "grocery-cnn-notebook")),
    Recipe("mlp_layers", ("summary", "mnist-mlp")),
)


def numbers(folder: Path) -> dict[str, Any]:
    """Every number of the tutorials: by the name of its recipe, and ``mnist``: whether they are MNIST's.

    Raises:
        RuntimeError: a command failed; has what it said.
    """
    data = Path(os.environ.get("MLHW_DATA") or "data").resolve()
    has_mnist = (data / "MNIST").is_dir()
    found: dict[str, Any] = {"mnist": has_mnist, "runs": {}, "worked": worked()}
    for recipe in RECIPES:
        words = recipe.words(has_mnist=has_mnist)
        found["runs"][recipe.name] = _made(recipe, words, folder, data)
    return found


def _made(recipe: Recipe, words: Sequence[str], folder: Path, data: Path) -> Any:
    """The numbers of one recipe, from ``folder`` where they are there already."""
    key = hashlib.sha256(repr((words, recipe.figures, version("mlhw"), str(data))).encode()).hexdigest()[:12]
    kept = folder / "numbers" / f"{recipe.name}.json"
    if kept.is_file():
        record = json.loads(kept.read_text(encoding="utf-8"))
        if record["key"] == key:
            return record["found"]
    print(f"making {recipe.name}: mlhw {' '.join(words)}", file=sys.stderr)  # noqa: T201  (minutes of work)
    found = run(words, {"MLHW_DATA": str(data), "MLHW_OUTPUTS": str(folder / "outputs")}, folder)
    for figure in recipe.figures:
        path = _figure(found, figure)
        target = folder / "figures" / f"{recipe.name}-{path.name if figure[0] != '.' else 'graph' + figure}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"key": key, "found": found}), encoding="utf-8")
    return found


def _figure(found: Mapping[str, Any], named: str) -> Path:
    """The one file of a command that ends with ``named``: among its files, or in its folder."""
    listed = [Path(path) for path in found.get("files") or [] if str(path).endswith(named)]
    return listed[0] if listed else Path(found["path"]) / named


def run(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> Any:
    """What ``mlhw words --json`` prints.

    Raises:
        RuntimeError: it failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "mlhw", *words, "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"mlhw {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def worked() -> dict[str, Any]:
    """The example of the first tutorial, by mlhw's own functions: three scores, the second class, softmax, loss, gradient."""
    import numpy as np

    from mlhw.numerics.losses import cross_entropy, softmax_cross_entropy

    scores, target = np.array([[2.0, 1.0, -1.0]]), np.array([1])
    losses, probabilities = softmax_cross_entropy(scores, target)
    delta = cross_entropy(scores, target)[1]
    moved = scores + 1e-5 * np.eye(3)
    back = scores - 1e-5 * np.eye(3)
    targets = target.repeat(3)
    slopes = (cross_entropy(moved, targets)[0] - cross_entropy(back, targets)[0]) / 2e-5
    return {
        "probabilities": probabilities[0].tolist(),
        "loss": float(losses[0]),
        "gradient": delta[0].tolist(),
        "slopes": slopes.tolist(),
    }


if __name__ == "__main__":
    made = Path(__file__).resolve().parents[1] / "_made"
    shutil.rmtree(made, ignore_errors=True)
    numbers(made)
