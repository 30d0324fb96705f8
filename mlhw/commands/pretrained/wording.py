"""How numbers and lists read in the findings of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from mlhw.commands.pretrained.agreement import Agreement

WORDS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def every(found: Agreement) -> str:
    """All networks of ``found``, in words."""
    count = len(found.models)
    if count == 2:
        return f"Both {found.models[0]} and {found.models[1]}"
    return f"All {WORDS[count] if count < len(WORDS) else count} networks"


def lower(text: str) -> str:
    """``text`` as it goes on within a sentence."""
    return text[:1].lower() + text[1:]


def of(part: int, whole: int) -> str:
    """``3 of 13``."""
    return f"{part:,} of {whole:,}"


def share(part: int, whole: int) -> str:
    """In brackets, where there are enough for a percentage to say something."""
    return f" ({percent(part / whole)})" if whole >= 20 else ""


def percent(share: float) -> str:
    """Two digits of a share of 0 to 1."""
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"


def millions(parameters: int) -> str:
    """How large a network is."""
    return f"{parameters / 1e6:.1f} M parameters" if parameters >= 1e5 else f"{parameters:,} parameters"


def listed(words: Sequence[str], comma: str = ", ") -> str:
    """``words`` with commas and an *and*; with another ``comma``, that alone."""
    if comma != ", " or len(words) < 2:
        return comma.join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
