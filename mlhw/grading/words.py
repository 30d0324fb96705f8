"""Text from strangers, made harmless once: what they hand in names itself, and may go to a terminal, a table or a page."""

from __future__ import annotations

import math
import re
from typing import Final

# Control characters, the halves of surrogate pairs that undecodable file names have, marks that turn the direction of
# writing (and can show exe.txt for txt.exe), and what XML cannot hold.
_HOSTILE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufffe\uffff]"
)
_FORMULA: Final = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",
    "＋",
    "－",
    "＠",
)  # a spreadsheet computes a cell that begins so
MOST_LETTERS: Final = 2000


def clean(text: object, most: int = MOST_LETTERS) -> str:
    """``text`` with � for every sign that is not to be seen, and at most ``most`` letters of it."""
    found = _HOSTILE.sub("�", str(text).replace("\r\n", "\n"))
    return found if len(found) <= most else f"{found[: most - 1]}…"


def one_line(text: str) -> str:
    """``text`` with a space for every run of white space."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """``text`` as a cell of a CSV that no spreadsheet takes for a formula."""
    text = one_line(clean(text))
    return f"'{text}" if text.startswith(_FORMULA) else text


def number(value: float | str | None) -> str:
    """A number as a person reads it: six digits, thousands apart; text as it is; nothing for None."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int) or (value == int(value) if math.isfinite(value) else False):
        return f"{int(value):,}"
    return f"{value:.6g}"


def amount(value: float) -> str:
    """Points: ``2`` and ``2.5``."""
    return f"{value:.6g}"


def plural(count: int, word: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
