"""What a report shows, as plain values: nothing of a run, a config or a data set is known from here on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Sign = Literal["good", "bad", "open"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of the verdict, and whether it speaks for the result."""

    sign: Sign
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A number at the top: what it is, its value and deviation, and what is to be known with it."""

    label: str
    value: str
    note: str = ""
    deviation: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text below headers; ``right`` are the columns of numbers, ``first`` whether the first column names the row."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()
    last_is_total: bool = False


@dataclass(frozen=True, slots=True)
class SplitRows:
    """One split of one run, epoch by epoch; the lists are equally long, None stands for what is not finite."""

    epochs: Sequence[int]
    loss: Sequence[float | None]
    accuracy: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class RunCurves:
    """The curves of one run by split, and the epoch whose weights are reported."""

    name: str
    splits: Mapping[str, SplitRows]
    reported: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """What one colour stands for: a run, or a setting with several."""

    label: str
    runs: Sequence[RunCurves]


@dataclass(frozen=True, slots=True)
class Dots:
    """The accuracies of the runs of one setting, for a row of dots: shares 0..1, and mean and deviation of several.

    ``lanes`` keep dots apart that would lie on each other: 0 in the middle, 1 and -1 beside it, and so on.
    """

    label: str
    values: Sequence[float]
    lanes: Sequence[int]
    mean: float
    deviation: float | None


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How many ``rows`` of a class are ``right``, a 95 % interval of that share, and what it is taken for most often."""

    name: str
    right: int
    rows: int
    low: float
    high: float
    taken_for: str = ""
    taken: int = 0

    @property
    def share(self) -> float:
        """The class's accuracy, 0..1."""
        return self.right / self.rows


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts (classes, classes): row = true class, column = predicted class."""

    names: Sequence[str]
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A test row that is taken for another class by ``wrong`` of ``runs`` runs; ``picture`` is a data URI or empty."""

    row: int
    truth: str
    predicted: str
    probability: float
    wrong: int
    runs: int
    picture: str = ""
    pixelated: bool = False


@dataclass(frozen=True, slots=True)
class Classes:
    """What is known of the classes: of which runs, each class's score, the confusion and the worst mistakes."""

    of: str
    right: int
    rows: int
    scores: Sequence[ClassScore]
    confusion: Confusion | None
    confused: Sequence[tuple[str, str, int, float]]  # truth, taken for, rows, share of the class
    mistakes: Sequence[Mistake]


@dataclass(frozen=True, slots=True)
class Difference:
    """A key that is not what the preset says; empty text where one of the two lacks it."""

    key: str
    preset: str
    mine: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """The config of the report's (first) run, how it differs from its preset, and the command that gives it again."""

    of: str
    preset: str  # its name; empty where there is none
    differences: Sequence[Difference]
    yaml: str
    file_name: str
    command: str
    proof: str
    typed: str  # the command as it was typed then; empty where unknown


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a run: a data URI, what it shows in words, and a caption."""

    source: str
    alt: str
    caption: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole page. What is empty or None has no section; ``notes`` say why."""

    title: str
    subtitle: str
    description: str
    source: str
    claim: str
    findings: Sequence[Finding]
    facts: Sequence[Fact]
    lines: Sequence[Line]
    epochs: Table | None
    epochs_caption: str
    results: Table
    dots: Sequence[Dots]
    dots_of: str
    runs: Table | None
    classes: Classes | None
    layers: Table | None
    layers_caption: str
    recipe: Recipe | None
    environment: Table | None
    pictures: Sequence[Picture] = ()
    discussion: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=tuple)
    version: str = ""
