"""How the sentences about a sweep put numbers and lists."""

from __future__ import annotations

from collections.abc import Sequence


def joined(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def percent(share: float) -> str:
    """A share as a percentage with two decimals."""
    return f"{100 * share:.2f} %"


def points(share: float) -> str:
    """A difference of accuracies; "under 0.01 points" where two digits would say that it is none."""
    said = f"{100 * share:.2f}"
    if said == "0.00" and share > 0:
        return "under 0.01 points"
    return f"{said} point{'s' if said != '1.00' else ''}"


def clause(reason: str) -> str:
    """The first sentence of an error's text, without its full stop: what follows is advice."""
    return " ".join(reason.split()).partition(". ")[0].rstrip(".")
