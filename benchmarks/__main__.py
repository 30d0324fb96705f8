"""``python -m benchmarks [NAME …]``: measure, and write results.json and results.md."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.parts import PARTS, How
from benchmarks.store import Results
from benchmarks.tell import tell
from benchmarks.workplace import data_with_mnist
from mlhw.files import write_text

HERE = Path(__file__).resolve().parent


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 where a part crashed. A missed limit is shown, and is no failure: wall time proves nothing alone."""
    options = _parse(arguments)
    if options.list:
        for name, part in PARTS.items():
            print(f"{name:28} {part.what}{'' if part.unasked else ' (only by name)'}")
        return 0
    folder = options.out.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    names = options.names or [name for name, part in PARTS.items() if part.unasked]
    with data_with_mnist() as (environ, note):
        results = Results(folder / "results.json", {"repeats": options.repeats, "quick": options.quick, "note": note})
        crashed = _measure(names, results, How(options.repeats, options.quick, dict(os.environ) | environ), options)
    write_text(folder / "results.md", tell(results.value, folder, options.clock))
    print(f"{folder / 'results.md'}")
    return int(crashed)


def _measure(names: Sequence[str], results: Results, how: How, options: argparse.Namespace) -> bool:
    """Measure what the file does not have yet; whether a part crashed, which the others survive."""
    crashed = False
    for number, name in enumerate(names, start=1):
        if name in results.parts and not options.again:
            print(f"[{number}/{len(names)}] {name}: measured {results.parts[name]['when']}", file=sys.stderr)
            continue
        print(f"[{number}/{len(names)}] {name} …", file=sys.stderr, flush=True)
        began = perf_counter()
        try:
            measured = PARTS[name].measure(how)
        except Exception:
            traceback.print_exc()
            crashed = True
        else:
            results.add(name, measured, perf_counter() - began)
    return crashed


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="mlhw beside other tools and bare arithmetic."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which parts (all that --list does not except)")
    parser.add_argument("--list", action="store_true", help="print the parts and what each measures")
    parser.add_argument("--repeats", type=_count, default=5, metavar="N", help="measurements of each (5)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the suite out: no numbers to quote")
    parser.add_argument("--again", action="store_true", help="measure also what the results' file has")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="which seconds the tables show (wall)")
    parser.add_argument("--out", type=Path, default=HERE, metavar="FOLDER", help="where the results go (benchmarks/)")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in PARTS]:
        parser.error(f"no part named {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return options


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"should be a whole number from 1, got '{text}'")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
