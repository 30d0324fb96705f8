"""``python -m benchmarks [NAME …]``: run benchmarks, print one table."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks import loops, programs, sweeps
from benchmarks.convolution import convolution
from benchmarks.harness import Result
from benchmarks.pretrained import pretrained
from benchmarks.report import as_json, cells, machine, machine_line, table
from benchmarks.workplace import Workplace, workplace
from mlhw.commands.threads import use_threads

BENCHMARKS = {
    "mnist-mlp-notebook": loops.mnist_mlp,
    "numpy-mlp-notebook": loops.numpy_mlp,
    "digits-cnn-notebook": loops.digits_cnn,
    "convolution": convolution,
    "pretrained": pretrained,
    "sweep-lr": sweeps.sweep_lr,
    "workers": sweeps.workers,
    "thousand": sweeps.thousand,
    "data": programs.data,
    "start": programs.start,
    "runs": programs.many_runs,
    "memory": programs.memory,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 where a benchmark crashed. A missed limit is shown, and is no failure: wall time proves nothing alone."""
    options = _parse(arguments)
    with workplace(options.repeats, options.threads) as place:
        use_threads(place.settings.threads, "module")
        facts = machine()
        results = [result for name in options.names or BENCHMARKS for result in _measure(name, place)]
    print(machine_line(facts))
    print(table(results))
    if options.json:
        options.json.write_text(as_json(facts, results), encoding="utf-8")
    return int(any(result.note.startswith("crashed") for result in results))


def _measure(name: str, place: Workplace) -> list[Result]:
    """The results of one benchmark; where it crashes, those it came to, and one that says so."""
    print(f"measuring {name} …", file=sys.stderr)
    results: list[Result] = []
    try:
        for result in BENCHMARKS[name](place):
            results.append(result)
            print("  ".join(cells(result)), file=sys.stderr)  # at once: the table comes minutes later
    except Exception as error:
        traceback.print_exc()
        results.append(Result(name, note=f"crashed: {type(error).__name__}"))
    return results


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What mlhw costs beside bare arithmetic.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)} (all)")
    parser.add_argument("--repeats", type=_count, default=5, metavar="N", help="measurements of each (5)")
    parser.add_argument(
        "--threads", type=_count, metavar="N", help="threads of the arithmetic (as the libraries choose)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every measurement to FILE")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return options


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"should be a whole number from 1, got '{text}'")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
