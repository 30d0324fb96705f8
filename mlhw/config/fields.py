"""What the keys of an experiment are made of: a strict base class, and numbers and names within bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from mlhw.errors import ConfigError

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, le=1e9)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False, le=1e9)]
Count = Annotated[int, Field(ge=1, le=10**9)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Pixels = Annotated[int, Field(ge=1, le=4096)]
Widths = Annotated[tuple[Annotated[int, Field(ge=1, le=65536)], ...], Field(max_length=64)]
Activation = Literal["sigmoid", "tanh", "relu", "leaky-relu", "elu"]
Threshold = Annotated[
    str, StringConstraints(pattern=r"^\s*(<|<=|>|>=|==)\s*[0-9][0-9_]*(\.[0-9]+)?([eE][-+]?[0-9]+)?\s*$")
]
RunFile = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$", max_length=200)
]  # a file's path within a run's folder: no part begins with a dot, so none leads out of it


class Strict(BaseModel):
    """Frozen; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def is_name(text: str) -> bool:
    """Whether ``text`` can name an experiment or a run's folder."""
    try:
        TypeAdapter(Name).validate_python(text)
    except ValidationError:
        return False
    return True


def checked_name(text: str, origin: str) -> str:
    """``text``, which can name a run's folder; ``origin`` says where it was given.

    Raises:
        ConfigError: it cannot.
    """
    if not is_name(text):
        raise ConfigError(
            f"{origin} '{text}': lower-case letters, digits and single dashes alone, at most 60, for example my-try-2."
        )
    return text
