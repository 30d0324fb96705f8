"""What a comparison found where the true classes are known: who is right, and whether chance alone would do that."""

from __future__ import annotations

from math import comb

import numpy as np

from mlhw.commands.pretrained.agreement import Agreement
from mlhw.commands.pretrained.wording import millions


def accuracy(found: Agreement) -> list[str]:
    """Paragraphs on how often each network is right, and on whether the largest is best; none where no class is known."""
    if not found.known:
        return []
    rows = [
        f"{name} {hit:,} right, {near:,} near miss{'es' if near != 1 else ''}, {plain:,} plain"
        for name, hit, near, plain in zip(
            found.models, found.hits.tolist(), found.nears.tolist(), found.plains.tolist(), strict=True
        )
    ]
    count = "the one picture" if found.known == 1 else f"the {found.known:,} pictures"
    return [
        f"Of {count} whose class is known: {'; '.join(rows)} (near: the true class among the first five).",
        *_larger(found),
    ]


def _larger(found: Agreement) -> list[str]:
    """Whether the largest network is the best, and what chance alone would do."""
    largest = int(np.argmax(found.parameters))
    others = [place for place in range(len(found.models)) if place != largest]
    rival = max(others, key=lambda place: (found.hits[place], -found.parameters[place]))
    ours, theirs = int(found.hits[largest]), int(found.hits[rival])
    name, other = found.models[largest], found.models[rival]
    size = f"{name}, the largest with {millions(found.parameters[largest])},"
    if ours > theirs:
        begin = f"Larger is better here: {size} is right most often ({ours:,}; next {other} with {theirs:,})."
    elif ours == theirs:
        begin = f"Larger is not better here: {size} is right as often as {other} ({millions(found.parameters[rival])})."
    else:
        begin = (
            f"Larger is not better here: {size} is right {ours:,} times, {other} with {millions(found.parameters[rival])} "
            f"{theirs:,} times."
        )
    alone = int((found.right[:, largest] & ~found.right[:, rival]).sum())
    against = int((found.right[:, rival] & ~found.right[:, largest]).sum())
    if not alone + against:
        return [f"{begin} Both are right on the same pictures."]
    chance = by_chance(alone, against)
    split = f"Only {name} is right on {alone:,}, only {other} on {against:,}"
    weight = "no evidence of a difference" if chance > 0.05 else "more than chance explains easily"
    return [f"{begin} {split}: a split at least as uneven comes by chance with probability {chance:.2g}, so {weight}."]


def by_chance(a: int, b: int) -> float:
    """The probability that ``a`` + ``b`` fair coins fall at least as unevenly as ``a`` to ``b`` (exact McNemar test)."""
    total, few = a + b, min(a, b)
    return min(1.0, 2 * sum(comb(total, k) for k in range(few + 1)) / 2**total)
