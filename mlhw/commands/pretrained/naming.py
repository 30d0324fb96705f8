"""How pictures are called and counted in figures and findings."""

from __future__ import annotations

from mlhw.commands.pretrained.results import Results
from mlhw.datasets.names import below_shared, escape_name


def counted(found: Results, shown: int) -> str:
    """How many pictures there are and are shown, in words."""
    count = len(found.good)
    words = f"{count:,} picture{'s' if count != 1 else ''}"
    return words if shown == count else f"{shown:,} of {words}, evenly spread"


def short_names(found: Results) -> list[str]:
    """The names of all pictures without the folder that they share."""
    return below_shared([escape_name(picture.name) for picture in found.pictures])
