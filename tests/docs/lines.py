"""The command lines of README.md and docs/, as they are written, and the marks of those that are not run.

A fenced block of ``sh`` holds command lines; a comment of HTML before it, which no reader sees, may say of its lines::

    <!-- not run: mlhw data fetch: downloads 11 MB -->
    <!-- slow: mlhw sweep gmm-net: four trainings of 8 s -->

that is, a mark, how the lines begin, and a reason. ``slow`` lines are run by ``pytest -m slow`` alone; ``exits 1`` says how a
line ends that does not end with 0, or with 4 where something was skipped.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
MARK = re.compile(r"<!-- (not run|slow|exits \d): (.+?): (.+?) -->$")
FENCE = re.compile(r"^(`{3,})\s*(.*)$")
CODE = re.compile(r"`(mlhw(?: [^`]*)?)`")


@dataclass(frozen=True, slots=True)
class Line:
    """A command line: where it is, its words (comments left out), and its mark, "" where there is none."""

    page: Path
    number: int
    text: str
    commands: tuple[tuple[str, ...], ...]
    mark: str = ""

    @property
    def codes(self) -> tuple[int, ...]:
        """The exit codes that it may end with."""
        return (int(self.mark.removeprefix("exits ")),) if self.mark.startswith("exits ") else (0, 4)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the page and line where it begins, its language, its lines, and the marks before it."""

    page: Path
    number: int
    language: str
    lines: tuple[str, ...]
    marks: tuple[tuple[str, str, str], ...]


def pages() -> list[Path]:
    """Every page that is there; what a build made is none."""
    return [page for page in PAGES if page.is_file() and "_made" not in page.parts]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of ``page``.

    Raises:
        ValueError: marks that no block of ``sh`` follows, or a block without an end.
    """
    found: list[Block] = []
    marks: list[tuple[str, str, str]] = []
    begun: tuple[int, str, str, list[str]] | None = None
    for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(text)
        if begun:
            if fence and fence[1] == begun[1] and not fence[2]:
                found.append(Block(page, begun[0], begun[2], tuple(begun[3]), tuple(marks)))
                if marks and begun[2] != "sh":
                    raise ValueError(f"{page.name}:{begun[0]}: marks before a block that is not of sh")
                begun, marks = None, []
            else:
                begun[3].append(text)
        elif fence:
            begun = (number, fence[1], fence[2].strip(), [])
        elif mark := MARK.match(text):
            marks.append((mark[1], mark[2], mark[3]))
        elif marks and text.strip():
            raise ValueError(f"{page.name}:{number}: a mark stands before no block")
    if begun or marks:
        raise ValueError(f"{page.name}: a block without an end, or a mark before none")
    return found


def lines(page: Path) -> list[Line]:
    """The command lines of ``page``, in order.

    Raises:
        ValueError: a mark that fits no line.
    """
    found = []
    for block in blocks(page):
        if block.language != "sh":
            continue
        unused = set(block.marks)
        for offset, text in enumerate(block.lines, 1):
            commands = split(text)
            if not commands:
                continue
            fitting = [mark for mark in block.marks if text.startswith(mark[1])]
            unused -= set(fitting)
            found.append(Line(page, block.number + offset, text, commands, fitting[0][0] if fitting else ""))
        if unused:
            raise ValueError(f"{page.name}:{block.number}: marks that fit no line: {sorted(unused)}")
    return found


def split(text: str) -> tuple[tuple[str, ...], ...]:
    """The commands of a line, each as its words: ``a b && c  # why`` is ``((a, b), (c,))``."""
    commands: list[list[str]] = [[]]
    for word in shlex.split(text, comments=True):
        if word == "&&":
            commands.append([])
        else:
            commands[-1].append(word)
    return tuple(tuple(words) for words in commands if words)


def mentions(page: Path) -> list[tuple[int, str]]:
    """What stands in the running text as code and begins with ``mlhw``, with its line."""
    fenced = {number for block in blocks(page) for number in range(block.number, block.number + len(block.lines) + 2)}
    return [
        (number, code)
        for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if number not in fenced
        for code in CODE.findall(text)
    ]
