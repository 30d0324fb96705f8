"""What is said to a word that could mean several runs: which, the newest first, and what would name one of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

SHOWN: Final = 5  # of the runs
SHOWN_SWEEPS: Final = 2
_REST: Final = r"-?[0-9]{8}-[0-9]{6}-[0-9a-f]{4}"  # of an id, after its name


def explained(word: str, runs: Sequence[str], every: Sequence[str], latest: str, sweeps: Sequence[str] = ()) -> str:
    """How many ids ``word`` begins, the newest of them a line each, and what to type instead.

    Args:
        word: as typed.
        runs: the ids that it begins, newest first.
        every: all ids, of which a longer beginning has to tell one.
        latest: the id that ``latest`` names.
        sweeps: those that it begins, where it may mean a sweep too, newest first; with the runs at least two.
    """
    counts = [
        f"{len(ids):,} {what}{'s' if len(ids) > 1 else ''}" for ids, what in ((runs, "run"), (sweeps, "sweep")) if ids
    ]
    own = [one for one in runs if re.fullmatch(re.escape(word) + _REST, one)]
    order = "the newest first" if len(own) in (0, len(runs)) else "the newest of that very name first"
    runs = [*own, *(one for one in runs if one not in own)]  # a sweep's runs are named after its experiment too
    lines = [f"'{word}' is the beginning of {' and '.join(counts)}, {order}:"]
    lines += [f"  {one}" for one in runs[:SHOWN]]
    if (more := len(runs) - SHOWN) > 0:
        lines.append(f"  … and {more:,} more, which `mlhw runs --all` lists")
    lines += [f"  sweeps/{one}" for one in sweeps[:SHOWN_SWEEPS]]
    if (more := len(sweeps) - SHOWN_SWEEPS) > 0:
        lines.append(f"  … and {more:,} more sweeps")
    first = (runs or sweeps)[0]
    longer = unique_beginning(first, every)
    ways = ["the whole id", f"a longer beginning, as {longer}" if longer != first else "a longer beginning"]
    if runs:
        ways.append(f"`latest`, which is {'the first of these' if latest == first else latest}")
    lines.append(f"Give {', '.join(ways[:-1])}, or {ways[-1]}.")
    return "\n".join(lines)


def unique_beginning(one: str, every: Sequence[str]) -> str:
    """The shortest beginning of ``one`` that no other of ``every`` has; the whole of it where another begins with it."""
    shared = max((_shared(one, other) for other in every if other != one), default=0)
    return one[: shared + 1]


def _shared(one: str, other: str) -> int:
    """How many signs the two have in common at their beginning."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
