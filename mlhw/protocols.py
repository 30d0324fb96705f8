"""What the training loop knows of a model: a learner, and the small records that pass between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from mlhw.arrays import Array, Batch, Split


@dataclass(slots=True)
class StepReport:
    """What one batch gave: sums over its rows, so that unequal last batches add up.

    ``loss_sum`` and ``correct`` have shape (members,) or (), on whatever device the learner computes; ``correct`` may be
    fractional where targets are mixtures.
    """

    loss_sum: Array
    correct: Array
    count: int


class EpochRow(NamedTuple):
    """One line of metrics.csv: the mean loss and accuracy of ``split`` in ``epoch`` (from 1), the rate and the seconds."""

    epoch: int
    split: str
    loss: float
    accuracy: float
    lr: float
    seconds: float


class Learner(Protocol):
    """One model (or a stack of them) with its update rule. The loop reads nothing else of a model.

    A batch's inputs are (rows, ...), the same for every member, or (members, rows, ...), each member its own; its targets
    likewise.
    """

    members: int  # models that are trained: falls where ``keep`` drops some
    lr: Any  # the base rate: a number, or one a member, float64 (members,)

    def place(self, split: Split) -> Split:
        """``split`` moved, once, to where this learner computes."""

    def step(self, batch: Batch, lr_scale: float) -> Any:
        """One update with the base rate times ``lr_scale``; what ``fetch`` reads the report of the weights before it from."""

    def score(self, batch: Batch) -> StepReport:
        """The report of ``batch`` without an update; with averaged weights where there are any."""

    def probabilities(self, inputs: Array) -> Any:
        """Class probabilities (rows, classes) as a numpy array, with the weights that ``score`` uses.

        Like ``relu_maxima`` of a single model alone: the members of a stack are finished one by one, as single models.
        """

    def relu_maxima(self, inputs: Array) -> dict[str, Any]:
        """The largest output of each ReLU unit over the rows of ``inputs``: float arrays (units,) by layer, in order.

        With the weights that ``score`` uses. A convolution's unit is a channel, its rows' places all count. Empty where the
        model has no ReLU.
        """

    def fetch(self, reports: Sequence[Any]) -> tuple[Any, Any]:
        """Many steps' ``loss_sum`` and ``correct``, brought to the host at once: two arrays, float64 (steps, members).

        ``reports``: what ``step`` or ``score`` returned.
        """

    def finite(self) -> Any:
        """Which members' weights, buffers, averages and optimiser are finite: a numpy array of bool (members,)."""

    def parameters(self, member: int = 0) -> dict[str, Any]:
        """The trained weights that ``score`` uses, and buffers, of one member, by name, as numpy arrays. A copy.

        Names and shapes are those of a single model.
        """

    def adopt(self, parameters: dict[str, Any]) -> None:
        """Take over weights and buffers by name, as ``parameters`` gives them.

        Raises:
            ConfigError: a name is missing or not known, or a shape differs; lists both.
        """

    def keep(self, mask: Sequence[bool]) -> None:
        """Drop the members where ``mask`` (members,) is False; the others go on as if nothing had happened.

        Raises:
            ValueError: none would be left, or ``mask`` has another length.
        """

    def state(self) -> dict[str, Any]:
        """Everything needed to go on exactly: weights, buffers, averages, optimiser. Plain types and arrays only."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` returned, in place."""
