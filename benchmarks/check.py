"""``python -m benchmarks.check NAME REPEATS``: one benchmark beside its own reference, a line of JSON for each result."""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import asdict

from benchmarks.workplace import workplace

CHECKS = {
    "convolution": "benchmarks.convolution:convolution",
    "data": "benchmarks.programs:data",
    "runs": "benchmarks.programs:many_runs",
    "sweep-lr": "benchmarks.sweeps:sweep_lr",
    "workers": "benchmarks.sweeps:workers",
    "thousand": "benchmarks.sweeps:thousand",
    "folder": "benchmarks.large:folder",
    "soak": "benchmarks.large:soak",
}


def main(name: str, repeats: int) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module, _, function = CHECKS[name].partition(":")
    with workplace(repeats) as place:
        for result in getattr(importlib.import_module(module), function)(place):
            print(json.dumps(asdict(result)), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
