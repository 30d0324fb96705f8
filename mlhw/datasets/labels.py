"""Class labels as text, class names, and the indices between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mlhw.errors import DataError, did_you_mean

WHOLE = re.compile(r"[+-]?\d+(\.0+)?")


def tidy(label: str) -> str:
    """``label`` without the blanks around it; a whole number in its plainest form, so that ``3``, ``03`` and ``3.0`` agree."""
    label = label.strip()
    return str(int(label.partition(".")[0])) if WHOLE.fullmatch(label) else label


def names_of(labels: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels in order: by value where all are whole numbers, else by the alphabet."""
    names = {tidy(label) for label in labels}
    if all(WHOLE.fullmatch(name) for name in names):
        return tuple(sorted(names, key=int))
    return tuple(sorted(names))


def indices(labels: Sequence[str], names: tuple[str, ...], where: Callable[[int], str]) -> NDArray[np.int64]:
    """The position of each label in ``names``, int64 (rows,).

    Args:
        labels: one a row.
        names: the classes, in order.
        where: the place of a row, for the message: its file and line.

    Raises:
        DataError: a label is none of the classes; names its place and the nearest class.
    """
    position = {name: index for index, name in enumerate(names)}
    found = np.fromiter((position.get(tidy(label), -1) for label in labels), dtype=np.int64, count=len(labels))
    if len(found) and found.min() < 0:
        row = int(np.argmax(found < 0))
        label = tidy(labels[row])
        raise DataError(f"{where(row)}: '{label}' is none of the {len(names)} classes of train. {_hint(label, names)}")
    return found


def _hint(label: str, names: tuple[str, ...]) -> str:
    if len(names) <= 20:
        return did_you_mean(label, names)
    hint = did_you_mean(label, names)
    return hint if hint.startswith("Did") else f"They run from '{names[0]}' to '{names[-1]}'."
