"""``python -m benchmarks.second_start FILE``: prints, as JSON, the seconds from an experiment to its placed splits.

A program of its own, since a second start is one of a new process. Imports come before the clock starts.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from time import perf_counter

from mlhw.commands import assemble
from mlhw.commands.display import Silent
from mlhw.commands.settings import from_environment
from mlhw.config.load import load_file
from mlhw.config.schema import Experiment
from mlhw.errors import DataMissing


def main(path: Path) -> None:
    experiment, settings = load_file(path), from_environment()
    import_all(experiment)
    began = perf_counter()
    try:
        assemble.job(experiment, settings, Silent().progress)
    except DataMissing:
        print(json.dumps({"missing": experiment.data.kind}))
    else:
        print(json.dumps({"data": experiment.data.kind, "seconds": perf_counter() - began}))


def import_all(experiment: Experiment) -> None:
    """Import what assembling ``experiment`` will: its dataset, model, learner and, for modules, torch's optimisers."""
    entry = assemble.MODELS[experiment.model.kind]
    assemble.resolve(assemble.DATASETS[experiment.data.kind])
    assemble.resolve(entry.build)
    importlib.import_module("mlhw.datasets.splitting")
    importlib.import_module("mlhw.learners.autograd" if entry.way == "module" else "mlhw.learners.explicit")
    if entry.way == "module":
        importlib.import_module("torch._dynamo")  # the first torch.optim.Optimizer imports it: about a second


if __name__ == "__main__":
    main(Path(sys.argv[1]))
