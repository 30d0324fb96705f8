"""What memory a training needs at the least, and what it takes: the law is 1.5 times the need, above the libraries' own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.peers.rounds import ROOT, Command

# One epoch (of photos at their full size), and the same on the fewest rows; less what those need, that is the libraries' own.
TRAININGS = {
    "mnist-mlp-notebook": (("train.epochs=1",), "data.train_rows=32"),
    "numpy-mlp-notebook": (("train.epochs=1",), "data.train_rows=8"),
    "digits-cnn-notebook": (("train.epochs=2",), "data.train_rows=100"),
    "grocery-cnn": (("train.epochs=1", "train.augment.start_size_pixels=null"), "data.train_rows=32"),
}
MIB = 2**20


@dataclass(frozen=True)
class Footprint:
    """MiB: the command's peak, the libraries' own, and what the training needs by its parts."""

    peak: float
    own: float
    parts: dict[str, float]

    @property
    def needed(self) -> float:
        return sum(self.parts.values())

    @property
    def ratio(self) -> float:
        """What was taken above the libraries' own, by what is needed."""
        return (self.peak - self.own) / self.needed


def measure(name: str, environ: Mapping[str, str]) -> Footprint:
    """The footprint of `mlhw train NAME` for one epoch, figures and files included."""
    overrides, few = TRAININGS[name]
    settings = [word for each in overrides for word in ("-s", each)]
    train = [sys.executable, "-m", "mlhw", "train", name, "--quiet", *settings]
    # The small one first: where data has to be prepared, it is prepared there.
    Command([*train, "-s", few], environ).run()
    least, peak = (Command(words, environ).run()["peak_mb"] for words in ([*train, "-s", few], train))
    small, whole = _needs(name, environ, few), _needs(name, environ)
    return Footprint(peak, least - sum(small.values()), whole)


def _needs(name: str, environ: Mapping[str, str], *overrides: str) -> dict[str, float]:
    words = [sys.executable, "-m", "benchmarks.peers.footprint", name, *overrides]
    done = subprocess.run(words, cwd=ROOT, env=dict(environ), check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def needs(name: str, *overrides: str) -> dict[str, float]:
    """MiB of the rows in the dtype that the model computes in (photos: as stored), the model, its update rule's memory, and
    one batch of activations, which are counted by the outputs of every layer, and once more for their gradients."""
    from mlhw.commands import assemble
    from mlhw.commands.display import Silent
    from mlhw.commands.settings import from_environment
    from mlhw.config import load as config

    experiment = config.load(name, (*TRAININGS[name][0], *overrides))
    job = assemble.job(experiment, from_environment(), Silent().progress)
    data = sum(len(split) * _bytes(split.model_inputs(0, 1)) for split in job.placed.named().values())
    model = sum(value.nbytes for value in job.learner.parameters().values())
    kind, train = experiment.train.optimizer.kind, experiment.train
    held = (1 if kind == "sgd" else 3) + bool(train.average_decay)  # the gradients; Adam's two moments; the average
    crop = train.augment.size_pixels if train.augment else None
    activations = 2 * _activations(job.learner, job.placed.train, experiment.train.batch_size, crop)
    named = {"data": data, "model": model, "gradients, optimiser, average": held * model, "activations": activations}
    return {part: size / MIB for part, size in named.items()}


def _bytes(values: object) -> int:
    return int(values.nbytes)  # type: ignore[attr-defined]  # of a tensor or an array


def _activations(learner: object, split: object, rows: int, crop: int | None) -> int:
    """Bytes of the outputs of every layer for a batch of ``rows``, images cut to a height of ``crop`` where that is given."""
    network = getattr(learner, "network", None)
    inputs = split.model_inputs(0, rows)  # type: ignore[attr-defined]  # an mlhw.arrays.Split
    if network is None:
        return sum(_bytes(output) for output in learner.model.activations(inputs))  # type: ignore[attr-defined]  # by hand
    import torch

    inputs = inputs[:, :crop, :crop]
    sizes: list[int] = []
    leaves = [module for module in network.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(lambda module, given, out: sizes.append(out.nbytes)) for module in leaves]
    with torch.no_grad():
        network(learner._prepare(inputs))  # type: ignore[attr-defined]  # a module's
    for hook in hooks:
        hook.remove()
    return sum(sizes) + 4 * int(inputs.nelement())


if __name__ == "__main__":
    print(json.dumps(needs(*sys.argv[1:])))
