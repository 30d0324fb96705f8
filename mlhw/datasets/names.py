"""File names as text: for terminals without control characters, for CSV files so that they can be read back exactly.

A name on disk is bytes. Python shows those that are not UTF-8 as lone surrogates, which no UTF-8 file can hold, and a name
may hold line ends and terminal commands too. Such characters are written as ``\\xNN`` (a control character, or a byte that
is not UTF-8) or ``\\uNNNN``; everything else, emoji and blanks included, stays as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

# Control characters, line separators, what turns the direction of writing, the byte-order mark, and lone surrogates.
_HIDDEN = "\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
_TERMINAL = re.compile(f"[{_HIDDEN}]")
# Also a backslash that would read as an escape, and a first character that a spreadsheet would take for a formula's.
_CSV = re.compile(rf"[{_HIDDEN}]|\\(?=x[0-9a-f]{{2}}|u[0-9a-f]{{4}})|\A[=+\-@＝＋－＠]")
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4}))")


def escape_name(name: str) -> str:
    """``name`` for a terminal or a message: on one line, control characters and undecodable bytes visible."""
    return _TERMINAL.sub(_escaped, name)


def csv_name(name: str) -> str:
    """``name`` for a field of a UTF-8 file: one line, no formula to a spreadsheet; ``name_from_csv`` gives it back.

    The field still needs the CSV writer's quotes where it holds a comma or a quote.
    """
    return _CSV.sub(_escaped, name)


def name_from_csv(text: str) -> str:
    """The name that ``csv_name`` made ``text`` of; with ``os.fsencode`` the bytes on disk."""
    return _ESCAPE.sub(_plain, text)


def below_shared(names: Sequence[str]) -> list[str]:
    """``names`` of files without the folders that all begin with: ``b.jpg``, ``c/d.jpg`` of ``./a/b.jpg``, ``./a/c/d.jpg``.

    Text alone counts, so names may be escaped, and are shortened as they were typed.
    """
    shared = os.path.commonprefix(list(names))  # noqa: RUF071 (signs, cut to whole folders below)
    end = 1 + max(shared.rfind(sign) for sign in (os.sep, os.altsep or os.sep))
    return [name[end:] for name in names]


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape's byte
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def _plain(match: re.Match[str]) -> str:
    if match[2]:
        return chr(int(match[2], 16))
    code = int(match[1], 16)
    return chr(code if code < 0x80 else code + 0xDC00)
