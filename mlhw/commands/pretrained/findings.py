"""What a comparison found, in sentences; each is there, and says what it says, because of the numbers alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb, log2

import numpy as np

from mlhw.commands.pretrained.agreement import Agreement

NAMED = 3  # pictures named as examples
EVEN = 0.95  # of the largest entropy there is: from here on hardly any class stands out
ALIKE = 0.02  # mean probabilities that are nearer to each other are called equal
WORDS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def findings(found: Agreement) -> list[str]:
    """Paragraphs on agreement, near misses, confidence, size and, with known truth, accuracy."""
    said = [_one_picture(found)] if found.pictures == 1 else [_all(found), *_pairs(found), *_differences(found)]
    said += _misses(found) if found.reference == "agreed" else _accuracy(found)
    said += _confidence(found)
    said += _size(found)
    if found.reference == "agreed":
        said.append(
            "Who is right these numbers do not tell: agreement is no accuracy. --truth FILE brings in the true classes."
        )
    return [paragraph for paragraph in said if paragraph]


def _one_picture(found: Agreement) -> str:
    first = found.firsts[0]
    if found.verdicts[0] == "agree":
        return f"{_every(found)} see {first[0].class_name} in {found.files[0]}."
    each = _listed([f"{name} sees {rank.class_name}" for name, rank in zip(found.models, first, strict=True)])
    near = found.verdicts[0] == "near"
    words = "near misses: of any two, one has the other's class among its first five" if near else "no near misses"
    return f"In {found.files[0]} {each}; these are {words}."


def _all(found: Agreement) -> str:
    agree, every = found.count("agree"), _every(found)
    if agree == found.pictures:
        return f"{every} name the same class on each of the {found.pictures:,} pictures."
    if agree == 0:
        return f"On none of the {found.pictures:,} pictures do {_lower(every)} name the same class."
    return f"{every} name the same class on {_of(agree, found.pictures)} pictures{_share(agree, found.pictures)}."


def _differences(found: Agreement) -> list[str]:
    near, plain = found.count("near"), found.count("plain")
    if not near + plain:
        return []
    two = "one has the other's class" if len(found.models) == 2 else "of any two that differ, one has the other's class"
    if not plain:
        which = "The difference" if near == 1 else f"Each of the {near:,} differences"
        return [f"{which} is a near miss: {two} among its first five."]
    worst = [file for file, verdict in zip(found.files, found.verdicts, strict=True) if verdict == "plain"]
    examples = _listed(worst[:NAMED]) + (" among them" if plain > NAMED else "")
    if not near:
        which = "The difference is" if plain == 1 else f"All {plain:,} differences are"
        kind = "a plain one" if plain == 1 else "plain ones"
        return [f"{which} {kind} ({examples}): there is no near miss, where {two} among its first five."]
    nearly = f"{near:,} {'is a near miss' if near == 1 else 'are near misses'}"
    plainly = f"{plain:,} {'is a plain one' if plain == 1 else 'are plain ones'}"
    return [f"Of the {near + plain:,} differences {nearly} ({two} among its first five), {plainly} ({examples})."]


def _pairs(found: Agreement) -> list[str]:
    if len(found.models) < 3:
        return []
    counts = {(i, j): int(found.same[i, j]) for i, j in combinations(range(len(found.models)), 2)}
    most, least = max(counts.values()), min(counts.values())
    if not most:
        return ["Nor do any two of them on any picture."]
    if most == least:
        return [f"Any two of them agree on {_of(most, found.pictures)}: no pair is more alike than another."]

    def named(count: int) -> str:
        pairs = [f"{found.models[i]} and {found.models[j]}" for (i, j), n in counts.items() if n == count]
        return _listed(pairs[:NAMED], ", as well as ") + (
            f" (and {len(pairs) - NAMED} more pairs)" if len(pairs) > NAMED else ""
        )

    return [
        f"Most alike are {named(most)} ({_of(most, found.pictures)}), least {named(least)} ({_of(least, found.pictures)})."
    ]


def _misses(found: Agreement) -> list[str]:
    """Who is not with the majority, and how far off."""
    if len(found.models) < 3 or found.pictures < 2 or not found.known:
        return []
    total = found.pictures
    begin = f"On {_of(found.known, total)} pictures{_share(found.known, total)} more than half of the networks name one class"
    off = [
        f"{name} on {near + plain:,} ({near:,} near, {plain:,} plain)"
        for name, near, plain in zip(found.models, found.nears.tolist(), found.plains.tolist(), strict=True)
        if near + plain
    ]
    return [f"{begin}; {f'off it are {_listed(off)}' if off else 'and so do all others there'}."]


def _confidence(found: Agreement) -> list[str]:
    order = np.argsort(-found.confidence, kind="stable")
    first, last = int(order[0]), int(order[-1])
    said = []
    if found.confidence[first] - found.confidence[last] < ALIKE:
        low, high = _percent(found.confidence[last]), _percent(found.confidence[first])
        share = low if low == high else f"{low} to {high}"
        said.append(f"{_every(found)} are about equally sure: {share} for the first class{_on_average(found)}.")
    else:
        said.append(f"Surest is {_sure(found, first)}, least sure {_sure(found, last)}.")
        if (undecided := int(found.entropy_bits.argmin())) != first:
            said.append(
                f"By entropy it is another: {found.models[undecided]} leaves the least open "
                f"({found.entropy_bits[undecided]:.2f} bits)."
            )
    even = [
        name
        for name, bits, classes in zip(found.models, found.entropy_bits.tolist(), found.classes, strict=True)
        if classes > 1 and bits > EVEN * log2(classes)
    ]
    if even:
        most = log2(max(found.classes))
        said.append(
            f"{_listed(even)} hardly prefer{'s' if len(even) == 1 else ''} any class ({max(found.classes):,} equal ones would "
            f"have {most:.2f} bits), as weights do that were never trained."
        )
    return [" ".join(said)]


def _sure(found: Agreement, place: int) -> str:
    share, bits = _percent(found.confidence[place]), f"{found.entropy_bits[place]:.2f} bits of entropy"
    return f"{found.models[place]} ({share} for its first class{_on_average(found)}, {bits})"


def _on_average(found: Agreement) -> str:
    return " on average" if found.pictures > 1 else ""


def _size(found: Agreement) -> list[str]:
    """How agreement goes with size; two networks agree with one another equally often."""
    if len(found.models) < 3 or found.pictures < 2:
        return []
    order = np.argsort(found.parameters, kind="stable")
    shares = found.with_others()[order]
    if not shares.any():
        return []
    steps = np.diff(shares)
    listed = _listed(
        [
            f"{found.models[i]} ({_millions(found.parameters[i])}) {_percent(share)}"
            for i, share in zip(order.tolist(), shares.tolist(), strict=True)
        ]
    )
    if np.all(steps > 0):
        trend = "rises with size"
    elif np.all(steps < 0):
        trend = "falls with size"
    elif np.all(steps == 0):
        trend = "is the same for all sizes"
    else:
        trend = "does not follow size"
    return [f"Agreement with the other networks {trend}: {listed}."]


def _accuracy(found: Agreement) -> list[str]:
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
    size = f"{name}, the largest with {_millions(found.parameters[largest])},"
    if ours > theirs:
        begin = f"Larger is better here: {size} is right most often ({ours:,}; next {other} with {theirs:,})."
    elif ours == theirs:
        begin = (
            f"Larger is not better here: {size} is right as often as {other} ({_millions(found.parameters[rival])})."
        )
    else:
        begin = (
            f"Larger is not better here: {size} is right {ours:,} times, {other} with {_millions(found.parameters[rival])} "
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


def _every(found: Agreement) -> str:
    count = len(found.models)
    if count == 2:
        return f"Both {found.models[0]} and {found.models[1]}"
    return f"All {WORDS[count] if count < len(WORDS) else count} networks"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}"


def _share(part: int, whole: int) -> str:
    """In brackets, where there are enough for a percentage to say something."""
    return f" ({_percent(part / whole)})" if whole >= 20 else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"


def _millions(parameters: int) -> str:
    return f"{parameters / 1e6:.1f} M parameters" if parameters >= 1e5 else f"{parameters:,} parameters"


def _listed(words: Sequence[str], comma: str = ", ") -> str:
    if comma != ", " or len(words) < 2:
        return comma.join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
