"""Which learning rates to try next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from mlhw.sweeps.findings import Findings

_DECADE: Final = 10.0  # the step to a new rate where the list has none
_WIDEST: Final = 100.0  # a neighbour further away is no reason to go there: the next rates stay within its square root
_FINE: Final = 1.5  # neighbours within this factor of the best rate do as well in practice: no need of finer ones


def advise(found: Findings) -> str:
    """Where to look now: beyond the edge of the list, or between the best rate and its neighbours.

    A rate that diverged is a neighbour too: above it there is nothing to look for. One that failed otherwise tells nothing.
    Empty where the runs cannot be compared.
    """
    rates = sorted({curve.lr for curve in found.curves if curve.diverged or not curve.why_lost})
    if not rates:
        return "Next: the same rates again, since none was lost by its own fault."
    if not found.finished:
        return f"Next: smaller rates, {_lrs([rates[0] / _DECADE**k for k in (3, 2, 1)], rates)}."
    if not found.best:
        return ""
    if len(found.never_learned) == len(found.finished):
        return f"Next: rates on both sides, {_lrs([rates[0] / _DECADE, rates[-1] * _DECADE], rates)}."
    low, high = min(curve.lr for curve in found.best), max(curve.lr for curve in found.best)
    if len(rates) == 1:
        return f"One rate has nothing to be compared with. Next: {_lrs([low / _DECADE, low, low * _DECADE], rates)}."
    at = (rates.index(low), rates.index(high))
    below = min(low / rates[at[0] - 1] if at[0] else rates[1] / rates[0], _WIDEST)
    above = min(rates[at[1] + 1] / high if at[1] + 1 < len(rates) else rates[-1] / rates[-2], _WIDEST)
    if at == (0, len(rates) - 1):
        return f"All rates ended alike. Next: both sides, {_lrs([low / _DECADE, high * _DECADE], rates)}."
    if at[1] == len(rates) - 1:
        new = _lrs([high, high * math.sqrt(above), high * above], rates)
        return f"The best rate is the largest of the list, so a larger one may be better. Next: {new}."
    if at[0] == 0:
        new = _lrs([low / below, low / math.sqrt(below), low], rates)
        return f"The best rate is the smallest of the list, so a smaller one may be better. Next: {new}."
    if max(below, above) <= _FINE:
        return (
            f"The best rate lies inside the list, its neighbours within a factor of {_FINE:g}: more seeds will tell "
            f"more than more rates."
        )
    new = _lrs([low / math.sqrt(below), *{low, high}, high * math.sqrt(above)], rates)
    return f"The best rate lies inside the list. Next: {new}."


def _lrs(wanted: Sequence[float], known: Sequence[float]) -> str:
    """The flag that asks for the rates ``wanted``: new ones in the fewest digits that are new.

    Known ones are trained already, and stand there to be compared with; not where that would take more than six digits.
    """
    said = []
    for rate in sorted(wanted):
        if rate not in known:
            digits = next((n for n in (1, 2, 3) if float(f"{rate:.{n}g}") not in known), 6)
            said.append(f"{float(f'{rate:.{digits}g}'):g}")
        elif float(f"{rate:g}") == rate:
            said.append(f"{rate:g}")
    return f"--lrs {','.join(dict.fromkeys(said))}"
