"""Damage done to YAML texts: bytes, lines, words, structure and encoding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

HOSTILE = [
    *(
        b"1e999",
        b"-1e999",
        b".nan",
        b".inf",
        b"-.inf",
        b"-0",
        b"1" + b"0" * 400,
        b"9" * 5000,
        b"0x10",
        b"1_0__0",
        b"1e-400",
    ),
    *(b"null", b"~", b"true", b"''", b"[]", b"{}", b"[[]]", b"{a: {}}", b"- x", b"? x", b"!!binary aGk=", b"!!set {a}"),
    *(
        b"!!python/object/apply:os.system ['touch ran']",
        b"!!python/name:os.system",
        b"!!int x",
        b"!!float y",
        b"!!timestamp z",
    ),
    *(
        b"&a [*a]",
        b"*a",
        b"&b {<<: *b}",
        b"<<: {a: 1}",
        b"<<",
        b"=",
        b"|\n  x",
        b">-\n  y",
        b"'",
        b'"',
        b'"\\ud800"',
        b'"\\0"',
    ),
    *(
        b'"\\x1b[2J"',
        b"../../etc/passwd",
        b"/dev/zero",
        b"C:\\nul",
        b"$(touch ran)",
        b"`touch ran`",
        b"{{7*7}}",
        b"%s%n",
    ),
    *(
        b"\xff\xfe",
        b"\x00",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
        b"\xe2\x80\xae",
        b"\x85",
        b"\xef\xbb\xbf",
        b"\t",
        b"\r",
    ),
    *(
        b"[" * 50,
        b"{a: " * 50,
        b"- " * 50,
        b"a" * 3000,
        b"[" + b"1, " * 3000 + b"1]",
        b"%YAML 9.9\n---\n",
        b"%TAG ! x\n---\n",
    ),
]
Mutator = Callable[[bytes, np.random.Generator], bytes]


def flip(data: bytes, rng: np.random.Generator) -> bytes:
    """A byte becomes another."""
    at = rng.integers(len(data))
    return data[:at] + bytes([rng.integers(256)]) + data[at + 1 :]


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    """A stretch is gone."""
    start, end = np.sort(rng.integers(0, len(data) + 1, 2))
    return data[:start] + data[min(end, start + 60) :]


def double(data: bytes, rng: np.random.Generator) -> bytes:
    """A stretch comes again, elsewhere."""
    start, end, at = rng.integers(0, len(data) + 1, 3)
    return data[:at] + data[min(start, end) : max(start, end)] + data[at:]


def insert(data: bytes, rng: np.random.Generator) -> bytes:
    """Something hostile stands anywhere."""
    at = rng.integers(len(data) + 1)
    return data[:at] + HOSTILE[rng.integers(len(HOSTILE))] + data[at:]


def replace_value(data: bytes, rng: np.random.Generator) -> bytes:
    """A value becomes something hostile: what comes after a colon, up to the end of its line or the next sign of a list."""
    colons = [place for place in range(len(data)) if data[place : place + 2] == b": "]
    if not colons:
        return insert(data, rng)
    start = colons[rng.integers(len(colons))] + 2
    end = min((found for sign in b",}\n" if (found := data.find(bytes([sign]), start)) >= 0), default=len(data))
    return data[:start] + HOSTILE[rng.integers(len(HOSTILE))] + data[end:]


def swap_lines(data: bytes, rng: np.random.Generator) -> bytes:
    """Two lines change places."""
    lines = data.split(b"\n")
    one, other = rng.integers(0, len(lines), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def indent(data: bytes, rng: np.random.Generator) -> bytes:
    """A line moves to the right."""
    lines = data.split(b"\n")
    at = rng.integers(len(lines))
    lines[at] = b" " * rng.integers(1, 9) + lines[at]
    return b"\n".join(lines)


def swap_values(data: bytes, rng: np.random.Generator) -> bytes:
    """A number becomes another: too small, too large, of another kind."""
    digits = [place for place in range(len(data)) if data[place : place + 1].isdigit()]
    if not digits:
        return insert(data, rng)
    at = digits[rng.integers(len(digits))]
    other = [b"0", b"-1", b"1e9", b"1e308", b"0.5", b"99999999999999999999", b"1e-320", b"nan", b""][rng.integers(9)]
    return data[:at] + other + data[at + 1 :]


def encode(data: bytes, rng: np.random.Generator) -> bytes:
    """The whole text in another encoding."""
    text = data.decode("utf-8", "replace")
    return text.encode(["utf-16", "utf-32", "utf-7", "utf-8-sig", "cp037"][rng.integers(5)], "replace")


def bomb(data: bytes, rng: np.random.Generator) -> bytes:
    """Aliases that unfold to more than a machine holds, or lists within lists."""
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [
        b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 8)) for n in range(1, int(rng.integers(2, 30)))
    ]
    return data + b"\n" + b"\n".join(lines)


MUTATORS: list[Mutator] = [
    *(flip, cut, double, insert, insert, replace_value, replace_value, replace_value, swap_values, swap_values),
    *(swap_lines, indent, encode, bomb),
]


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """``data`` after one to four of :data:`MUTATORS`."""
    for _ in range(rng.choice([1, 1, 1, 2, 3, 4])):
        data = MUTATORS[rng.integers(len(MUTATORS))](data or b"x", rng)
    return data
