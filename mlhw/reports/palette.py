"""The colours of a report, for light and for dark: those of the figures (``plots/style.py``), and their like on black.

Written out here since the figures' file loads matplotlib, which a report has no use for; a test holds the two together.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Pair(NamedTuple):
    """One colour on white paper, and on a dark screen."""

    light: str
    dark: str


PAPER: Final = Pair("#FFFFFF", "#15171B")
INK: Final = Pair("#222222", "#E9E9E6")
MUTED: Final = Pair("#666666", "#A4A8AE")
GRID: Final = Pair("#E2E2E2", "#2F343B")
RAISED: Final = Pair("#F6F6F4", "#1D2025")
ACCENT: Final = Pair("#00619A", "#6CB8EC")
GOOD: Final = Pair("#00704F", "#4FCBA3")
WRONG: Final = Pair("#B23A00", "#FF9B6B")

RUN_COLOURS: Final = (
    Pair("#0072B2", "#4DA6E0"),  # blue
    Pair("#E69F00", "#F0B23A"),  # orange
    Pair("#009E73", "#2FC298"),  # bluish green
    Pair("#D55E00", "#F58442"),  # vermilion
    Pair("#CC79A7", "#DE97BE"),  # reddish purple
    Pair("#56B4E9", "#8BD0F5"),  # sky blue
    Pair("#000000", "#EDEDED"),  # black
    Pair("#5A1FA0", "#AE8CF0"),  # indigo
    Pair("#7A3B00", "#C68B57"),  # brown
    Pair("#99004C", "#E8679F"),  # wine
)
SPLIT_COLOURS: Final = {"train": RUN_COLOURS[0], "val": RUN_COLOURS[3], "test": RUN_COLOURS[6]}


def variables() -> str:
    """The colours as CSS variables: ``--ink``, …, ``--run-0``, …, ``--split-train``, …, each for light and for dark."""
    named = {
        "paper": PAPER,
        "ink": INK,
        "muted": MUTED,
        "grid": GRID,
        "raised": RAISED,
        "accent": ACCENT,
        "good": GOOD,
        "wrong": WRONG,
    }
    named |= {f"run-{place}": pair for place, pair in enumerate(RUN_COLOURS)}
    named |= {f"split-{name}": pair for name, pair in SPLIT_COLOURS.items()}
    return "".join(f"--{name}:light-dark({pair.light},{pair.dark});" for name, pair in named.items())
