"""What a comparison found, in sentences; each is there, and says what it says, because of the numbers alone."""

from __future__ import annotations

from itertools import combinations
from math import log2

import numpy as np

from mlhw.commands.pretrained import wording
from mlhw.commands.pretrained.accuracy import accuracy
from mlhw.commands.pretrained.agreement import Agreement

NAMED = 3  # pictures named as examples
EVEN = 0.95  # of the largest entropy there is: from here on hardly any class stands out
ALIKE = 0.02  # mean probabilities that are nearer to each other are called equal


def findings(found: Agreement) -> list[str]:
    """Paragraphs on agreement, near misses, confidence, size and, with known truth, accuracy."""
    said = [_one_picture(found)] if found.pictures == 1 else [_all(found), *_pairs(found), *_differences(found)]
    said += _misses(found) if found.reference == "agreed" else accuracy(found)
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
        return f"{wording.every(found)} see {first[0].class_name} in {found.files[0]}."
    each = wording.listed([f"{name} sees {rank.class_name}" for name, rank in zip(found.models, first, strict=True)])
    near = found.verdicts[0] == "near"
    words = "near misses: of any two, one has the other's class among its first five" if near else "no near misses"
    return f"In {found.files[0]} {each}; these are {words}."


def _all(found: Agreement) -> str:
    agree, every = found.count("agree"), wording.every(found)
    if agree == found.pictures:
        return f"{every} name the same class on each of the {found.pictures:,} pictures."
    if agree == 0:
        return f"On none of the {found.pictures:,} pictures do {wording.lower(every)} name the same class."
    return f"{every} name the same class on {wording.of(agree, found.pictures)} pictures{wording.share(agree, found.pictures)}."


def _differences(found: Agreement) -> list[str]:
    near, plain = found.count("near"), found.count("plain")
    if not near + plain:
        return []
    two = "one has the other's class" if len(found.models) == 2 else "of any two that differ, one has the other's class"
    if not plain:
        which = "The difference" if near == 1 else f"Each of the {near:,} differences"
        return [f"{which} is a near miss: {two} among its first five."]
    worst = [file for file, verdict in zip(found.files, found.verdicts, strict=True) if verdict == "plain"]
    examples = wording.listed(worst[:NAMED]) + (" among them" if plain > NAMED else "")
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
        return [f"Any two of them agree on {wording.of(most, found.pictures)}: no pair is more alike than another."]

    def named(count: int) -> str:
        pairs = [f"{found.models[i]} and {found.models[j]}" for (i, j), n in counts.items() if n == count]
        return wording.listed(pairs[:NAMED], ", as well as ") + (
            f" (and {len(pairs) - NAMED} more pairs)" if len(pairs) > NAMED else ""
        )

    alike, unlike = (f"{named(count)} ({wording.of(count, found.pictures)})" for count in (most, least))
    return [f"Most alike are {alike}, least {unlike}."]


def _misses(found: Agreement) -> list[str]:
    """Who is not with the majority, and how far off."""
    if len(found.models) < 3 or found.pictures < 2 or not found.known:
        return []
    total = found.pictures
    where = f"On {wording.of(found.known, total)} pictures{wording.share(found.known, total)}"
    begin = f"{where} more than half of the networks name one class"
    off = [
        f"{name} on {near + plain:,} ({near:,} near, {plain:,} plain)"
        for name, near, plain in zip(found.models, found.nears.tolist(), found.plains.tolist(), strict=True)
        if near + plain
    ]
    return [f"{begin}; {f'off it are {wording.listed(off)}' if off else 'and so do all others there'}."]


def _confidence(found: Agreement) -> list[str]:
    order = np.argsort(-found.confidence, kind="stable")
    first, last = int(order[0]), int(order[-1])
    said = []
    if found.confidence[first] - found.confidence[last] < ALIKE:
        low, high = wording.percent(found.confidence[last]), wording.percent(found.confidence[first])
        share = low if low == high else f"{low} to {high}"
        said.append(f"{wording.every(found)} are about equally sure: {share} for the first class{_on_average(found)}.")
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
            f"{wording.listed(even)} hardly prefer{'s' if len(even) == 1 else ''} any class ({max(found.classes):,} equal "
            f"ones would have {most:.2f} bits), as weights do that were never trained."
        )
    return [" ".join(said)]


def _sure(found: Agreement, place: int) -> str:
    share, bits = wording.percent(found.confidence[place]), f"{found.entropy_bits[place]:.2f} bits of entropy"
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
    listed = wording.listed(
        [
            f"{found.models[i]} ({wording.millions(found.parameters[i])}) {wording.percent(share)}"
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
