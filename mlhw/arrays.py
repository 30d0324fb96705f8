"""Plain containers of arrays, shared by every floor, and the names of their axes.

    rows      examples, in the order of the data set        members   models of a stack (1 for a single model)
    height, width, channels   an image; stored channels-last, uint8   features   the numbers of one flat example
    classes   scores or probabilities, in the order of ``class_names``

An array here is a numpy array or a torch tensor; this file knows neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

Array = Any  # np.ndarray or torch.Tensor: whatever the learner computes with


@dataclass(frozen=True, slots=True)
class Split:
    """One part of a data set: ``inputs`` (rows, ...), ``targets`` (rows,) int64 class indices, and the classes' names.

    Where each member of a stack has rows of its own, ``own`` (members, rows) says which of those it has: int64 positions.
    Where ``inputs`` are kept as they were stored, ``ready`` makes rows of them, (..., rows, values), what the model takes.
    """

    inputs: Array
    targets: Array
    class_names: tuple[str, ...]
    own: Any = None  # np.ndarray or None
    ready: Callable[[Array], Array] | None = None

    def __len__(self) -> int:
        """Rows that a member sees."""
        return len(self.targets) if self.own is None else int(self.own.shape[1])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example, without the row axis."""
        return tuple(self.inputs.shape[1:])

    def model_inputs(self, start: int = 0, stop: int | None = None) -> Array:
        """The rows ``start`` to ``stop`` (all of them) of a placed split as its model takes them."""
        return self.made_ready(self.inputs[start:stop])

    def made_ready(self, inputs: Array) -> Array:
        """Some rows of ``inputs`` as the model takes them."""
        return inputs if self.ready is None else self.ready(inputs)

    def first(self, rows: int) -> Split:
        """The first ``rows`` examples (all of them where there are fewer)."""
        return replace(self, inputs=self.inputs[:rows], targets=self.targets[:rows])

    def of_members(self, mask: Sequence[bool]) -> Split:
        """The same for those members alone where ``mask`` is True."""
        return self if self.own is None else replace(self, own=self.own[list(mask)])


@dataclass(frozen=True, slots=True)
class Splits:
    """A data set: train, and val and test where it has them.

    ``skipped`` lists the files left out, with the reason; ``origin`` tells one data set from another by what is in it.
    """

    train: Split
    val: Split | None = None
    test: Split | None = None
    skipped: tuple[str, ...] = ()
    origin: str = ""

    def named(self) -> dict[str, Split]:
        """The splits that exist, by name, in the order train, val, test."""
        pairs = {"train": self.train, "val": self.val, "test": self.test}
        return {name: split for name, split in pairs.items() if split is not None}

    def map(self, function: Callable[[Split], Split]) -> Splits:
        """The same with ``function`` applied to every split."""
        val, test = (None if split is None else function(split) for split in (self.val, self.test))
        return replace(self, train=function(self.train), val=val, test=test)


class Batch(NamedTuple):
    """Some rows of a split. ``targets`` are class indices (rows,) or, after mixing, probabilities (rows, classes).

    Where the members of a stack have rows of their own, everything has their axis first: (members, rows, ...).
    """

    inputs: Array
    targets: Array
    rows: Array  # positions in the split


@dataclass(frozen=True, slots=True)
class Scaling:
    """How stored values become model inputs: ``(value - shift) * scale``, one number or one a channel."""

    shift: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True)
class Place:
    """Where data lies and prepared data goes, and whom to tell of progress: what every dataset's ``load`` is given."""

    data: Any  # Path: MLHW_DATA
    cache: Any  # Path: MLHW_CACHE
    progress: Callable[[str, int, int], None] = field(default=lambda what, done, total: None)
