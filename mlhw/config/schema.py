"""Every key an experiment may have: frozen classes, one a kind, unknown keys refused.

Units stand in the names. Defaults are the plain choice, so that a YAML shows what is special about it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from mlhw.config.data import Data
from mlhw.config.fields import Name, NonNegative, Positive, RunFile, Seed, Strict, Threshold
from mlhw.config.models import Model
from mlhw.config.training import Train


class Seeds(Strict):
    """``init`` draws the weights and dropout; ``data`` the carved validation rows, the order and the augmentation."""

    init: Seed = 0
    data: Seed = 0


class SecondsRatio(Strict):
    """Seconds of training over those of the experiment ``to``, both measured on this machine."""

    to: Name
    limit: Threshold


class Expect(Strict):
    """What the result should be. ``parameters`` is a budget: breaking it stops the run before it starts.

    The rest is for ``mlhw grade``: ``gradients`` asks that ``mlhw check gradients`` passes, ``files`` that a finished run has
    these, and ``points`` says what a line is worth.
    """

    parameters: Threshold | None = None
    test_accuracy: Threshold | None = None
    val_accuracy: Threshold | None = None
    seconds_ratio: SecondsRatio | None = None
    gradients: Literal[True] | None = None
    files: Annotated[tuple[RunFile, ...], Field(max_length=100)] | None = None
    points: dict[str, NonNegative] | None = None

    def lines(self) -> tuple[str, ...]:
        """The keys that something is expected of, in order."""
        return tuple(key for key in type(self).model_fields if key != "points" and getattr(self, key) is not None)

    @model_validator(mode="after")
    def _points_are_for_lines(self) -> Self:
        unknown = sorted(set(self.points or ()) - set(self.lines()))
        if unknown:
            given = f"given: {', '.join(self.lines())}" if self.lines() else "nothing is expected"
            raise ValueError(f"'expect.points' names {', '.join(unknown)}, of which nothing is expected; {given}")
        return self


class Sweep(Strict):
    """What to compare: learning rates, named ``variants`` (dotted keys with their values), and how many seeds of each."""

    lrs: Annotated[tuple[Positive, ...], Field(max_length=1000)] = ()
    variants: dict[Name, dict[str, JsonValue]] = Field(default_factory=dict, max_length=1000)
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1


class Experiment(Strict):
    """One experiment, wholly described."""

    name: Name
    description: Annotated[str, Field(max_length=2000)] = ""
    source: Annotated[str, Field(max_length=2000)] = ""
    result: Annotated[str, Field(max_length=2000)] = ""
    data: Data
    model: Model
    train: Train
    seed: Seeds = Seeds()
    expect: Expect = Expect()
    sweep: Sweep | None = None
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:[0-9]{1,3})?)$")] = "auto"
    threads: Annotated[int, Field(ge=1, le=4096)] | None = None
