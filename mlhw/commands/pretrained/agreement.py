"""Several networks on the same pictures, in numbers: where they agree, how sure they are, and how often they are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from mlhw.runs.classified import Classified, Rank

NEAR = 5  # a miss is a near one where the right class is among so many

Verdict = Literal["agree", "near", "plain"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the networks ``models`` (N of them) say of the same pictures (P of them, none skipped).

    ``same`` counts, for each pair, the pictures of which both name the same class first; ``near`` those of which they do not,
    but the class of one is among the other's first five. ``verdicts`` has for each picture whether all ``agree``; or of every
    pair that differs, one names the other's class among its first five (``near``); or not (``plain``). ``agreed`` is the
    class that more than half of the networks name, or None.

    ``reference`` says what misses are counted against: the ``truth`` of the pictures where it is known, else the class
    ``agreed`` upon. Of the ``known`` pictures that have one, each network has it first in ``hits``, among its first five
    in ``nears``, and not in ``plains``. ``right`` tells of each of them which networks have it first.
    """

    models: tuple[str, ...]
    parameters: tuple[int, ...]
    classes: tuple[int, ...]
    files: tuple[str, ...]
    firsts: tuple[tuple[Rank, ...], ...]  # for each picture the first class of each network
    same: Int[np.ndarray, "models models"]
    near: Int[np.ndarray, "models models"]
    confidence: Float[np.ndarray, " models"]  # mean probability of the first class
    entropy_bits: Float[np.ndarray, " models"]  # mean
    verdicts: tuple[Verdict, ...]
    agreed: tuple[str | None, ...]
    reference: Literal["truth", "agreed"]
    hits: Int[np.ndarray, " models"]
    nears: Int[np.ndarray, " models"]
    plains: Int[np.ndarray, " models"]
    right: Bool[np.ndarray, "known models"]

    @property
    def pictures(self) -> int:
        """How many there are."""
        return len(self.files)

    @property
    def known(self) -> int:
        """How many have a reference."""
        return len(self.right)

    def count(self, verdict: Verdict) -> int:
        """How many pictures have this verdict."""
        return self.verdicts.count(verdict)

    def with_others(self) -> Float[np.ndarray, " models"]:
        """For each network the mean share of pictures of which another names the same class."""
        others = len(self.models) - 1
        return (self.same.sum(axis=1) - self.same.diagonal()) / (others * self.pictures)


def agreement(
    models: Sequence[str],
    parameters: Sequence[int],
    categories: Sequence[tuple[str, ...]],
    files: Sequence[str],
    said: Sequence[Sequence[Classified]],
    entropies: Sequence[Sequence[float]],
    truths: Sequence[frozenset[int] | None],
) -> Agreement:
    """Compare what networks ``said``: for each network its classes of each picture, at least ``NEAR`` where it has so many.

    Args:
        models: names of the networks.
        parameters: how many each has.
        categories: the class names of each; where they differ, classes are compared by name, else by index.
        files: names of the pictures.
        said: (networks, pictures), none skipped.
        entropies: (pictures, networks), in bits.
        truths: for each picture the indices of its true class, or None.
    """
    by_index = len(set(categories)) == 1
    keys = [[[_key(rank, by_index) for rank in each.ranks] for each in column] for column in said]
    tops = [list(row) for row in zip(*[[ranks[0] for ranks in column] for column in keys], strict=True)]
    fives = [list(row) for row in zip(*[[ranks[:NEAR] for ranks in column] for column in keys], strict=True)]
    shape = (len(models), len(models))
    same, near = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    verdicts: list[Verdict] = []
    for top, five in zip(tops, fives, strict=True):
        far = False
        for i, j in combinations(range(len(models)), 2):
            equal, close = top[i] == top[j], top[i] in five[j] or top[j] in five[i]
            same[i, j] += equal
            near[i, j] += close and not equal
            far |= not close
        verdicts.append("agree" if len(set(top)) == 1 else "plain" if far else "near")
    agreed = [_majority(top) for top in tops]
    known = any(truth is not None for truth in truths)
    references = list(truths) if known else [frozenset({key}) if key is not None else None for key in agreed]
    places = [place for place, reference in enumerate(references) if reference is not None]
    hits, nears = (np.zeros((len(places), len(models)), dtype=bool) for _ in range(2))
    for row, place in enumerate(places):
        reference = references[place] or frozenset()
        hits[row] = [key in reference for key in tops[place]]
        nears[row] = [bool(reference & set(five)) for five in fives[place]]
    nears &= ~hits
    firsts = tuple(tuple(column[place].ranks[0] for column in said) for place in range(len(files)))
    return Agreement(
        tuple(models),
        tuple(parameters),
        tuple(map(len, categories)),
        tuple(files),
        firsts,
        same + same.T + np.eye(len(models), dtype=np.int64) * len(files),
        near + near.T,
        np.array([[rank.probability for rank in row] for row in firsts]).mean(axis=0),
        np.array(entropies, dtype=float).mean(axis=0),
        tuple(verdicts),
        tuple(_name_of(key, top, first) for key, top, first in zip(agreed, tops, firsts, strict=True)),
        "truth" if known else "agreed",
        hits.sum(axis=0),
        nears.sum(axis=0),
        (~hits & ~nears).sum(axis=0),
        hits,
    )


def _key(rank: Rank, by_index: bool) -> Hashable:
    return rank.class_index if by_index else rank.class_name.casefold()


def _majority(top: Sequence[Hashable]) -> Hashable | None:
    key, count = Counter(top).most_common(1)[0]
    return key if 2 * count > len(top) else None


def _name_of(key: Hashable | None, top: Sequence[Hashable], first: Sequence[Rank]) -> str | None:
    return None if key is None else first[top.index(key)].class_name
